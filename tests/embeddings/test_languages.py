"""A catalogue in another language gets a model that reads it, and a line that says so."""

import polars as pl
import pytest

from strata.data.sources.packages import RESOURCES
from strata.embeddings.languages import ENGLISH, MULTILINGUAL, READ, encoder_for, misread
from strata.errors import SettingsError


@pytest.mark.parametrize(("language", "base"), [("zh", MULTILINGUAL), ("zh-CN", MULTILINGUAL), ("EN_us", ENGLISH)])
def test_a_language_names_a_packaged_model(language: str, base: str) -> None:
    assert encoder_for(language) == base
    assert RESOURCES[base].kind == "model"


def test_a_language_that_no_model_reads_is_refused() -> None:
    assert all(encoder_for(language) in RESOURCES for language in READ)
    with pytest.raises(SettingsError, match=r"read 'tlh' .* encoder\.base a folder"):
        encoder_for("tlh")


def test_what_a_model_misreads_is_told_with_the_model_that_reads_it() -> None:
    mixed = pl.Series(["zh"] * 6 + ["en"] * 3 + ["ja", None])
    said = misread(mixed, ENGLISH)
    assert said is not None
    assert "7 of 10 items are not in English (60% zh, 10% ja)" in said
    assert MULTILINGUAL in said


@pytest.mark.parametrize(
    ("languages", "base"),
    [(["zh"] * 9, MULTILINGUAL), (["en"] * 9 + ["fr"], ENGLISH), ([None, None], ENGLISH), (["zh"] * 9, "my/folder")],
)
def test_nothing_is_told_of_a_model_that_reads_them(languages: list[str | None], base: str) -> None:
    assert misread(pl.Series(languages, dtype=pl.String), base) is None
