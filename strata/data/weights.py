"""Weights of events: what a behaviour, a rating and an amount say for or against an item, and what is a choice."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal, Self

import polars as pl
from pydantic import AfterValidator, Field, model_validator

from strata.data.parts import Parts
from strata.data.schema import BEHAVIOUR, BEHAVIOURS, CHOSEN, DWELL, VALUE, WEIGHT, Behaviour
from strata.data.sources.finding import Finding
from strata.settings import Settings

RATE: Final = "rate"


class RatingSettings(Settings):
    """The scale of ratings: the weight of a rating runs from -1 to 1, through 0 at neutral."""

    lowest: float = 1.0
    highest: float = 5.0
    neutral: float = 2.5
    low_is_choice: bool = True
    """Whether a rating below neutral counts as a choice, as published protocols have it: for models, labels and
    relevance. It speaks against its item in any case."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.lowest < self.neutral < self.highest:
            raise ValueError("neutral must lie between lowest and highest")
        return self

    def share(self, value: pl.Expr) -> pl.Expr:
        """What a rating says, from -1 to 1; values beyond the scale say what its ends do."""
        distance = value - self.neutral
        above, below = self.highest - self.neutral, self.neutral - self.lowest
        return pl.when(distance >= 0).then(distance / above).otherwise(distance / below).clip(-1, 1)


class AmountSettings(Settings):
    """How an amount strengthens events of a behaviour: plays, a quantity, seconds."""

    by: Literal["value", "dwell_s"]
    """The column that has the amount."""
    most: float = Field(default=4.0, ge=1)
    """Times its weight that an event counts, at most: one of thousands of plays is not everything."""

    def factor(self, amount: pl.Expr, median: float) -> pl.Expr:
        """min(1 + log2(1 + amount / median), most): 1 without an amount, 2 at the median, 3 at three medians."""
        return (1 + (amount.clip(0).fill_null(0) / median).log1p() / pl.lit(2.0).log()).clip(upper_bound=self.most)


def _complete(weights: dict[Behaviour, float]) -> dict[Behaviour, float]:
    if missing := [behaviour for behaviour in BEHAVIOURS if behaviour not in weights]:
        raise ValueError(f"weights lack {', '.join(missing)}; give each behaviour a weight, 0 to ignore it")
    return weights


def _no_ratings(amounts: dict[Behaviour, AmountSettings]) -> dict[Behaviour, AmountSettings]:
    if any(amount.by == VALUE for behaviour, amount in amounts.items() if behaviour == RATE):
        raise ValueError("the value of rate is a rating, no amount; see rating")
    return amounts


BehaviourWeights = Annotated[dict[Behaviour, float], AfterValidator(_complete)]
Amounts = Annotated[dict[Behaviour, AmountSettings], AfterValidator(_no_ratings)]


def weigh(
    rows: pl.DataFrame,
    weights: Mapping[Behaviour, float],
    rating: RatingSettings,
    amounts: Mapping[Behaviour, AmountSettings],
    usual: Mapping[Behaviour, float] | None = None,
) -> pl.DataFrame:
    """Events (behaviour, value, and the columns of amounts) with the columns weight and chosen.

    An event weighs what its behaviour does, times what its rating says or by how much its amount strengthens it. It is
    no choice where the behaviour's weight is below 0, nor where the rating is below neutral unless that counts as one.
    `usual`: medians of the amounts, where `rows` are not all; else their own.
    """
    usual = medians(Parts.of(rows), amounts) if usual is None else usual
    behaviour = pl.col(BEHAVIOUR)
    rated, share = (behaviour == RATE) & pl.col(VALUE).is_not_null(), rating.share(pl.col(VALUE))
    weight = behaviour.replace_strict(dict(weights), return_dtype=pl.Float64)
    weight = pl.when(rated).then(weight * share).otherwise(weight)
    for name, amount in amounts.items():
        if name in usual:
            factor = amount.factor(pl.col(amount.by), usual[name])
            weight = pl.when(behaviour == name).then(weight * factor).otherwise(weight)
    against = [name for name, of_behaviour in weights.items() if of_behaviour < 0]
    chosen = ~behaviour.is_in(against)
    if not rating.low_is_choice:
        chosen &= ~(rated & (share < 0))
    return rows.with_columns(weight.cast(pl.Float32).alias(WEIGHT), chosen.alias(CHOSEN))


