"""The template: says the evidence in fixed words, in English and Chinese; always there, and never wrong."""

from collections.abc import Callable
from dataclasses import replace

from strata.generation.evidence import Evidence, Subject
from strata.generation.prompts import TIERS
from strata.generation.vocabulary import shown

MOST = 3
"""Subjects that a summary names of each tier."""
EN_START = {"core": "At heart: ", "stable": "Comes back to ", "momentary": "Just now: ", "": "Likes "}
ZH_START = {"core": "一直喜欢", "stable": "常常回到", "momentary": "最近关注", "": "喜欢"}


def template(evidence: Evidence) -> str:
    """The text of a task from its evidence alone; "" where there is nothing to say."""
    return {"en": _english, "zh": _chinese}[evidence.language](evidence)


def _english(evidence: Evidence) -> str:
    if not (said := _said(evidence, _english_subject)):
        return shown(evidence.item) if evidence.task == "blurb" else ""
    tier = evidence.subjects[0].tier
    if evidence.task == "name":
        return _name(evidence.subjects[0], " · ")
    if evidence.task == "reason":
        return f"{shown(evidence.item)} fits your {tier + ' ' if tier else ''}interest in {said[0]}.".strip()
    if evidence.task == "blurb":
        return f"{shown(evidence.item)}: for you who like {said[0]}."
    return " ".join(
        f"{EN_START.get(each, EN_START[''])}{'; '.join(parts)}." for each, parts in _by_tier(evidence, said)
    )


def _chinese(evidence: Evidence) -> str:
    if not (said := _said(evidence, _chinese_subject)):
        return f"《{evidence.item}》" if evidence.task == "blurb" else ""
    tier = TIERS["zh"].get(evidence.subjects[0].tier, "")
    if evidence.task == "name":
        return _name(evidence.subjects[0], "·")
    if evidence.task == "reason":
        return f"《{evidence.item}》符合你对{said[0]}的{tier}兴趣。"
    if evidence.task == "blurb":
        return f"喜欢{said[0]}的你，不妨看看《{evidence.item}》。"
    return "".join(
        f"{ZH_START.get(each, ZH_START[''])}{'；'.join(parts)}。" for each, parts in _by_tier(evidence, said)
    )


def _said(evidence: Evidence, say: Callable[[Subject], str]) -> list[str]:
    """What is said of each subject that has something to say; an example stands in one of them alone."""
    said: list[str] = []
    used: set[str] = set()
    for subject in evidence.subjects:
        if subject.phrases or subject.titles:
            fresh = tuple(title for title in subject.titles if title not in used)
            used |= set(fresh[:1])
            said.append(say(replace(subject, titles=fresh if fresh or subject.phrases else subject.titles)))
    return said


def _by_tier(evidence: Evidence, said: list[str]) -> list[tuple[str, list[str]]]:
    """What is said of each tier, in the order of the subjects, MOST of each."""
    spoken = [subject for subject in evidence.subjects if subject.phrases or subject.titles]
    parts: dict[str, list[str]] = {}
    for subject, words in zip(spoken, said, strict=True):
        parts.setdefault(subject.tier, []).append(words)
    return [(tier, words[:MOST]) for tier, words in parts.items()]


def _name(subject: Subject, between: str) -> str:
    return between.join(subject.phrases[:2]) or shown(next(iter(subject.titles), ""))


def _english_subject(subject: Subject) -> str:
    about = " and ".join(subject.phrases[:2])
    example = shown(next(iter(subject.titles), ""))
    return f"{about}, such as {example}" if about and example else about or f"such as {example}"


def _chinese_subject(subject: Subject) -> str:
    about = "和".join(subject.phrases[:2])
    example = shown(next(iter(subject.titles), ""))
    return f"{about}（例如《{example}》）" if about and example else about or f"《{example}》一类"
