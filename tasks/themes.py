"""Stage themes@CUT_OFF: the catalogue as it was then, grouped into named topics, categories and themes."""

from pathlib import Path

import numpy as np

from strata.data.schema import CUT_OFFS, LEVELS
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.interests.anchors import Anchors, match_anchors
from strata.interests.naming import Namer
from strata.interests.segmenting import lacking
from strata.interests.theme_map import theme_map
from strata.interests.themes import ThemeSettings, learn_themes
from strata.settings import read_settings
from strata.storage import write_table
from tasks import ENCODER, run
from tasks.inputs import Inputs, folder
from tasks.reporting import say
from tasks.spaces import space_of

ANCHORS = Path("anchors")
"""Groups of the last release, kept by the release flow; they know the test period, so only `live` may use them."""


def main(cut_off: str) -> None:
    """Learn and name the themes; those of `live` get a map, and keep ids and names from the last release."""
    inputs = Inputs()
    settings = read_settings(ThemeSettings, "themes")
    known = inputs.catalogue.available(inputs.time(cut_off), inputs.history)
    anchors = Anchors.read(ANCHORS) if cut_off == "live" and (ANCHORS / "themes.parquet").exists() else None
    space = space_of(cut_off)
    former = None if anchors is None else anchors.topics(space.vectors, inputs.catalogue.items)
    chosen = np.bincount(inputs.history.before(inputs.time(cut_off)).positive().items, minlength=len(inputs.catalogue))
    encoder = Encoder.load(ENCODER, read_settings(EncoderSettings, "encoder"))
    if cut_off == "live" and (said := lacking(inputs.catalogue.items)) is not None:
        say(said)
    namer = Namer.of(inputs.catalogue.items, chosen, lambda phrases: space.of_texts(encoder.encode(phrases)))
    themes = learn_themes(space.vectors, known, namer, settings, former)
    if anchors is not None:
        themes = match_anchors(themes, anchors, inputs.catalogue.items, namer)
        retired = anchors.retired_by(themes)
        say(f"{cut_off}: of the last release's groups {len(retired)} are gone: {', '.join(retired[:8]) or 'none'}")
    themes.write(folder(cut_off) / "themes")
    if cut_off == "live":
        write_table(theme_map(themes), folder(cut_off) / "themes" / "map.parquet")
    counts = ", ".join(f"{len(themes.names(level))} at level {level}" for level in LEVELS)
    say(f"{cut_off}: {known.sum():,} items in {counts}; themes: {'; '.join(themes.names('theme')[:8])}")


if __name__ == "__main__":
    run(main, one_of=CUT_OFFS)
