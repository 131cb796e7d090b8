"""Stage embed: vectors of items, tuned and zero-shot, and of the clauses of users' profile texts."""

import numpy as np
import polars as pl
from rich.progress import Progress

from strata.data.schema import PROFILE_TEXT
from strata.embeddings.encoder import Encoder, EncoderSettings, require_watched
from strata.embeddings.item_text import item_texts
from strata.language.opinions import things
from strata.settings import read_settings
from strata.storage import write_array
from tasks import ENCODER, TABLES, VECTORS, run


def main() -> None:
    """Encode the item texts with both models; of profile texts, with the tuned one, what each clause is about.

    Clauses that speak against something state nothing.
    """
    settings = read_settings(EncoderSettings, "encoder")
    require_watched(settings)
    texts = item_texts(pl.read_parquet(TABLES / "items.parquet"))
    profiles = pl.read_parquet(TABLES / "users.parquet", columns=[PROFILE_TEXT])[PROFILE_TEXT].to_list()
    said = [(row, each.about) for row, text in enumerate(profiles) if text for each in things([text]) if each.may_want]
    tuned = Encoder.load(ENCODER, settings)
    write_array(_encode(tuned, texts, "items"), VECTORS / "items.npy")
    write_array(_encode(tuned, [clause for _, clause in said], "profile texts"), VECTORS / "profile_texts.npy")
    write_array(np.array([row for row, _ in said], np.int32), VECTORS / "profile_text_users.npy")
    base = Encoder.load(settings.base, settings)
    write_array(_encode(base, texts, "items, zero-shot"), VECTORS / "zero_shot.npy")


def _encode(encoder: Encoder, texts: list[str], what: str) -> np.ndarray:
    with Progress() as bar:
        task = bar.add_task(what, total=len(texts))
        return encoder.encode(texts, lambda done, total: bar.update(task, completed=done, total=total))


if __name__ == "__main__":
    run(main)
