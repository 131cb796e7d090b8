"""A tiny release whose texts an endpoint writes."""

from pathlib import Path

import numpy as np
import yaml

from strata.data.history import DAY, History
from strata.release.layout import Part
from strata.release.manifest import write_release
from tests.strategies import N_ITEMS, N_USERS, TIME
from tests.tiny_recommender import write_tiny_release


def release_written_at(url: str, folder: Path, wait: float = 1.0) -> Path:
    """Write the release, of which `generate` asks the endpoint at `url`; returns its folder."""
    weeks = TIME - np.arange(20) * 7 * DAY - DAY
    users, items = np.repeat([0, 1], 40), np.tile(np.repeat([0, 1], 20), 2)
    counts = {"n_users": N_USERS, "n_items": N_ITEMS}
    history = History.from_columns(users, items, np.tile(weeks, 4), np.ones(80), **counts)
    write_tiny_release(folder, history)
    params = folder / "parts" / Part.PARAMS
    content = yaml.safe_load(params.read_text(encoding="utf-8"))
    content["generate"] |= {
        "method": "endpoint",
        "url": url,
        "wait": wait,
        "retries": 0,
        "attempts": 1,
        "language": "en",
    }
    params.write_text(yaml.safe_dump(content), encoding="utf-8")
    write_release(folder / "release", {part.name: part for part in params.parent.iterdir()}, versions={}, metrics={})
    return folder / "release"
