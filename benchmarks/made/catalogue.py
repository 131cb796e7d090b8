"""A made catalogue: items of worded topics, with brands, prices, times and Zipf's popularity."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import numpy as np
import polars as pl
import yaml

from benchmarks.simulate import MOST_INTERESTS, SMALLEST_GROUP
from strata.data.history import DAY
from strata.data.schema import BRAND, CATEGORIES, CREATED, DESCRIPTION, ITEM, PRICE, REMOVED, TAGS, TIME, TITLE
from strata.errors import SettingsError

TOPIC_SIZE: Final = 20
"""Items that a topic has, on average, at least: small catalogues have fewer topics."""
YEARS: Final = 5.0
"""For so long items came before the year of events."""
LATE, LEFT = 0.2, 0.02
"""Shares of items that came within the year, and that left in its second half."""
COLD: Final = 0.03
"""Share of items that nobody ever chooses."""
ZIPF, HEAD = 0.9, 10.0
"""Popularity is (rank + HEAD) ** -ZIPF."""
BRANDS: Final = 6
"""Of each department."""
ADJECTIVES: Final = (
    "Classic", "Compact", "Handmade", "Lightweight", "Deluxe", "Vintage", "Modern", "Portable", "Essential", "Premium",
    "Simple", "Colourful", "Sturdy", "Small", "Large", "Quiet", "Folding", "Original", "Elegant", "Everyday",
)  # fmt: skip
USES: Final = ("beginners", "experts", "children", "travellers", "collectors", "small budgets", "gifts", "clubs")
SYLLABLES: Final = (
    "bar", "den", "fel", "gor", "hal", "jun", "kes", "lom", "mar", "nor", "pel", "quin", "ros", "sol", "tur", "vel",
    "wex", "yor", "zan", "ter",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Goods:
    """The catalogue as the generator of events needs it, one entry an item.

    `table`: as it is written. `topics` (n,): position in `names`. `popularity` (n,), 0 where nobody chooses it.
    `created`, `removed` (n,): seconds since 1970, the second infinite where it stays.
    """

    table: pl.DataFrame
    names: list[str]
    topics: np.ndarray
    popularity: np.ndarray
    created: np.ndarray
    removed: np.ndarray


def make_items(n: int, seed: int, time: float) -> Goods:
    """`n` items as they stand at `time` (seconds since 1970), the end of a year of events.

    Raises SettingsError for fewer items than a user's interests need topics.
    """
    departments, names, words = _vocabulary(n)
    rng = np.random.default_rng([seed, 0, 2])
    topics = _topics(rng, n, len(names))
    popularity = rng.permutation((np.arange(n) + HEAD) ** -ZIPF) * (rng.random(n) >= COLD)
    created = time - DAY * np.where(
        rng.random(n) < LATE, rng.uniform(1, 365, n), rng.uniform(365, 365 * (1 + YEARS), n)
    )
    removed = np.where(rng.random(n) < LEFT, time - DAY * rng.uniform(0, 182, n), np.inf)
    removed = np.where(removed > created, removed, np.inf)
    texts = _texts(rng, topics, departments, names, words)
    table = texts.select(
        pl.Series(ITEM, [f"i{row:07d}" for row in range(n)]),
        pl.all(),
        pl.Series(PRICE, _prices(rng, topics, len(names))),
        pl.Series(CREATED, (created * 1e6).astype(np.int64)).cast(TIME),
        pl.Series(REMOVED, [None if at == np.inf else int(at * 1e6) for at in removed], pl.Int64).cast(TIME),
    )
    return Goods(table, names, topics, popularity, created, removed)


def _vocabulary(n: int) -> tuple[list[str], list[str], list[list[str]]]:
    """Department, name and words of each topic that `n` items have: first one of each department."""
    if n < (least := MOST_INTERESTS * TOPIC_SIZE):
        raise SettingsError(f"{n} items are too few for {MOST_INTERESTS} interests a user; make {least} or more")
    text = files(__package__).joinpath("vocabulary.yaml").read_text(encoding="utf-8")
    each = [(nth, name, topic) for name, part in yaml.safe_load(text).items() for nth, topic in enumerate(part.items())]
    each = sorted(each, key=lambda topic: topic[0])[: n // TOPIC_SIZE]
    return [name for _, name, _ in each], [topic for *_, (topic, _) in each], [words for *_, (_, words) in each]


def _topics(rng: np.random.Generator, n: int, n_topics: int) -> np.ndarray:
    """Topic of each item: enough for each topic to hold interests, the others by a mild Zipf's law."""
    least = np.repeat(np.arange(n_topics), SMALLEST_GROUP + 2)
    shares = rng.permutation((np.arange(n_topics) + 3.0) ** -0.5)
    others = rng.choice(n_topics, n - len(least), p=shares / shares.sum())
    return rng.permutation(np.concatenate([least, others]))


def _prices(rng: np.random.Generator, topics: np.ndarray, n_topics: int) -> np.ndarray:
    usual = rng.lognormal(3, 0.8, n_topics)
    return np.round(usual[topics] * rng.lognormal(0, 0.4, len(topics)), 2)


def _texts(
    rng: np.random.Generator, topics: np.ndarray, departments: list[str], names: list[str], words: list[list[str]]
) -> pl.DataFrame:
    """Title, description, categories, tags and brand of each item, of the words of its topic."""
    brands = _brands(rng, sorted(set(departments)))
    rows = []
    for topic, adjective, use, brand in zip(
        topics,
        rng.choice(ADJECTIVES, len(topics)),
        rng.choice(USES, len(topics)),
        np.minimum(rng.zipf(1.7, len(topics)) - 1, BRANDS - 1),
        strict=True,
    ):
        what, *others = rng.permutation(words[topic])[:3]
        department, name = departments[topic], names[topic]
        description = f"Made for {name}. Goes well with {others[0]} and {others[1]}."
        title = f"{adjective} {what} for {use}"
        rows.append((title, description, [department, name], [str(what)], brands[department][brand]))
    return pl.DataFrame(rows, schema=[TITLE, DESCRIPTION, CATEGORIES, TAGS, BRAND], orient="row")


def _brands(rng: np.random.Generator, departments: list[str]) -> dict[str, list[str]]:
    """Invented names, each of one department."""
    places = rng.choice(len(SYLLABLES) ** 2, BRANDS * len(departments), replace=False)
    made = ["".join(SYLLABLES[part] for part in divmod(int(place), len(SYLLABLES))).capitalize() for place in places]
    return {name: made[nth * BRANDS : (nth + 1) * BRANDS] for nth, name in enumerate(departments)}
