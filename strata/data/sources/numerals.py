"""Reads numbers as people write them: currency signs, groups of thousands, a decimal comma."""

import re

import polars as pl

_CODES = "USD EUR GBP JPY CNY RMB INR BRL CHF CAD AUD NZD KRW SEK NOK DKK PLN CZK HUF RUB TRY MXN HKD TWD SGD THB ZAR"
_MONEY = r"\p{Sc}|US\$|R\$|kr\.?|zł|元|円|руб\.?|Rs\.?|" + _CODES.replace(" ", "|")
_CURRENCY = rf"^([+-]?)\s*(?:{_MONEY})\s*|\s*(?:{_MONEY})$"
"""A sign or an ISO code, before or after the number; a minus before it stays."""
_BLANKS = "[ \u00a0\u202f]"


def of_text(column: pl.Expr, decimal: str = ".", thousands: str | None = None) -> pl.Expr:
    """Text without surrounding blanks as Float64; null where it is no number.

    Without `thousands`, groups are read where they can be nothing else: "1,234.50" and "1,234,567", never "1,234".
    """
    group = _BLANKS if thousands == " " else re.escape(thousands or ("." if decimal == "," else ","))
    point = re.escape(decimal)
    grouped = rf"^[+-]?\d{{1,3}}(?:{group}\d{{2,3}})*{group}\d{{3}}(?:{point}\d*)?$"
    certain = rf"^[+-]?\d{{1,3}}(?:(?:{group}\d{{3}})+{point}\d*|(?:{group}\d{{3}}){{2,}})$"
    plain = column.cast(pl.Float64, strict=False)
    if decimal == "," or thousands == ".":
        plain = pl.when(~column.str.contains(".", literal=True)).then(plain)
    # Most are plain numbers: only the others are looked at as text.
    bare = pl.when(plain.is_null()).then(column).str.replace_all(_CURRENCY, "${1}").str.replace("−", "-", literal=True)
    matches = bare.str.contains(certain if thousands is None else grouped)
    digits = pl.when(matches).then(bare.str.replace_all(group, "")).otherwise(bare)
    if decimal == ",":
        digits = (
            pl.when(matches | ~bare.str.contains(".", literal=True)).then(digits).str.replace(",", ".", literal=True)
        )
    return pl.coalesce(plain, digits.cast(pl.Float64, strict=False))