def medians(events: Parts, amounts: Mapping[Behaviour, AmountSettings]) -> dict[Behaviour, float]:
    """The median of each behaviour's amounts above 0; those that have none are left out."""
    found = {}
    for name, amount in amounts.items():
        above = (pl.col(BEHAVIOUR) == name) & (pl.col(amount.by) > 0)
        values = events.each(lambda part, by=amount.by, above=above: part.select(pl.col(by).filter(above)))  # type: ignore[misc]
        median = values.select(pl.first().median()).item()
        if median is not None:
            found[name] = float(median)
    return found


def look_at_amounts(events: Parts, amounts: Mapping[Behaviour, AmountSettings]) -> list[Finding]:
    """What of the events' amounts strengthens nothing, or not as the settings ask."""
    found = list(_unused(events, amounts))
    for name, amount in amounts.items():
        found += _odd(events, name, amount)
    return found


def largest(weights: Mapping[Behaviour, float], amounts: Mapping[Behaviour, AmountSettings]) -> float:
    """The farthest from 0 that the weight of an event can be."""
    return max(abs(weight) * (amounts[name].most if name in amounts else 1) for name, weight in weights.items())


def _unused(events: Parts, amounts: Mapping[Behaviour, AmountSettings]) -> Iterator[Finding]:
    """Amounts that strengthen nothing, by column and behaviour; equal ones throughout say nothing and are no loss."""
    for column in (VALUE, DWELL):
        used: list[str] = [*amounts]  # one amount strengthens a behaviour, and the settings say which
        used += [RATE] if column == VALUE else []
        kinds = events.each(
            lambda part, column=column, used=used: part.filter(~pl.col(BEHAVIOUR).is_in(used)).group_by(BEHAVIOUR).agg(  # type: ignore[misc]
                n=pl.col(column).count(), of=pl.len(), most=pl.col(column).max(), least=pl.col(column).min()
            )
        ).group_by(BEHAVIOUR).agg(pl.col("n", "of").sum(), pl.col("most").max(), pl.col("least").min())  # fmt: skip
        for name, n, of, most, least in kinds.filter(pl.col("n") > 0).sort(BEHAVIOUR).iter_rows():
            if least < most:
                yield Finding(
                    f"{column} of {name} is not used", n, of, column, f"{most:g}",
                    f"set cleaning.amounts: {{{name}: {{by: {column}}}}} where more of it means more interest",
                )  # fmt: skip


def _odd(events: Parts, name: str, amount: AmountSettings) -> Iterator[Finding]:
    """What of the amounts of one behaviour does not strengthen as the settings ask."""
    value, here = pl.col(amount.by), pl.col(BEHAVIOUR) == name
    facts = events.each(
        lambda part: part.filter(here).select(
            pl.len(), above=(value > 0).sum(), below=(value < 0).sum(), lowest=value.min()
        )
    )
    rows, above, below = (int(facts[each].sum()) for each in ("len", "above", "below"))
    if rows and not above:
        remedy = f"take {name} out of cleaning.amounts, or name the column of source.interactions that has the amount"
        yield Finding(f"{name} has no {amount.by} above 0 that could strengthen it", rows, column=amount.by,
                      remedy=remedy)  # fmt: skip
    elif below:
        lowest = float(facts["lowest"].min())  # type: ignore[arg-type]
        yield Finding(f"{amount.by} of {name} is below 0: counted as 0", below, rows, amount.by, f"{lowest:g}")
