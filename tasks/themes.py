"""Stage themes@CUT_OFF: the catalogue as it was then, grouped into named topics, categories and themes."""

from strata.phrases import Phrases
from strata.schema import CUT_OFFS
from strata.settings import read_settings
from strata.themes import LEVELS, ThemeSettings, learn_themes
from tasks import run
from tasks.inputs import Inputs, folder
from tasks.reporting import say


def main(cut_off: str) -> None:
    """Learn and name the themes."""
    inputs = Inputs()
    settings = read_settings(ThemeSettings, "themes")
    known = inputs.catalogue.available(inputs.time(cut_off), inputs.history)
    themes = learn_themes(inputs.vectors, known, Phrases(inputs.catalogue.items), settings)
    themes.write(folder(cut_off) / "themes")
    counts = ", ".join(f"{len(themes.names(level))} at level {level}" for level in LEVELS)
    say(f"{cut_off}: {known.sum():,} items in {counts}; themes: {'; '.join(themes.names('theme')[:8])}")


if __name__ == "__main__":
    run(main, one_of=CUT_OFFS)
