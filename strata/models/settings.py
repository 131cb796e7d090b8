"""Grids that collaborative models are tuned over, and their fixed settings."""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from strata.settings import Settings

Numbers = Annotated[tuple[Annotated[int | float, Field(ge=0)], ...], Field(min_length=1)]
"""Values to try. Whole numbers stay whole: they are written down as they stand in params.yaml."""
Counts = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
HalfLives = Annotated[tuple[PositiveFloat | None, ...], Field(min_length=1)]
"""Later events of the same user, or days where the name says so, after which an event counts half; null: never."""


class WindowGrid(Settings):
    """Popularity in a recent window."""

    window_days: Numbers
    """Length of the window before the cut-off."""


class ItemKnnGrid(Settings):
    """Item-kNN, and association rules."""

    half_life: HalfLives
    shrink: Numbers
    """Added to the divisor of an item pair's weight, so that pairs seen a few times weigh little."""


class UserKnnGrid(Settings):
    """User-kNN."""

    neighbours: Counts
    """Neighbours of each user."""
    half_life_days: HalfLives
    """Of a choice; null: histories are binary, without counts and decay."""


class EaseGrid(Settings):
    """EASE."""

    penalty: Numbers
    """L2 regularisation of the items' regression."""
    half_life: HalfLives


class AlsGrid(Settings):
    """ALS."""

    factors: Counts
    """Factors per item and user."""
    penalty: Numbers
    """L2 regularisation of the factors."""
    alpha: Numbers
    """Extra confidence of a chosen item over any other."""
    half_life: HalfLives


class OwnFrequencyGrid(Settings):
    """A user's own item counts, where repeats are recommended."""

    half_life_days: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]


class MeanVectorGrid(Settings):
    """The mean vector of a user's items."""

    half_life: HalfLives


class Grids(Settings):
    """The values that may be tried: every combination of a model's values is one setting of it.

    Where there are more combinations than `trials`, a sample is tried, the same for the same seed.
    """

    window: WindowGrid = WindowGrid(window_days=(1, 3, 7, 14, 30, 60, 120, 365))
    """Popularity in a window."""
    item_knn: ItemKnnGrid = ItemKnnGrid(half_life=(None,), shrink=(0, 1, 3, 10, 30, 100, 300, 1_000))
    item_knn_decay: ItemKnnGrid = ItemKnnGrid(half_life=(3.0, 10.0, 30.0, 100.0, 300.0), shrink=(0, 3, 30, 300))
    user_knn: UserKnnGrid = UserKnnGrid(neighbours=(10, 20, 40, 60, 100, 150, 250, 500), half_life_days=(None,))
    """Without repeats."""
    user_knn_decay: UserKnnGrid = UserKnnGrid(
        neighbours=(60, 100, 150, 250), half_life_days=(60.0, 120.0, 240.0, 480.0)
    )
    """With repeats."""
    association_rules: ItemKnnGrid = ItemKnnGrid(
        half_life=(1.0, 3.0, 10.0, 30.0, 100.0, 300.0), shrink=(1, 10, 100, 1_000)
    )
    ease: EaseGrid = EaseGrid(penalty=(10, 30, 100, 200, 500, 1_000, 2_000, 5_000), half_life=(None,))
    ease_decay: EaseGrid = EaseGrid(penalty=(30, 200, 1_000, 5_000), half_life=(3.0, 10.0, 30.0, 100.0, 300.0))
    als: AlsGrid = AlsGrid(factors=(16, 32, 64, 128), penalty=(3, 10, 30), alpha=(1, 3, 10), half_life=(None,))
    als_decay: AlsGrid = AlsGrid(
        factors=(32, 64, 128), penalty=(10, 30), alpha=(1, 3, 10), half_life=(30.0, 100.0, 300.0)
    )
    own_frequency: OwnFrequencyGrid = OwnFrequencyGrid(
        half_life_days=(7.0, 15.0, 30.0, 60.0, 90.0, 120.0, 180.0, 365.0)
    )
    """Only with repeats."""
    mean_vector: MeanVectorGrid = MeanVectorGrid(half_life=(1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 10_000.0))
    """Mean text embeddings, zero-shot and fine-tuned."""


class FixedSettings(Settings):
    """Settings of collaborative models that are not tuned."""

    als_rounds: PositiveInt = 10
    """Rounds of ALS: users' factors, then items'."""
    als_seed: int = Field(default=7, ge=0)
    """Seed of the initial factors of ALS."""
    rule_distance: PositiveInt = 10
    """Largest distance of an association rule, in events."""
    least_rarity: NonNegativeFloat = 0.1
    """Smallest weight of an item (one that everybody chose) in user-kNN similarity with a half-life."""
    tie_days: PositiveFloat = 30.0
    """Popularity window that breaks ties of a user's own frequency."""


class CollaborativeSettings(Settings):
    """Tuning of collaborative models, and size limits."""

    trials: PositiveInt = 8
    """Settings tried for each model on the window before the cut-off, or all of a smaller grid.

    Every shipped grid holds at least as many, except popularity over all time, which has no settings. Rankers are tuned
    separately, with other numbers of trials: see `RankSettings.trials` and `TreeSettings.sizes`.
    """
    seed: int = Field(default=7, ge=0)
    """Of the sampled settings and users."""
    users: PositiveInt = 1_000
    """Users, at most, on whom settings are tried."""
    ease_max_items: PositiveInt = 5_000
    """EASE inverts an items × items matrix; of a larger catalogue it takes the items that most users chose."""
    neighbours: PositiveInt = 100
    """Neighbours kept for each item."""
    fixed: FixedSettings = FixedSettings()
    grids: Grids = Grids()
