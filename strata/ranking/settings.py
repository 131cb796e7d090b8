"""Settings of recommending and ranking, in a module of their own so that reading them imports no models."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from strata.data.schema import TIERS
from strata.settings import Settings

Days = Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
Weights = Annotated[dict[str, PositiveFloat], Field(min_length=1)]
"""Generator name → relative weight; generators that are not named count 0."""


class ArrivalSettings(Settings):
    """What counts as a new item, and how its topic and brand are weighed."""

    few: PositiveInt = 5
    """An item chosen by fewer users is new: collaborative models cannot learn it."""
    new_days: PositiveFloat = 365.0
    """Days for which an item is new, if its creation time is known."""
    lately_days: PositiveFloat = 60.0
    """Items first chosen within so many days show how well new items of their topic and brand do."""
    half_life_days: PositiveFloat = 160.0
    """Half-life of a user's choices."""
    smoothing: PositiveFloat = 5.0
    """Pseudo-count of average events, or items, added to those of a user and of a group of items."""


class GeneratorSettings(Settings):
    """Settings of the generators that are not collaborative models."""

    least_quota: PositiveInt = 5
    """Least items that each interest point proposes."""
    topic_half_life_days: PositiveFloat = 40.0
    """Half-life of a user's choices, for the popular items of their topics."""
    arrivals: ArrivalSettings = ArrivalSettings()


class FeatureSettings(Settings):
    """Settings of features; a ranker must be used with those it was trained with."""

    half_lives_days: Days = (10.0, 40.0, 160.0)
    """Half-lives of a user's choices of the item and of its kind: a feature for each."""
    lately: PositiveInt = 5
    """The user's latest active days that count as recent."""
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


class ExploreSettings(Settings):
    """How much lists explore, so that something is learned of items that few have chosen."""

    share: float = Field(default=0.0, ge=0, le=0.5)
    """Chance of each place but the first to go to another item; 0: never."""
    among: PositiveInt = 30
    """Items after a place that it may go to."""


class RecommendSettings(Settings):
    """What every recommendation does unless a request says otherwise."""

    candidates: int = 100
    """Items each generator proposes for a user."""
    repeats: bool = False
    """Whether items of the user's history may be recommended again: yes where people re-consume, as in retail."""
    tier_weights: dict[str, NonNegativeFloat] = dict.fromkeys(TIERS, 1.0)
    dislike: float = Field(0.5, ge=0)
    """How much dislikes lower the scores of items near to them."""
    of_words: Weights = {"interests": 2.0, "popular": 1.0}
    """Generator weights for a search text: items that fit it first, popular ones among them before the rest."""
    of_bio: Weights = {"interests": 1.0, "popular": 1.0}
    """Generator weights for a user with a profile text but no history, where it names a topic clearly."""
    generators: GeneratorSettings = GeneratorSettings()
    features: FeatureSettings = FeatureSettings()
    explore: ExploreSettings = ExploreSettings()
    """Of users that are served; evaluation and batches do not explore."""

    @model_validator(mode="after")
    def _of_tiers(self) -> Self:
        if unknown := sorted(set(self.tier_weights) - set(TIERS)):
            raise ValueError(f"tier_weights holds {', '.join(unknown)}; tiers are {', '.join(TIERS)}")
        return self


class SumSettings(Settings):
    """How the weighted sum is tuned by random search."""

    concentration: PositiveFloat = 0.7
    """Of the Dirichlet distribution of weightings: below 1, most have a few large weights."""
    best_share: float = Field(default=0.05, gt=0, le=1)
    """Share of the best weightings whose mean is taken: the single best on a small window is largely chance."""


class Size(Settings):
    """A number of leaves per tree, and the numbers of trees tried with it."""

    leaves: int = Field(ge=2, le=32)
    """Leaves per tree, 32 at most: scoring uses one bit of 32 for each leaf."""
    rounds: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    """Numbers of trees."""


