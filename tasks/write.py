"""Stage write: names of topics and summaries of profiles, worded by a generator; nothing where the template speaks."""

import os
from collections.abc import Iterator
from typing import Any

import polars as pl

from strata.data.schema import USER
from strata.generation.cache import TextCache
from strata.generation.evidence import Evidence
from strata.generation.gathering import language_of, name_evidence, summary_evidence, topical_words
from strata.generation.generators import generator_of
from strata.generation.settings import GenerateSettings
from strata.generation.writer import Writer
from strata.interests.levels import stated_by
from strata.interests.profiles import Profiles
from strata.interests.settings import tier_settings
from strata.interests.themes import Themes
from strata.interests.wording import SCHEMA, write_wording
from strata.settings import read_settings
from strata.storage import write_json
from tasks import TABLES, TEXT_CACHE, run
from tasks.inputs import Inputs, folder
from tasks.reporting import progress, say

AT_ONCE = 32
"""Texts between two steps of the progress bar."""
Job = tuple[str, str, Evidence]
"""Task, id of the topic or user, evidence."""


def main() -> None:
    """Write the texts, and how many a generator wrote, beside why the others were refused."""
    settings = read_settings(GenerateSettings, "generate")
    rows: list[dict[str, str]] = []
    writer = Writer(settings, generator_of(settings, os.environ), TextCache(TEXT_CACHE))
    if writer.generator is not None:
        inputs = Inputs()
        items = inputs.catalogue.items
        language = language_of(items, settings.language)
        writer.topical = topical_words(items, language)
        jobs = [*_topics(inputs, settings), *_users(inputs, settings)]
        with progress("write", len(jobs), "texts") as step:
            for start in range(0, len(jobs), AT_ONCE):
                part = jobs[start : start + AT_ONCE]
                rows += _rows(part, writer)
                step(len(part))
    wording = folder("live") / "wording"
    write_wording(pl.DataFrame(rows, schema=SCHEMA), wording)
    write_json(dict(sorted(writer.counts.items())), wording / "counts.json")
    say(f"{settings.method}: {len(rows):,} texts; {dict(writer.counts) or 'the template speaks'}")


def _rows(jobs: list[Job], writer: Writer) -> Iterator[dict[str, str]]:
    """Rows of the texts that a generator wrote; the template's are made when they are asked for."""
    for (task, about, evidence), written in zip(jobs, writer.write([job[2] for job in jobs]), strict=True):
        if written.by == "generator":
            yield {"key": evidence.screened().key, "task": task, "about": about, "text": written.text}


def _topics(inputs: Inputs, settings: GenerateSettings) -> Iterator[Job]:
    if settings.topics:
        language = language_of(inputs.catalogue.items, settings.language)
        for topic in Themes.read(folder("live") / "themes").at("topic").iter_rows(named=True):
            yield "name", topic["id"], name_evidence(topic, inputs.catalogue, language)


def _users(inputs: Inputs, settings: GenerateSettings) -> Iterator[Job]:
    """The users with the most interests first, `settings.users` of them."""
    if not settings.users:
        return
    language = language_of(inputs.catalogue.items, settings.language)
    table = Profiles.read(folder("live") / "profiles").table
    counted = table.group_by(USER).len().sort("len", USER, descending=[True, False]).head(settings.users)
    timed = tier_settings().timed
    accounts: dict[str, dict[str, Any]] = {
        row[USER]: row for row in pl.read_parquet(TABLES / "users.parquet").iter_rows(named=True)
    }
    for user in counted[USER].to_list():
        points = table.filter(pl.col(USER) == user).iter_rows(named=True)
        stated = stated_by(accounts[user])
        yield "summary", user, summary_evidence(points, inputs.catalogue, language, stated, timed=timed)


if __name__ == "__main__":
    run(main)
