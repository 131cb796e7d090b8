"""All rankers. To add one, write a module with the members of `Ranker` and add it to RANKERS."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from strata.ranking.by_kind import ByKind
from strata.ranking.choosing import POPULAR, SUM, TREES, Choice
from strata.ranking.interest_sum import InterestSum
from strata.ranking.lambdamart import REPORT, LambdaMart
from strata.ranking.ranker import Ranker
from strata.ranking.weighted_sum import BY_POPULARITY, WeightedSum

BEST: Final = "best"


def _trees(folder: Path, names: Sequence[str]) -> Ranker:  # noqa: ARG001
    """The trees, or the weighted sum where there was nothing for trees to learn from."""
    return LambdaMart.read(folder) if (folder / REPORT).exists() else WeightedSum.read(folder)


def _best(folder: Path, names: Sequence[str]) -> Ranker:
    """The rankers chosen for each kind of user; one that was chosen for all of them stands alone."""
    choice = Choice.read(folder)
    rankers = {name: RANKERS[name](folder, names) for name in set(choice.rankers)}
    return ByKind.of(choice, rankers, names) if len(rankers) > 1 else next(iter(rankers.values()))


RANKERS: Final[Mapping[str, Callable[[Path, Sequence[str]], Ranker]]] = {
    BEST: _best,
    TREES: _trees,
    SUM: lambda folder, _: WeightedSum.read(folder),
    POPULAR: lambda *_: BY_POPULARITY,
    "interests": lambda *_: InterestSum(),
}
"""`RankSettings.method` → function that reads it from a folder, for features of the names given (F,)."""


def read_ranker(folder: Path, method: str, names: Sequence[str]) -> Ranker:
    """Read the ranker that the stage `rank` wrote, by the method of its settings; `names` (F,): of the features.

    Raises ReleaseError where it learned from other features or no ranker was chosen.
    """
    ranker = RANKERS[method](folder, names)
    ranker.check(names)
    return ranker
