"""Weights: what a rating and an amount make of an event, what is a choice, and which amounts count for nothing."""

import math
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from strata.data.cleaning import CleaningSettings
from strata.data.parts import Parts
from strata.data.schema import BEHAVIOURS, INTERACTIONS
from strata.data.weights import AmountSettings, RatingSettings, largest, look_at_amounts, weigh

WEIGHTS = {**dict.fromkeys(BEHAVIOURS, 1.0), "view": 0.2, "hide": -1.0}
PURCHASES = {"purchase": AmountSettings(by="value")}


def events(*rows: tuple[str, float | None, float | None]) -> pl.DataFrame:
    """Events of (behaviour, value, seconds)."""
    given = [dict(zip(("behaviour", "value", "dwell_s"), row, strict=True)) for row in rows]
    return pl.DataFrame(given, {name: INTERACTIONS[name] for name in ("behaviour", "value", "dwell_s")})


@pytest.mark.parametrize("low_is_choice", [True, False])
def test_a_low_rating_speaks_against_and_counts_as_a_choice_where_the_settings_say_so(*, low_is_choice: bool) -> None:
    rated = events(("rate", 1, None), ("rate", 2, None), ("rate", 2.5, None), ("rate", 5, None), ("rate", None, None))
    found = weigh(rated, WEIGHTS, RatingSettings(low_is_choice=low_is_choice), {})
    assert found["weight"].to_list() == pytest.approx([-1, -1 / 3, 0, 1, 1])
    assert found["chosen"].to_list() == [low_is_choice, low_is_choice, True, True, True]


@pytest.mark.parametrize("low_is_choice", [True, False])
def test_what_was_hidden_is_never_a_choice(*, low_is_choice: bool) -> None:
    seen = events(("hide", None, None), ("hide", 5, None), ("view", 1, None))
    found = weigh(seen, WEIGHTS, RatingSettings(low_is_choice=low_is_choice), {})
    assert found.select("weight", "chosen").rows() == [(-1, False), (-1, False), (pytest.approx(0.2), True)]


def test_an_event_counts_more_by_the_logarithm_of_its_amount_and_never_more_than_most() -> None:
    plays = events(*(("purchase", n, None) for n in (None, 0, -3, 2, 2, 2, 6, 13_883)), ("view", 13_883, None))
    found = weigh(plays, WEIGHTS, RatingSettings(), PURCHASES)
    assert found["weight"].to_list() == pytest.approx([1, 1, 1, 2, 2, 2, 3, 4, 0.2])
    assert largest(WEIGHTS, PURCHASES) == 4
    assert largest(WEIGHTS, {}) == 1


def test_seconds_strengthen_what_they_are_said_to_and_against_too() -> None:
    amounts = {"view": AmountSettings(by="dwell_s", most=2.5), "hide": AmountSettings(by="dwell_s")}
    seen = events(("view", 9, 30), ("view", 9, 3000), ("view", 9, 3), ("hide", None, 8))
    found = weigh(seen, WEIGHTS, RatingSettings(), amounts)
    assert found["weight"].to_list() == pytest.approx([0.4, 0.5, 0.2 * (1 + math.log2(1.1)), -2])


def test_without_any_amount_weights_stay_and_that_is_said() -> None:
    bought = events(("purchase", None, None), ("purchase", None, 3))
    assert weigh(bought, WEIGHTS, RatingSettings(), PURCHASES)["weight"].to_list() == [1, 1]
    said = [str(finding) for finding in look_at_amounts(Parts.of(bought), PURCHASES)]
    assert said == [
        "purchase has no value above 0 that could strengthen it (2; column value); "
        "take purchase out of cleaning.amounts, or name the column of source.interactions that has the amount",
    ]


def test_amounts_that_are_not_used_or_below_0_are_said_with_the_setting() -> None:
    mixed = events(
        ("rate", 1, None), ("rate", 5, None), ("purchase", 1, None), ("purchase", -2, None), ("purchase", None, None),
        ("view", 1, 20), ("view", 1, 30),
    )  # fmt: skip
    assert [str(finding) for finding in look_at_amounts(Parts.of(mixed), {})] == [
        "value of purchase is not used (2 of 3, 66.7%; column value; such as '1'); "
        "set cleaning.amounts: {purchase: {by: value}} where more of it means more interest",
        "dwell_s of view is not used (2 of 2, 100.0%; column dwell_s; such as '30'); "
        "set cleaning.amounts: {view: {by: dwell_s}} where more of it means more interest",
    ]
    used = PURCHASES | {"view": AmountSettings(by="dwell_s")}
    assert [finding.what for finding in look_at_amounts(Parts.of(mixed), used)] == [
        "value of purchase is below 0: counted as 0"
    ]


@pytest.mark.parametrize(
    ("amounts", "message"),
    [
        ({"rate": {"by": "value"}}, "the value of rate is a rating, no amount; see rating"),
        ({"purchase": {"by": "price"}}, "Input should be 'value' or 'dwell_s'"),
        ({"view": {"by": "dwell_s", "most": 0.5}}, "greater than or equal to 1"),
    ],
)
def test_amounts_that_make_no_sense_are_refused(amounts: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CleaningSettings(weights=WEIGHTS, amounts=amounts)
