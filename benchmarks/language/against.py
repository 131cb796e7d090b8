"""Whether what a request speaks against stays out of its list."""

from typing import Any

from benchmarks.evidence.files import Row
from benchmarks.language.cases import HALVES, RELEASES, Asked, Case, digest, read_cases, share_row
from strata.recommendation.lists import Recommendation

SHOWN = 20
"""First places that are looked at."""


def rows() -> tuple[list[Row], str]:
    """The share of requests whose first SHOWN items hold nothing of what is refused, of both halves."""
    cases: list[Case] = read_cases("against")
    releases = {data: Asked.of(data) for data in RELEASES}
    missing = [data for data, asked in releases.items() if asked is None]
    found = []
    for suffix, held, told in HALVES:
        kept = [(case, releases[case["data"]]) for case in cases if case["held"] == held]
        right = [_absent(asked, case) for case, asked in kept if asked is not None]
        what = f"share of hand-made requests whose first {SHOWN} items hold nothing of what they refuse; {told}"
        excluded = f"requests on {', '.join(missing)}, of which no release was there" if missing else ""
        found.append(share_row(f"against-absent{suffix}", what, right, 0.95, excluded))
    return found, digest("against")


def _absent(asked: Asked, case: Case) -> bool:
    listed = asked.listed(asked.person(case["text"]), SHOWN)
    return bool(listed) and not any(_refused(asked, item, case["against"]) for item in listed)


def _refused(asked: Asked, item: Recommendation, against: dict[str, Any]) -> bool:
    labels = asked.labels[item.item_id]
    if labels & {*against.get("categories", ()), *against.get("tags", ())}:
        return True
    return any(word.casefold() in item.title.casefold() for word in against.get("words", ()))
