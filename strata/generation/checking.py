"""The check: every word, name, number and title of a text must be in its evidence or be common wording."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final, Literal

from strata.generation.evidence import Evidence, Task
from strata.generation.number_words import NUMBERS
from strata.generation.numbers import invented_number
from strata.generation.vocabulary import (
    HAN,
    WORD,
    common,
    forms_of,
    known_word,
    licensed,
    of_evidence,
    uncomposed,
)

Fault = Literal[
    "empty", "too-long", "prompt-leak", "id-leak", "wrong-language", "repetition", "invented-number",
    "invented-title", "invented-name", "off-topic",
]  # fmt: skip
LONGEST: Final[dict[Task, tuple[int, int]]] = {
    "name": (8, 60), "summary": (70, 420), "reason": (40, 260), "blurb": (40, 260),
}  # fmt: skip
"""Words and characters of an English text; a Chinese one may have a third of the characters."""
LEAKS = re.compile(
    r"\b(evidence|prompt|instructions?|system message|language model|assistant|as an ai|quotation marks)\b"
    r"|<\||\|>|\[/?inst|^\s*(sure|here('s| is| are)|certainly|of course|okay)\b"
    r"|(^|\n)\s*\**(name|summary|reason|blurb|answer|output|task|item|about|user|text|note)\**\s*[:：]"
    r"|证据|提示词|指令|系统提示|作为(一个)?(ai|人工智能|语言模型)|引号中|照抄|不要添加"
    r"|(名称|总结|摘要|理由|回答|输出|任务|条目|关键词)[:：]|^(好的|当然|以下是|根据(以上|以下|上述))",
    re.IGNORECASE,
)
"""Words of prompts and of models that speak of their task."""
IDS = re.compile(
    r"\b(?:topic|item|user|point|theme|category|id|uid|cluster|group|row|product)s?[-_ #:：]*(?:no\.? ?)?\d+"
    r"|\b[A-Za-z]+[-_]\d+\b|#\s*\d+|\b[A-Za-z]{1,4}\d{2,}\b|\b\w+_\w+\b"
    r"|\b(?=[0-9a-f-]*\d)(?=[0-9a-f-]*[a-f])[0-9a-f]{4,}(?:-[0-9a-f]{4,})*\b"
    r"|(?:编号|用户|条目|主题|话题)\s*(?:是|为)?\s*[A-Za-z#_-]*\d+",
    re.IGNORECASE,
)
"""What looks like the id of a row."""
QUOTED = re.compile(r"《([^》]*)》|“([^”]*)”|\"([^\"]*)\"|「([^」]*)」|『([^』]*)』|(?<!\w)[‘']([^’']{2,})[’'](?!\w)")
OTHER_SCRIPT = re.compile(r"[\u3041-\u30ff\u0400-\u04ff\uac00-\ud7af\u0600-\u06ff\u0e00-\u0e7f]")
SENTENCE = re.compile(r"[.!?。！？；;\n]+\s*")
TITLE_MARK, PHRASE_MARK = 0xE000, 0xE800
MARK = re.compile("[\ue000-\uefff]")
TOKEN = re.compile(r"[\ue000-\uefff]|[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")
MOST_STRANGE, STRANGE_SHARE = 2, 0.3
"""Words (or pairs of Chinese characters) in lower case, and share of all, that may be uncommon: wording, not facts."""
GRAM: Final = {"en": 6, "zh": 10}
"""Words, or characters of Chinese, in a row that a text may not share with its prompt."""


def fault_of(text: str, evidence: Evidence, prompt: Iterable[str] = (), topical: Collection[str] = ()) -> Fault | None:
    """The first fault of a text, None where it may be shown.

    `prompt`: what a model was told beside the evidence, of which nothing may come back. `topical`: lower-case words
    that speak of topics of the catalogue, none of which may be said where the evidence lacks it.
    """
    if not WORD.search(text):
        return "empty"
    if _too_long(text, evidence):
        return "too-long"
    masked = _masked(text.replace("’", "'"), evidence)
    if LEAKS.search(masked) or _shared(masked, prompt, evidence):
        return "prompt-leak"
    if IDS.search(masked):
        return "id-leak"
    if _invented_quote(masked):
        return "invented-title"
    if fault := _other_language(masked, evidence):
        return fault
    if invented_number(masked, evidence):
        return "invented-number"
    if _repeats(masked, evidence):
        return "repetition"
    return _unlicensed(masked, evidence, topical)


def _too_long(text: str, evidence: Evidence) -> bool:
    words, signs = LONGEST[evidence.task]
    if evidence.language == "zh" and HAN.search(text):
        return len(text) > signs / 2
    return len(text) > signs or len(text.split()) > words


def _masked(text: str, evidence: Evidence) -> str:
    """The text with a sign of its own in place of each whole title and each phrase of the evidence."""
    found = [(form, TITLE_MARK + at) for at, title in enumerate(evidence.titles) for form in forms_of(title)]
    found += [(phrase.casefold().replace("’", "'"), PHRASE_MARK + at) for at, phrase in enumerate(evidence.phrases)]
    for form, mark in sorted(found, key=lambda pair: -len(pair[0])):
        edges = (r"(?<!\w)" if form[0].isascii() else "", r"(?!\w)" if form[-1].isascii() else "")
        text = re.sub(edges[0] + re.escape(form) + edges[1], chr(mark), text, flags=re.IGNORECASE)
    return text


def _shared(masked: str, prompt: Iterable[str], evidence: Evidence) -> bool:
    """Whether the text has so many words in a row as some part of the prompt."""
    length = GRAM[evidence.language]
    grams = _grams(masked, length, evidence)
    return any(grams & _grams(_masked(part, evidence), length, evidence) for part in prompt)


def _grams(text: str, length: int, evidence: Evidence) -> set[tuple[str, ...]]:
    units = list(HAN.findall(text)) if evidence.language == "zh" else [word.casefold() for word in TOKEN.findall(text)]
    return {tuple(units[at : at + length]) for at in range(len(units) - length + 1)}


def _invented_quote(masked: str) -> bool:
    """Whether something stands between quotation marks that is no title and no phrase."""
    for match in QUOTED.finditer(masked):
        inside = next(part for part in match.groups() if part is not None)
        if WORD.search(MARK.sub("", inside)):
            return True
    return False


def _other_language(masked: str, evidence: Evidence) -> Fault | None:
    rest = MARK.sub(" ", masked)
    words = [word for word in WORD.findall(rest) if not HAN.search(word)]
    if OTHER_SCRIPT.search(rest):
        return "wrong-language"
    if evidence.language == "en":
        unknown = sum(not known_word(word, licensed(evidence)) for word in words)
        return "wrong-language" if HAN.search(rest) or (unknown >= 3 and unknown * 2 > len(words)) else None
    foreign = [
        word for word in words if not of_evidence(word.casefold(), licensed(evidence)) and word.casefold() != "ta"
    ]
    if not foreign:
        return None
    return "wrong-language" if len(foreign) > 1 or not HAN.search(rest) else "invented-name"


def _repeats(masked: str, evidence: Evidence) -> bool:
    sentences = [each.strip().casefold() for each in SENTENCE.split(masked) if len(each.strip()) > 2]
    if len(set(sentences)) < len(sentences):
        return True
    most = 1 if evidence.task == "name" else max(2, len(evidence.subjects))
    if max(Counter(MARK.findall(masked)).values(), default=0) > most:
        return True
    if evidence.language == "zh" and HAN.search(masked):
        return bool(re.search(r"([\u3400-\u9fff]{2,})[，、\s]*\1|([\u3400-\u9fff，、\ue000-\uefff]{6,}).*\2", masked))
    tokens = [token.casefold() for token in TOKEN.findall(masked)]
    again = any(one == other for one, other in zip(tokens, tokens[1:], strict=False))
    grams = Counter(zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False))
    counted = Counter(token for token in tokens if token not in common("en"))
    most_words = 1 if evidence.task == "name" else 3
    in_a_row = any(count > (most if any(map(MARK.match, gram)) else 1) for gram, count in grams.items())
    return again or in_a_row or max(counted.values(), default=0) > most_words


def _unlicensed(masked: str, evidence: Evidence, topical: Collection[str]) -> Fault | None:
    """A fault where too much is neither common nor of the evidence, or nothing of the evidence is said."""
    words = licensed(evidence)
    check = _unlicensed_english if evidence.language == "en" else _unlicensed_chinese
    if fault := check(masked, evidence, topical):
        return fault
    said = MARK.search(masked) or any(of_evidence(word.casefold(), words) for word in WORD.findall(masked))
    return None if said or any(word in masked for word in words if HAN.search(word)) else "off-topic"


def _unlicensed_english(masked: str, evidence: Evidence, topical: Collection[str]) -> Fault | None:
    words, strange, total = licensed(evidence), 0, len(TOKEN.findall(masked))
    for sentence in SENTENCE.split(masked):
        tokens = WORD.findall(sentence)
        unknown = [word for word in tokens if not known_word(word, words)]
        if any(word[0].isupper() for word in unknown):
            titled = len(unknown) > 1 or _looks_like_title(tokens[1:], words)
            return "invented-title" if titled else "invented-name"
        if any(word.casefold() in topical for word in unknown):
            return "off-topic"
        strange += len(unknown)
        if evidence.task != "name" and _looks_like_title(tokens[1:], words):
            return "invented-title"
    return "off-topic" if strange > _tolerated(evidence, MOST_STRANGE, total) else None


def _looks_like_title(tokens: list[str], words: frozenset[str]) -> bool:
    """Whether two words in a row have capitals although nothing of the evidence is in them."""
    capitals = [
        word[0].isupper() and word not in {"I", "I'm"} and not of_evidence(word.casefold(), words) for word in tokens
    ]
    return any(one and other for one, other in zip(capitals, capitals[1:], strict=False))


def _unlicensed_chinese(masked: str, evidence: Evidence, topical: Collection[str]) -> Fault | None:
    known, strange = common("zh") | licensed(evidence) | NUMBERS["zh"].keys(), 0
    for run in re.findall(r"[\u3400-\u9fff]+", masked):
        left = uncomposed(run, known)
        if any(word in run for word in topical if HAN.search(word) and word not in known and left >= len(word)):
            return "off-topic"
        strange += left
    total = len(HAN.findall(masked)) + 2 * len(MARK.findall(masked))
    return "off-topic" if strange > _tolerated(evidence, 2 * MOST_STRANGE, total) else None


def _tolerated(evidence: Evidence, most: int, total: int) -> float:
    """Uncommon words or signs that a text may have: none where a model read what somebody wrote of themselves."""
    return 0 if evidence.quotes else min(most, STRANGE_SHARE * total)
