"""Numbers of a text, in digits and in words: each must be in the evidence."""

import re

from strata.generation.evidence import Evidence
from strata.generation.number_words import NUMBERS, UNCOUNTED

DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
MEASURED = re.compile(
    r"(百分之)?([一二两三四五六七八九十百千万]+)(?=[部个件本次周天月年篇首种类位款样成倍家回场集分]|$)|百分之([一二两三四五六七八九十百]+)"
)
OF_TIME = re.compile(
    r"\s*(?:times?|weeks?|months?|days?|hours?|years?|visits?|percent|per cent|ratings?|stars?)\b", re.IGNORECASE
)
IDIOMS = re.compile(
    r"第?一(?!百|千|万)|两者|十分|千万别|万一|三心二意|百看不厌|十足|万千|四处|七上八下|百分百|百搭|五花八门|千变万化"
)


def invented_number(text: str, evidence: Evidence) -> bool:
    """Whether a text holds a number that its evidence does not.

    A number word may also count the titles, phrases or interests of the evidence, as in "these three films".
    """
    if any(not _given(_value(digits), evidence) for digits in DIGITS.findall(text)):
        return True
    return _invented_english(text, evidence) or _invented_chinese(text, evidence)


def _invented_english(text: str, evidence: Evidence) -> bool:
    counts = _counts(evidence)
    for match in re.finditer(r"[A-Za-z]+", text):
        word = match.group().casefold()
        if word not in NUMBERS["en"] or word in UNCOUNTED:
            continue
        number = NUMBERS["en"][word]
        of_time = OF_TIME.match(text, match.end())
        if not _given(number, evidence) and (of_time or number not in counts):
            return True
    return False


def _invented_chinese(text: str, evidence: Evidence) -> bool:
    plain = IDIOMS.sub("，", text)
    for match in MEASURED.finditer(plain):
        number = _chinese_value(match.group(2) or match.group(3))
        counted = match.end() < len(plain) and plain[match.end()] in "部个件本种类篇首位款样"
        if number != 1 and not _given(number, evidence) and not (counted and number in _counts(evidence)):
            return True
    return False


def _given(number: float, evidence: Evidence) -> bool:
    """Whether the evidence has the number, as such or as a share of 1."""
    return any(abs(number - each) < 1e-9 or abs(number - 100 * each) < 0.5 and each < 1 for each in evidence.numbers)


def _counts(evidence: Evidence) -> set[float]:
    """What can be counted in the evidence."""
    return {len(evidence.titles), len(evidence.phrases), len(evidence.subjects)}


def _value(digits: str) -> float:
    return float(re.sub(r",(?=\d{3}\b)", "", digits).replace(",", ".").rstrip(".")) if digits.count(".") < 2 else -1.0


def _chinese_value(numeral: str) -> int:
    """A Chinese numeral up to 万, such as 二十三."""
    total = section = 0
    for sign in numeral:
        value = NUMBERS["zh"][sign]
        if value >= 10:
            section, total = 0, total + max(section, 1) * value
        else:
            section = value
    return total + section
