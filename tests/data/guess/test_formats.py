"""Files in the true formats of public data sets are understood, and nothing is understood wrongly without a word."""

from pathlib import Path

import pytest
import yaml

from benchmarks.init.__main__ import WRITERS
from benchmarks.init.judging import judge, truth
from strata.data.guess.plan import guess
from strata.data.guess.trial import trial

CLEANING = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["cleaning"]


@pytest.mark.parametrize("name", WRITERS)
def test_a_public_format_is_understood_and_read(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path)
    plan = guess([tmp_path], {}, {})
    assert [each for each in judge(plan, truth()[name]) if each.verdict != "right"] == []
    tried = trial(plan.tables, plan.source, {**CLEANING, **plan.cleaning})
    assert tried.faults == {}
    assert tried.rows["interactions"] >= 400
    assert [f for found in tried.findings.values() for f in found if f.stops] == []
