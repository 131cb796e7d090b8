"""A profile in a sentence or two, as `strata user` shows it."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strata.generation.settings import GenerateSettings
    from strata.interests.levels import Levels
    from strata.recommendation.recommender import Recommender


def summary_of(levels: "Levels", recommender: "Recommender", release: Path, generate: bool) -> str:
    """The summary that ships with the release, else a generator's where `generate` says so, else the template's.

    Raises SettingsError and EncoderError where the generator of the release's params.yaml cannot be used.
    """
    import os

    from strata.generation.gathering import language_of, summary_evidence, topical_words
    from strata.generation.generators import generator_of
    from strata.generation.templates import template
    from strata.generation.writer import Writer

    settings, items = _settings(release), recommender.catalogue.items
    language = language_of(items, settings.language)
    points = levels.points.iter_rows(named=True)
    evidence = summary_evidence(points, recommender.catalogue, language, levels.stated, timed=recommender.timed)
    if (shipped := recommender.wording.texts.get(evidence.screened().key)) is not None:
        return shipped
    if not generate:
        return template(evidence.screened())
    writer = Writer(settings, generator_of(settings, os.environ), topical=topical_words(items, language))
    return writer.write([evidence])[0].text


def _settings(release: Path) -> "GenerateSettings":
    """The section of the workspace's params.yaml, where there is one, else the release's, else defaults."""
    from strata.errors import SettingsError
    from strata.generation.settings import GenerateSettings
    from strata.release.layout import Part
    from strata.settings import read_settings

    for params in (Path("params.yaml"), release / Part.PARAMS):
        try:
            return read_settings(GenerateSettings, "generate", params)
        except SettingsError as error:
            if params.exists() and "is missing" not in str(error):
                raise
    return GenerateSettings()
