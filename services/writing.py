"""Summaries on demand: shipped with the release, known already, or worded within a moment; else the template's."""

import os
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from functools import lru_cache
from threading import BoundedSemaphore

from services.errors import log_without_values
from services.releases import folder_of
from services.settings import ServiceSettings
from strata.errors import StrataError
from strata.generation.evidence import Evidence
from strata.generation.gathering import language_of, summary_evidence, topical_words
from strata.generation.generators import generator_of
from strata.generation.settings import GenerateSettings
from strata.generation.templates import template
from strata.generation.writer import Writer
from strata.interests.levels import Levels
from strata.recommendation.recommender import Recommender
from strata.release.layout import Part
from strata.settings import read_settings

_PEN = ThreadPoolExecutor(1, "write")
"""One text at a time: a local model takes all of a worker's cores, and an endpoint waits."""
_PLACES = BoundedSemaphore(32)
"""For texts that wait for it; where all are taken the template speaks at once."""
_WRITERS: dict[str, Writer] = {}
"""By release, those that hold texts and a generator."""


@lru_cache(maxsize=2)
def _settings(release_id: str) -> GenerateSettings:
    """The section `generate` of a release's params.yaml; the defaults, a template, where it has none."""
    params = folder_of(release_id, ServiceSettings.from_environment()) / Part.PARAMS
    try:
        return read_settings(GenerateSettings, "generate", params)
    except StrataError:  # a release of before
        return GenerateSettings()


def written(evidence: Evidence, release: Recommender) -> str:
    """A text of the evidence, within `generate.wait` seconds; what comes later is shown the next time."""
    if (shipped := release.wording.texts.get(evidence.screened().key)) is not None:
        return shipped
    settings, writer = _settings(release.manifest.id), _WRITERS.get(release.manifest.id)
    if writer is not None and (known := writer.known(evidence)) is not None:
        return known.text
    if settings.method == "template" or evidence.language not in settings.speaks:
        return template(evidence.screened())
    if not _PLACES.acquire(blocking=False):
        return template(evidence.screened())
    job = _PEN.submit(_write, evidence, release, settings)
    job.add_done_callback(lambda _: _PLACES.release())
    try:
        return job.result(settings.wait)
    except TookTooLong:
        return template(evidence.screened())


def summary_of(levels: Levels, release: Recommender) -> str:
    """A profile in a sentence or two; "" where there is nothing to say."""
    language = language_of(release.catalogue.items, _settings(release.manifest.id).language)
    points = levels.points.iter_rows(named=True)
    return written(summary_evidence(points, release.catalogue, language, levels.stated, timed=release.timed), release)


def _write(evidence: Evidence, release: Recommender, settings: GenerateSettings) -> str:
    try:
        return _writer(release, settings).write([evidence])[0].text
    except StrataError as error:  # a wrong key or model must not stop answers
        log_without_values(error)
        return template(evidence.screened())


def _writer(release: Recommender, settings: GenerateSettings) -> Writer:
    """The writer of a release, made in the pen's thread, where loading a model keeps nobody waiting."""
    if (writer := _WRITERS.get(release.manifest.id)) is None:
        items = release.catalogue.items
        topical = topical_words(items, language_of(items, settings.language))
        writer = Writer(settings, generator_of(settings, os.environ), topical=topical)
        _WRITERS.clear()  # those of former releases
        _WRITERS[release.manifest.id] = writer
    return writer
