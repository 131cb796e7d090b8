"""Items as they are kept: plain texts, a title for each, the code of its language."""

import polars as pl

from strata.data.normalise import languages, plain_text, plain_texts
from strata.data.schema import ATTRIBUTES, BRAND, CATEGORIES, DESCRIPTION, ITEM, ITEMS, LANGUAGE, TAGS, TITLE
from strata.data.sources.finding import Finding


def finished(
    rows: pl.DataFrame, longest: int, findings: list[Finding], among: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Rows of items, some columns of ITEMS missing maybe, with texts of at most `longest` characters.

    Without any text the id stands as title. What was changed is added to `findings`. `among`: other items, finished
    already, whose language a text that tells none has; None: these alone.
    """
    rows = plain(findings, rows, [TITLE, DESCRIPTION, BRAND], longest)
    rows = rows.with_columns(plain_texts(rows[name], longest) for name in (CATEGORIES, TAGS))
    mute = pl.all_horizontal(
        pl.col(TITLE, DESCRIPTION).is_null(), *(pl.col(name).list.len() == 0 for name in (CATEGORIES, TAGS))
    )
    if count := rows.select(mute.sum()).item():
        findings.append(Finding("no text: the id stands as title", count, of=rows.height))
    rows = rows.with_columns(pl.when(mute).then(ITEM).otherwise(TITLE).alias(TITLE))
    told = [_told(each) for each in (rows, *(() if among is None else (among,)))]
    detected = languages(pl.concat(told)).head(rows.height)
    rows = rows.with_columns(pl.coalesce(pl.col(LANGUAGE).str.to_lowercase(), detected).alias(LANGUAGE))
    return rows.with_columns(pl.col(ATTRIBUTES).fill_null([])).select(ITEMS.names())


def plain(findings: list[Finding], rows: pl.DataFrame, columns: list[str], longest: int) -> pl.DataFrame:
    """Rows with plain text in some columns; what was cut is added to `findings`."""
    for column in columns:
        text, cut = plain_text(rows[column], longest)
        rows = rows.with_columns(text)
        if cut:
            findings.append(Finding(f"{column} cut at {longest:,} characters", cut, of=rows.height))
    return rows


def _told(rows: pl.DataFrame) -> pl.Series:
    told = pl.concat_str(TITLE, DESCRIPTION, separator=". ", ignore_nulls=True)
    return rows.select(told.alias(LANGUAGE)).to_series()
