"""Random but valid histories, vectors and catalogues for property tests."""

import numpy as np
import polars as pl
from hypothesis import strategies as st

from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History
from strata.data.schema import ITEMS
from strata.embeddings.space import InterestSpace
from strata.embeddings.vectors import unit
from strata.interests.naming import Namer
from strata.interests.profiling import Profiler
from strata.interests.settings import TierSettings
from strata.interests.themes import Themes, ThemeSettings, learn_themes

N_USERS, N_ITEMS, DIMENSION = 4, 12, 5
USER_IDS = [f"u{n}" for n in range(N_USERS)]
TIME = 1_000 * DAY


@st.composite
def histories(draw: st.DrawFn, *, positive: bool = False) -> History:
    """Up to 40 events of 4 users on 12 items in the 400 days before TIME; unless `positive`, some speak against."""
    n = draw(st.integers(1, 40))
    lowest = 0.125 if positive else -1.0
    column = lambda values: draw(st.lists(values, min_size=n, max_size=n))  # noqa: E731
    users, items = column(st.integers(0, N_USERS - 1)), column(st.integers(0, N_ITEMS - 1))
    days, weights = np.array(column(st.integers(1, 400))), np.array(column(st.floats(lowest, 1.0, width=32)))
    hidden = np.array(column(st.booleans())) & (weights < 0) & (np.arange(n) > 0)
    return History.from_columns(
        np.array(users),
        np.array(items),
        TIME - days * DAY,
        weights,
        ~hidden,
        n_users=N_USERS,
        n_items=N_ITEMS,
    )


def catalogue() -> pl.DataFrame:
    """Twelve items of three kinds."""
    kinds = ["garden", "music", "travel"]
    rows = [
        {"item_id": f"i{n:02d}", "title": f"{kinds[n % 3]} piece {n}", "categories": [kinds[n % 3]]}
        for n in range(N_ITEMS)
    ]
    return pl.DataFrame([{name: row.get(name) for name in ITEMS} for row in rows], schema=ITEMS)


def vectors() -> np.ndarray:
    """Unit vectors that cluster by kind."""
    rng = np.random.default_rng(3)
    centres = np.eye(DIMENSION)[[n % 3 for n in range(N_ITEMS)]]
    return unit(centres + 0.1 * rng.normal(size=(N_ITEMS, DIMENSION)))


def themes() -> Themes:
    """The groups of this catalogue."""
    return learn_themes(vectors(), np.ones(N_ITEMS, bool), Namer.of(catalogue()), ThemeSettings(smallest=2))


def text_space(texts: np.ndarray) -> InterestSpace:
    """The space of unit text vectors (n_items, t) as they are."""
    t = texts.shape[1]
    return InterestSpace(texts, np.zeros(t, np.float32), np.zeros((t, 0), np.float32), 0.0, 0.0)


def profiler(settings: TierSettings) -> Profiler:
    """What makes profiles over this catalogue."""
    space = text_space(vectors())
    return Profiler.of(Catalogue(catalogue()), space, themes(), settings)