class TreeSettings(Settings):
    """How trees are learned and which sizes are tried; LightGBM's parameters keep their names."""

    sizes: Annotated[tuple[Size, ...], Field(min_length=1)] = (
        Size(leaves=4, rounds=(100, 200, 400)),
        Size(leaves=8, rounds=(100, 200, 400)),
        Size(leaves=16, rounds=(100, 200, 400)),
        Size(leaves=32, rounds=(100, 200)),
    )
    """Sizes tried on the windows left out: 11 by default."""
    few_leaves: int = 8
    """Leaves used where no window can be left out; one of `sizes`."""
    left_out: PositiveInt = 3
    """Most windows that are left out in turn, from the latest."""
    enough: PositiveInt = 2_500
    """Users in windows left out that suffice to compare sizes; no further window is left out."""
    tried_on: PositiveInt = 2_500
    """Users of a window, at most, from whom trial fits learn; with far fewer, trees that are too small win."""
    learning_rate: PositiveFloat = 0.05
    """Shrinkage of each tree."""
    feature_fraction: float = Field(default=0.5, gt=0, le=1)
    """Share of the features that a tree may look at."""
    bagging_fraction: float = Field(default=0.7, gt=0, le=1)
    """Share of the rows that a tree learns from."""
    bagging_freq: PositiveInt = 1
    """Trees after which rows are drawn anew."""
    lambda_l2: NonNegativeFloat = 5.0
    """L2 regularisation of leaf values."""
    min_data_in_leaf: PositiveInt = 100
    """Least rows per leaf, or a hundredth of all rows if that is fewer."""
    lambdarank_truncation_level: PositiveInt = 30
    """Top places whose pairs are learned from: three times those of NDCG@10."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        leaves = [size.leaves for size in self.sizes]
        if len(set(leaves)) < len(leaves):
            raise ValueError("two of sizes have as many leaves; put their rounds together")
        if self.few_leaves not in leaves:
            raise ValueError(f"few_leaves is {self.few_leaves}, but sizes have {', '.join(map(str, leaves))} leaves")
        return self


class ChooseSettings(Settings):
    """How the ranker of each kind of user is chosen on the validation window."""

    long: PositiveInt = 10
    """Choices from which a user's history is long; with fewer it is short."""
    enough: PositiveInt = 50
    """Least users by whom rankers can be told apart; with fewer, the weighted sum ranks for users with a history."""
    errors: NonNegativeFloat = 1.0
    """Standard errors by which another ranker must be ahead of the usual one."""
    parts: int = Field(default=5, ge=2)
    """Parts of the users: the weighted sum is judged on each with weights tuned on the others."""


class RankSettings(Settings):
    """How candidates are ranked and how that is learned."""

    former_names: ClassVar = {"slices": "windows", "slice_share": "window_share"}

    method: Literal["best", "lambdamart", "weighted-sum", "interests", "popular"] = "best"
    """What ranks; best: for each kind of user what is chosen by `choose`."""
    choose: ChooseSettings = ChooseSettings()
    trials: int = 200
    """Weightings tried for the weighted sum, including equal weights and each generator alone."""
    users: int = Field(1_000, ge=1)
    """Most users on whom weightings are tried."""
    windows: int = Field(6, ge=1)
    """Earlier windows from which the trees learn what was chosen next."""
    window_share: float = Field(0.05, gt=0)
    """Share of all interactions between the start of one window and of the next."""
    horizon: int = Field(2, ge=1)
    """Length of a window in `window_share`s: what is chosen within it counts as next."""
    learners: int = Field(5_000, ge=1)
    """Most users of a window from whom the trees learn, if the data has `learners_from` users or more."""
    learners_from: int = Field(20_000, ge=1)
    """With fewer users than this, the trees learn from all of them."""
    negatives: int = Field(150, ge=1)
    """Negatives (candidates not chosen) drawn per user, about so many."""
    newcomers: PositiveInt = 5
    """One in so many users is added again as a newcomer, and one in so many with new items as the only candidates."""
    newcomer_items: PositiveInt = 3
    """History items of such a newcomer."""
    seed: int = 7
    models: int = Field(2, ge=1)
    """How often the trees are learned, each time with the next seed; their scores are added up."""
    sum: SumSettings = SumSettings()
    trees: TreeSettings = TreeSettings()

    def most_learners(self, n_users: int) -> int:
        """Most users of a window to learn from, if the data has `n_users`."""
        return n_users if n_users < self.learners_from else self.learners

    @property
    def seeds(self) -> range:
        """A seed for each of `models`."""
        return range(self.seed, self.seed + self.models)
