"""What every recommendation does, in a module of its own: who asks only this need not depend on how it is done."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from strata.data.schema import TIERS
from strata.settings import Settings

Days = Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
Weights = Annotated[dict[str, PositiveFloat], Field(min_length=1)]
"""Of generators by their names, in proportion; those that are not named count nothing."""


class ArrivalSettings(Settings):
    """What counts as new, and how what is known of its topic and brand is weighed."""

    few: PositiveInt = 5
    """An item that fewer users chose is new: models of behaviour cannot learn of it."""
    new_days: PositiveFloat = 365.0
    """Days for which an item is new, where it is known when it came."""
    lately_days: PositiveFloat = 60.0
    """What was first chosen so many days ago, at most, tells how new items of its topic and of its brand fare."""
    half_life_days: PositiveFloat = 160.0
    """Of what a user chose."""
    smoothing: PositiveFloat = 5.0
    """Events, or items, of the average that are added to what is known of a user and of a group of items."""


class GeneratorSettings(Settings):
    """How candidates are proposed, beside what models of behaviour say."""

    least_quota: PositiveInt = 5
    """Items that even the weakest interest point proposes."""
    topic_half_life_days: PositiveFloat = 40.0
    """Of what a user chose of a topic, for what is popular in it."""
    arrivals: ArrivalSettings = ArrivalSettings()


class FeatureSettings(Settings):
    """What the trees see of a candidate; a ranker must see what it has learned from."""

    half_lives_days: Days = (10.0, 40.0, 160.0)
    """Of what a user chose of the item and of its kind: a feature for each."""
    lately: PositiveInt = 5
    """Days on which the user was active, the latest ones, that count as lately."""
    windows_days: Days = (1.0, 3.0, 7.0, 14.0, 30.0, 90.0)
    """An item's share of all events in each window is a feature."""
    trend_days: tuple[PositiveFloat, PositiveFloat] = (7.0, 30.0)
    """The trend is the share in the first window over that in the second; both are among the windows."""
    trend_smoothing: PositiveFloat = 1e-5
    """Added to both shares."""
    weight_smoothing: NonNegativeFloat = 5.0
    """Events of weight 0 added to the mean weight of an item's events."""

    @model_validator(mode="after")
    def _of_windows(self) -> Self:
        if missing := [f"{days:g}" for days in self.trend_days if days not in self.windows_days]:
            raise ValueError(f"trend_days holds {', '.join(missing)}, which windows_days lacks; add it there")
        return self


class RecommendSettings(Settings):
    """What every recommendation does unless a request says otherwise."""

    candidates: int = 100
    """Items each generator proposes for a user."""
    repeats: bool = False
    """Whether what the user already had may come back: yes where people re-consume, as in retail."""
    tier_weights: dict[str, float] = dict.fromkeys(TIERS, 1.0)
    dislike: float = Field(0.5, ge=0)
    """How much dislikes take from what lies near to them."""
    of_words: Weights = {"interests": 2.0, "popular": 1.0}
    """For somebody who wishes in words: what fits them first, the popular among it before the rest."""
    of_bio: Weights = {"interests": 1.0, "popular": 4.0}
    """For a newcomer who told of themselves and did nothing: where they work says little of what they buy."""
    generators: GeneratorSettings = GeneratorSettings()
    features: FeatureSettings = FeatureSettings()


class SumSettings(Settings):
    """How the weighted sum is found among its trials."""

    concentration: PositiveFloat = 0.7
    """Of the Dirichlet distribution that weightings are drawn from: below 1 most have a few large weights."""
    best_share: float = Field(default=0.05, gt=0, le=1)
    """Of the weightings tried, whose mean is taken: windows are small, and the single best owes much to chance."""


class Size(Settings):
    """Trees of so many leaves, and the numbers of them that are tried."""

    leaves: int = Field(ge=2, le=32)
    """Of a tree; scores are computed with a bit for each leaf, 32 in all."""
    rounds: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    """Numbers of trees."""


