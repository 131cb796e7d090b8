"""Whether a bio that names a topic moves the list, and one that names none leaves it as popularity has it."""

from itertools import combinations

import numpy as np

from benchmarks.evidence.files import Row
from benchmarks.evidence.sections import FILMS
from benchmarks.language.cases import HALVES, Asked, Case, digest, read_cases, share_row
from strata.errors import StrataError
from strata.recommendation.request import ListRequest

SHOWN = 10


def rows() -> tuple[list[Row], str]:
    """Of both halves: pairs of bios that share at most half of their lists; topicless ones with popularity's."""
    asked = Asked.of(FILMS)
    if asked is None:
        raise StrataError("bios are asked of the release of MovieLens-100K, which is not there: run make demo first")
    cases: list[Case] = read_cases("bios")
    release = asked.release
    popular = release.list_builder.popular(release.filled(ListRequest(k=SHOWN)), release.admitted())
    usual = [item.item_id for item in popular]
    found = []
    for suffix, held, told in HALVES:
        lists = [
            (case, [item.item_id for item in asked.listed(asked.person(case["text"], query=False), SHOWN)])
            for case in cases
            if case["held"] == held
        ]
        topical = [(case, items) for case, items in lists if case["topic"]]
        apart = [len({*one} & {*other}) <= SHOWN // 2 for (_, one), (_, other) in combinations(topical, 2)]
        what = f"share of pairs of hand-made bios on different topics that share at most half of their ten; {told}"
        found.append(share_row(f"bio-moves{suffix}", what, apart, 0.9))
        fitting = [_fitting(asked, items, case) > _fitting(asked, usual, case) for case, items in topical]
        what = f"share of these bios whose ten hold more of the topic's genres than the popular ten do; {told}"
        found.append(share_row(f"bio-fits{suffix}", what, fitting, 0.5))
        same = [items == usual for case, items in lists if not case["topic"]]
        what = f"share of hand-made bios without a topic that get the list of popularity; {told}"
        found.append(share_row(f"bio-topicless{suffix}", what, same, 0.9))
    return found, digest("bios")


def _fitting(asked: Asked, items: list[str], case: Case) -> float:
    """The share of items that carry one of the genres of a bio's topic."""
    return float(np.mean([bool(asked.labels[item] & {*case["genres"]}) for item in items]))
