"""Stage rate: what predicts ratings where the data has any, for the test window and for what ships."""

import polars as pl

from strata.data.stated_groups import groups_of
from strata.evaluation.tuning import trials
from strata.models.predicted_ratings import PredictedRatings, RatingModelSettings, none_predicted, tune_factors
from strata.settings import read_settings
from tasks import TABLES, run
from tasks.inputs import Inputs, folder
from tasks.rated import item_facts, ratings_of, scale
from tasks.reporting import say

FOR = ("backtest", "live")
"""The cut-offs: the one before what is judged, and the one that ships."""


def main() -> None:
    """Tune on the window before the test window; learn up to each cut-off with these settings."""
    inputs, how = Inputs(), read_settings(RatingModelSettings, "ratings")
    ratings = ratings_of(inputs)
    start, stop = inputs.time("validation"), inputs.time("backtest")
    early = len(ratings.before(start))
    if early < how.least or not len(ratings.between(start, stop)):
        why = f"its data has {early:,} ratings before the validation window, and {how.least:,} are needed"
        for cut_off in FOR:
            none_predicted(folder(cut_off) / "ratings", why)
        say(f"no ratings are predicted: {why}")
        return
    tried = trials(how.grid.model_dump(), how.trials, how.seed)
    chosen, errors = tune_factors(ratings, start, stop, tried, how.seed)
    groups = groups_of(pl.read_parquet(TABLES / "users.parquet"))
    facts = item_facts(inputs)
    for cut_off in FOR:
        model = PredictedRatings.fit(ratings, inputs.time(cut_off), facts, groups, chosen, scale(), how)
        model.write(folder(cut_off) / "ratings", {"chosen": chosen, "tried": errors})
    say(f"{len(ratings):,} ratings; {chosen} on validation, RMSE {min(each['rmse'] for each in errors):.4f}")


if __name__ == "__main__":
    run(main)
