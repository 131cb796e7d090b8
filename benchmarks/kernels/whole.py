"""Whole calls for one user and batches of many, with own code and with libraries in its place."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks.kernels.grounds import Ground
from benchmarks.kernels.race import OWN, Library, Race, race
from benchmarks.kernels.swap import one_core, within
from strata.interests.query_users import PastChoice
from strata.recommendation.batches import recommend_many
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest

CALLS, BLOCK, BATCH, PICKS = 40, 256, 1_000, 20
PLAIN, REASONED = ListRequest(k=10, explain=False), ListRequest(k=10)
Asked = Callable[[Recommender, Ground], object]


def plain(recommender: Recommender, ground: Ground) -> None:
    """Ten items for each of CALLS users, one by one."""
    for user in ground.users(CALLS):
        recommender.recommend(user, PLAIN)


def explained(recommender: Recommender, ground: Ground) -> None:
    """The same with reasons."""
    for user in ground.users(CALLS):
        recommender.recommend(user, REASONED)


def new_users(recommender: Recommender, ground: Ground) -> None:
    """Ten items for each of CALLS visitors who picked what these users had last."""
    history = recommender.history
    for user in ground.users(CALLS):
        seen = history.items[history.of(recommender.users[user])][-PICKS:]
        picks = [PastChoice(str(item)) for item in recommender.catalogue.ids[seen]]
        recommender.recommend(recommender.new_users.from_choices(picks), PLAIN)


def batch(recommender: Recommender, ground: Ground) -> None:
    """Ten items for each of BATCH users at once, on all cores."""
    recommend_many(recommender, ground.users(BATCH), PLAIN)


def block(recommender: Recommender, ground: Ground) -> None:
    """As many of them as are looked at together, at most."""
    recommend_many(recommender, ground.users(BLOCK), PLAIN)


KINDS: Final[dict[str, tuple[str, int, Asked]]] = {
    "call": (f"{CALLS} calls for one user each, without reasons, on one core", CALLS, plain),
    "explained-call": (f"{CALLS} calls for one user each, with reasons, on one core", CALLS, explained),
    "visitor-call": (f"{CALLS} calls for a visitor of {PICKS} picks each, on one core", CALLS, new_users),
    "batch": (f"A batch of {BATCH:,} users on all cores", BATCH, batch),
}


def whole(
    module: str, kinds: Sequence[str], ground: Ground, libraries: Mapping[str, Library], turns: int, excluded: str = ""
) -> list[Race]:
    """A race of each kind; every way asks a recommender of its own."""
    asked = {name: (library, ground.fresh()) for name, library in {OWN: {}, **libraries}.items()}
    found = []
    for kind in kinds:
        what, n, run = KINDS[kind]
        ways = {name: within(library, _of(run, mine, ground)) for name, (library, mine) in asked.items()}
        title = f"{what}, {ground.name}"
        name = f"{module}-{kind}{ground.suffix}"
        with one_core():  # the parts of a batch have a core each
            found.append(race(name, title, n, ways, turns, whole=True, excluded=excluded))
    return found


def _of(run: Asked, recommender: Recommender, ground: Ground) -> Callable[[], object]:
    return lambda: run(recommender, ground)
