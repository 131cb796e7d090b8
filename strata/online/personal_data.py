"""The forms of personal data: where a text has e-mail addresses, numbers of phones, cards and accounts, streets."""

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Final, Literal, get_args

Kind = Literal["e-mail", "IBAN", "ID", "card", "IP", "phone", "address"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""In the order in which they are looked for: what one kind has taken is no other."""
REGIONS: Final = ("US", "GB", "CN")
"""Whose telephone numbers are known without +44 or the like; with it those of all countries are."""
FEWEST_DIGITS: Final = 7
"""Of a telephone number: texts with fewer are not looked through."""

_AT, _DOT = r"(?:@|\s?[(\[{]\s?at\s?[)\]}]\s?)", r"(?:\.|\s?[(\[{]\s?dot\s?[)\]}]\s?)"
_EMAIL: Final = re.compile(rf"[\w.+%'-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,8}}", re.IGNORECASE)
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_OF_LENGTH: Final = {
    15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS", 23: "AE GI IL IQ OM TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST",
    26: "IS TR", 27: "BI DJ FR GR IT MC SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA",
    30: "JO KW MU", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
_IBAN_LENGTHS: Final = {country: length for length, countries in _OF_LENGTH.items() for country in countries.split()}
"""Characters of an IBAN by its country, of the register of ISO 13616."""
_CHINESE_ID: Final = re.compile(r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{9}[\dXx](?!\d)")
_SOCIAL: Final = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_CARD: Final = re.compile(r"(?<![\d.])[2-6](?:[ -]?\d){12,18}(?!\d)")
_IP4: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)")
_IP6: Final = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_STREETS: Final = "Street|Avenue|Boulevard|Lane|Road"
_OTHERS: Final = (
    "St|Ave|Blvd|Ln|Rd|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Highway|Hwy|Parkway|Pkwy|Crescent|Close|Way"
)
_ADDRESS: Final = re.compile(
    rf"""(?<![\w-])\d{{1,5}}[A-Za-z]?(?:-\d{{1,5}})?,?\s+             # number of the house; then names, or one word
    (?:(?:(?:[A-Z][\w'.-]{{0,30}}|\d{{1,3}}(?:st|nd|rd|th))\s+){{1,4}}?(?:{_STREETS}|{_OTHERS})|[a-z'-]{{1,30}}\s(?i:{_STREETS}))\b
    (?:\s[NS]?[NSEW]\b)?(?:,?\s+(?i:apt|apartment|suite|ste|unit|flat|floor|\#)\.?\s*[\w-]{{1,10}})?
    (?:,\s+[A-Z][^\W\d_A-Z]{{1,30}}(?:\s[A-Z][^\W\d_A-Z]{{1,30}}){{0,2}})?    # town
    (?:,?\s+[A-Z]{{2}}\s+\d{{5}}(?:-\d{{4}})?|,?\s+[A-Z]{{1,2}}\d[A-Z\d]?\s?\d[A-Z]{{2}}|\s+\d{{5}})?\b
    | \b[Pp]\.?\s?[Oo]\.?\s+[Bb]ox\s+\d+""",
    re.VERBOSE,
)
_HAN: Final = "\u4e00-\u9fff"
_CHINESE_ADDRESS: Final = re.compile(
    rf"(?<=[{_HAN}])(?:大道|胡同|[路街道巷弄])\s?\d{{1,5}}\s?[号號弄](?:\s?[A-Za-z0-9-]{{1,6}}\s?(?:号楼|楼|栋|幢|单元|层|室|院))*"
    r"|\d{1,4}\s?(?:号楼|栋|幢)\s?(?:\d{1,3}\s?单元\s?)?\d{2,5}\s?[室号]"
)
_BEFORE: Final = re.compile(rf"[{_HAN}]{{1,24}}$")
_BEGINS: Final = re.compile("[在住址是于]")
"""After the last of these before a street an address begins."""


Spans = Iterator[tuple[int, int]]


def _ibans(text: str) -> Spans:
    for found in _IBAN.finditer(text):
        length, count = _IBAN_LENGTHS.get(found[1].upper(), 0), 0
        for place, each in enumerate(found[0], 1):
            count += each.isalnum()
            if count == length:
                if _is_iban(found[0][:place]):
                    yield found.start(), found.start() + place
                break


def _matching(pattern: re.Pattern[str], holds: Callable[[str], bool] = lambda _: True) -> Callable[[str], Spans]:
    return lambda text: (found.span() for found in pattern.finditer(text) if holds(found[0]))


def _ids(text: str) -> Spans:
    spans = [*_matching(_CHINESE_ID, _is_chinese_id)(text), *_matching(_SOCIAL)(text)]
    return iter(sorted(spans))


def _ips(text: str) -> Spans:
    return iter(sorted([*_matching(_IP4, _is_ip)(text), *_matching(_IP6, _is_ip)(text)]))


def _addresses(text: str) -> Spans:
    chinese = [(_begin(text, found.start()), found.end()) for found in _CHINESE_ADDRESS.finditer(text)]
    return iter(_apart(sorted([*_matching(_ADDRESS)(text), *chinese])))


def _begin(text: str, street: int) -> int:
    """Where a Chinese address begins: with the towns and districts before its street, or with the number of a house."""
    before = None if text[street].isdigit() else _BEFORE.search(text, max(0, street - 24), street)
    if before is None:
        return street
    begins = [found.end() for found in _BEGINS.finditer(before[0])]
    return before.start() + (begins[-1] if begins else 0)


def _phones(text: str) -> Spans:
    if sum(map(str.isdigit, text)) < FEWEST_DIGITS:
        return iter(())
    from phonenumbers import Leniency, PhoneNumberMatcher  # a tenth of a second, and megabytes of rules

    found = {
        (match.start, match.end)
        for region in REGIONS
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID)
    }
    return iter(_apart(sorted(found)))


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order; those that overlap become one."""
    apart: list[tuple[int, int]] = []
    for start, end in spans:
        if apart and start < apart[-1][1]:
            apart[-1] = apart[-1][0], max(end, apart[-1][1])
        else:
            apart.append((start, end))
    return apart


def _is_card(text: str) -> bool:
    """Luhn's check: every second digit from the right doubled, digits summed, is a multiple of ten."""
    digits = [int(each) for each in text if each.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """ISO 7064: letters as 10 to 35, the first four characters last, is 1 modulo 97."""
    plain = re.sub(r"[ -]", "", text).upper()
    return int("".join(str(int(each, 36)) for each in plain[4:] + plain[:4])) % 97 == 1


def _is_chinese_id(text: str) -> bool:
    """GB 11643: the last character checks the others."""
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(text[:17]))
    return "10X98765432"[total % 11] == text[-1].upper()


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return text.count(":") > 2 or "." in text


FINDERS: Final[dict[Kind, Callable[[str], Spans]]] = {
    "e-mail": _matching(_EMAIL),
    "IBAN": _ibans,
    "ID": _ids,
    "card": _matching(_CARD, _is_card),
    "IP": _ips,
    "phone": _phones,
    "address": _addresses,
}
"""Where a text of ASCII digits and signs has data of a kind: starts and ends, in order and apart."""
