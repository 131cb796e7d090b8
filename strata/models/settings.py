"""What models of behaviour are tuned over, and what is the same in every trial."""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from strata.settings import Settings

Numbers = Annotated[tuple[Annotated[int | float, Field(ge=0)], ...], Field(min_length=1)]
"""Values to try. Whole numbers stay whole: they are written down as they stand in params.yaml."""
Counts = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
HalfLives = Annotated[tuple[PositiveFloat | None, ...], Field(min_length=1)]
"""After how many later events of the same user, or days where the name says so, an event counts half; null: never."""


class WindowGrid(Settings):
    """Popularity in a window."""

    window_days: Numbers
    """How long ago, at most, what counts was chosen."""


class ItemKnnGrid(Settings):
    """Item-kNN, and association rules."""

    half_life: HalfLives
    shrink: Numbers
    """Users, or events that follow, added to what a pair of items is divided by: a few say little."""


class UserKnnGrid(Settings):
    """User-kNN."""

    neighbours: Counts
    """Users that stand for one."""
    half_life_days: HalfLives
    """Of a choice; null: histories say what was chosen, not how often and when."""


class EaseGrid(Settings):
    """EASE."""

    penalty: Numbers
    """L2 regularisation of the items' regression."""
    half_life: HalfLives


class AlsGrid(Settings):
    """ALS."""

    factors: Counts
    """Numbers that stand for an item."""
    penalty: Numbers
    """L2 regularisation of the factors."""
    alpha: Numbers
    """How much more a chosen item counts than any other."""
    half_life: HalfLives


class OwnFrequencyGrid(Settings):
    """How often each item was chosen before, where items come back."""

    half_life_days: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]


class MeanVectorGrid(Settings):
    """The mean vector of a user's items."""

    half_life: HalfLives


class Grids(Settings):
    """The values that may be tried: every combination of a model's values is one setting of it.

    Of more combinations than `trials` a sample is tried, the same for the same seed.
    """

    window: WindowGrid = WindowGrid(window_days=(1, 3, 7, 14, 30, 60, 120, 365))
    """Popularity in a window."""
    item_knn: ItemKnnGrid = ItemKnnGrid(half_life=(None,), shrink=(0, 1, 3, 10, 30, 100, 300, 1_000))
    item_knn_decay: ItemKnnGrid = ItemKnnGrid(half_life=(3.0, 10.0, 30.0, 100.0, 300.0), shrink=(0, 3, 30, 300))
    user_knn: UserKnnGrid = UserKnnGrid(neighbours=(10, 20, 40, 60, 100, 150, 250, 500), half_life_days=(None,))
    """Where nothing comes back."""
    user_knn_decay: UserKnnGrid = UserKnnGrid(
        neighbours=(60, 100, 150, 250), half_life_days=(60.0, 120.0, 240.0, 480.0)
    )
    """The same where items come back."""
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
    """Where items come back."""
    mean_vector: MeanVectorGrid = MeanVectorGrid(half_life=(1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 10_000.0))
    """Text alone, zero-shot and fine-tuned."""


class FixedSettings(Settings):
    """What models of behaviour are fitted with and never tuned over."""

    als_rounds: PositiveInt = 10
    """How often ALS solves for users and then for items."""
    als_seed: int = Field(default=7, ge=0)
    """Of the factors that ALS starts from."""
    rule_distance: PositiveInt = 10
    """Events, at most, between an item and what association rules say follows it."""
    least_rarity: NonNegativeFloat = 0.1
    """What an item that everybody chose still counts when users with counted histories are compared."""
    tie_days: PositiveFloat = 30.0
    """The window of popularity that orders what a user chose equally often."""


class CollaborativeSettings(Settings):
    """How much is tried, and up to what size."""

    trials: PositiveInt = 8
    """Settings tried for each model on the window before the cut-off; all there are where its grid holds fewer.

    Every grid that ships holds as many or more, but popularity over all time has no setting to try. What ranks is tuned
    by itself, with other numbers of trials: see `RankSettings.trials` and `TreeSettings.sizes`.
    """
    seed: int = Field(default=7, ge=0)
    """Of the settings and users that are drawn."""
    users: PositiveInt = 1_000
    """Users, at most, on whom settings are tried."""
    ease_max_items: PositiveInt = 5_000
    """EASE inverts an items × items matrix; of a larger catalogue it takes the items that most users chose."""
    neighbours: PositiveInt = 100
    """Other items kept for each item."""
    fixed: FixedSettings = FixedSettings()
    grids: Grids = Grids()
