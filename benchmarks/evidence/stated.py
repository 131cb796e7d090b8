"""Whether a profile text states what it says and nothing else: texts of other people at random, and planted ones."""

from dataclasses import replace

import numpy as np
import polars as pl

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled, share
from benchmarks.evidence.standing import standing
from strata.data.history import as_date
from strata.data.schema import LEVELS
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.space import InterestSpace
from strata.interests.statements import FEWEST, Statements
from strata.interests.themes import Themes
from strata.settings import read_settings
from strata.storage import read_array

PLANTED = "I am interested in {}."
USERS = 300
"""Most users whose points are judged."""


def rows(context: Context) -> list[Row]:
    """Rows stated-random and stated-true, of users with points at the backtest cut-off."""
    artifacts, time = context.folder / "artifacts", context.cut_offs.backtest
    space = InterestSpace.read(artifacts / "models" / "backtest" / "space")
    themes = Themes.read(artifacts / "models" / "backtest" / "themes")
    writers = np.asarray(read_array(artifacts / "vectors" / "profile_text_users.npy"))
    if len(np.unique(writers)) < FEWEST:
        context.say(f"fewer than {FEWEST} people wrote a text of themselves")
        return []
    everybody = Statements.of(writers, space.of_texts(read_array(artifacts / "vectors" / "profile_texts.npy")))
    past = context.history.before(time)
    users = np.random.default_rng(SEED).permutation(past.active_users())[:USERS]
    at = standing(context, past.keep(np.isin(past.users, users)), time)
    owner, topics = at.points.users[at.kept], context.topics["backtest"][at.points.medoids[at.kept]]
    points, centres = np.arange(len(owner)), themes.centres(LEVELS[0])[topics]
    settings = read_settings(EncoderSettings, "encoder", context.folder / "params.yaml")
    phrases = themes.at(LEVELS[0])["phrases"].to_list()
    said = [PLANTED.format(" and ".join(phrases[topic][:2])) for topic in topics]
    vectors = space.of_texts(Encoder.load(artifacts / "encoder", settings).encode(said))
    planted = replace(everybody, users=np.arange(len(said)), vectors=vectors)
    date = as_date(time)
    return [
        _row("stated-random", f"Points at {date}: share that the text of another person, drawn at random, states",
             owner, others_at_random(everybody, owner).support(points, centres, context.settings)),
        _row("stated-true", f"Points at {date}: share that is found stated by '{PLANTED.format('its topic')}', planted",
             owner, planted.support(points, centres, context.settings)),
    ]  # fmt: skip


def others_at_random(everybody: Statements, owner: np.ndarray) -> Statements:
    """For each point (P,) of an `owner`, as if it had a user of its own, the clauses of anybody else's text."""
    writers = np.unique(everybody.users)
    drawn = np.random.default_rng(SEED).integers(len(writers) - 1, size=len(owner))
    drawn += writers[drawn] >= owner  # nobody's own text
    drawn = np.minimum(drawn, len(writers) - 1)
    start, stop = (np.searchsorted(everybody.users, writers[drawn], side) for side in ("left", "right"))
    rows = np.concatenate([np.arange(first, last) for first, last in zip(start, stop, strict=True)])
    return replace(everybody, users=np.repeat(np.arange(len(owner)), stop - start), vectors=everybody.vectors[rows])


def _row(name: str, what: str, owner: np.ndarray, stated: np.ndarray) -> Row:
    sums = np.stack([np.bincount(owner, stated), np.bincount(owner)], axis=1)
    sums = sums[sums[:, 1] > 0]
    table = pl.DataFrame(sums, schema=["stated", "points"])
    return Row.of(name, f"{what}: stated / points.", pooled(sums, share), "share", len(sums), per_user=table)
