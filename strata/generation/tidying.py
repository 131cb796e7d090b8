"""Answers as people write them: one paragraph, whole sentences, no quotation marks around all of it."""

import re

from strata.generation.evidence import Task
from strata.generation.generator import Completion

PAIRS = (('"', '"'), ("“", "”"), ("'", "'"), ("「", "」"), ("**", "**"))
ENDS = re.compile(r"[.!?。！？](?=\s|$|[\u3400-\u9fff《])")


def tidy(answer: Completion, task: Task) -> str:
    """The first paragraph of an answer; one that broke off ends with its last whole sentence, "" where it has none."""
    text = " ".join(answer.text.strip().split("\n\n")[0].split())
    for left, right in PAIRS:
        inner = text.removeprefix(left).removesuffix(right)
        if text.startswith(left) and text.endswith(right) and left not in inner and right not in inner:
            text = inner.strip()
    if task == "name":
        return text.rstrip(" .。,，;；") if answer.finished else ""
    if not answer.finished:
        ends = [match.end() for match in ENDS.finditer(text)]
        return text[: ends[-1]] if ends else ""
    if text and text[-1].isalnum():
        text += "。" if re.match(r"[\u3400-\u9fff]", text[-1]) else "."
    return text