class TreeSettings(Settings):
    """How trees are learned and which sizes are tried; names that LightGBM has are LightGBM's."""

    sizes: Annotated[tuple[Size, ...], Field(min_length=1)] = (
        Size(leaves=4, rounds=(100, 200, 400)),
        Size(leaves=8, rounds=(100, 200, 400)),
        Size(leaves=16, rounds=(100, 200, 400)),
        Size(leaves=32, rounds=(100, 200)),
    )
    """Tried on windows left out: 11 sizes as they ship, each on all of these windows."""
    few_leaves: int = 8
    """Leaves where nothing can be left out; one of the sizes."""
    left_out: PositiveInt = 3
    """Windows, at most, that are left out in turn, the latest ones."""
    enough: PositiveInt = 2_500
    """Users of windows left out, by whom sizes can be told apart: more windows would only take longer."""
    tried_on: PositiveInt = 2_500
    """Users of a window, at most, on whom sizes are tried: to far fewer, small trees seem enough."""
    learning_rate: PositiveFloat = 0.05
    """Of what a tree says, the share that is added up."""
    feature_fraction: float = Field(default=0.5, gt=0, le=1)
    """Share of the features that a tree may look at."""
    bagging_fraction: float = Field(default=0.7, gt=0, le=1)
    """Share of the rows that a tree learns from."""
    bagging_freq: PositiveInt = 1
    """Trees after which rows are drawn anew."""
    lambda_l2: NonNegativeFloat = 5.0
    """L2 regularisation of what a leaf says."""
    min_data_in_leaf: PositiveInt = 100
    """Rows, at least; a hundredth of all rows where that is fewer."""
    lambdarank_truncation_level: PositiveInt = 30
    """Places of a list from which pairs are learned: three times those that are judged."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        leaves = [size.leaves for size in self.sizes]
        if len(set(leaves)) < len(leaves):
            raise ValueError("two of sizes have as many leaves; put their rounds together")
        if self.few_leaves not in leaves:
            raise ValueError(f"few_leaves is {self.few_leaves}, but sizes have {', '.join(map(str, leaves))} leaves")
        return self


class RankSettings(Settings):
    """How candidates are ranked and how that is learned."""

    former_names: ClassVar = {"slices": "windows", "slice_share": "window_share"}

    method: Literal["lambdamart", "weighted-sum"] = "lambdamart"
    trials: int = 200
    """Weightings tried for the weighted sum, each generator alone and all alike among them."""
    users: int = Field(1_000, ge=1)
    """Users, at most, on whom they are tried."""
    windows: int = Field(6, ge=1)
    """Earlier windows from which the trees learn what was chosen next."""
    window_share: float = Field(0.05, gt=0)
    """Share of all interactions between the start of one window and of the next."""
    horizon: int = Field(2, ge=1)
    """Shares that a window is long: what is chosen within it counts as next."""
    learners: int = Field(5_000, ge=1)
    """Users of a window, at most, from whom the trees learn, where the data holds `learners_from` users or more."""
    learners_from: int = Field(20_000, ge=1)
    """Below so many users, all of them teach."""
    negatives: int = Field(150, ge=1)
    """Candidates of a user, at most, that were not chosen and are learned from."""
    newcomers: PositiveInt = 5
    """One in so many users teaches once more as a newcomer, and one in so many asked for what is new alone."""
    newcomer_items: PositiveInt = 3
    """Items that are known of such a newcomer."""
    seed: int = 7
    models: int = Field(2, ge=1)
    """How often the trees are learned, each time with the next seed; their scores are added up."""
    sum: SumSettings = SumSettings()
    trees: TreeSettings = TreeSettings()

    def most_learners(self, n_users: int) -> int:
        """How many users of a slice may teach where the data holds `n_users`."""
        return n_users if n_users < self.learners_from else self.learners

    @property
    def seeds(self) -> range:
        """A seed for each time."""
        return range(self.seed, self.seed + self.models)
