"""How many planted bad texts the check refuses, and how many good ones it lets through: hand-made, half held out."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from benchmarks.evidence.files import Row
from benchmarks.language.shares import share_row
from strata.generation.checking import Fault, fault_of
from strata.generation.evidence import Evidence, Subject
from strata.generation.prompts import prompt_for

CASES = Path("benchmarks/language/fixtures/outputs.yaml")
BUDGET = 500


def rows() -> tuple[list[Row], str]:
    """The check's recall and precision on the held-out half, and the hash of the cases."""
    content = CASES.read_text(encoding="utf-8")
    cases = yaml.safe_load(content)
    evidence = {each["id"]: evidence_of(each) for each in cases["evidence"]}
    judged = {kind: [(bool(case["held"]), _fault(case, evidence)) for case in cases[kind]] for kind in ("bad", "good")}
    found = [
        _row(
            "check-recall",
            "bad",
            "of planted bad texts, such as with an invented title, that the check refuses",
            judged,
        ),
        _row(
            "check-precision",
            "good",
            "of good texts, made by hand of the evidence, that the check lets through",
            judged,
        ),
    ]
    return found, hashlib.sha256(content.encode()).hexdigest()[:12]


def evidence_of(case: Mapping[str, Any]) -> Evidence:
    """The evidence of a hand-made case."""
    numbers = tuple(float(number) for number in case["numbers"])
    subject = Subject(tuple(case["name_phrases"]), tuple(case["items"]), case["tier"] or "", numbers)
    return Evidence(case["task"], case["language"], (subject,))


def _fault(case: Mapping[str, Any], evidence: Mapping[str, Evidence]) -> Fault | None:
    rests_on = evidence[case["evidence"]]
    return fault_of(case["text"], rests_on, prompt_for(rests_on.screened(), BUDGET).parts)


def _row(id: str, kind: str, what: str, judged: Mapping[str, list[tuple[bool, Fault | None]]]) -> Row:
    right = pl.DataFrame(
        [(held, (fault is not None) == (kind == "bad")) for held, fault in judged[kind]],
        schema={"held": pl.Boolean, "right": pl.Boolean},
        orient="row",
    )
    held, tuned = right.filter("held")["right"], right.filter(~pl.col("held"))["right"]
    said = f"Share {what}; hand-made, English and Chinese, the half that nothing was tuned on. Of the other half "
    return share_row(id, f"{said}{tuned.sum()} of {len(tuned)}.", held.to_list())
