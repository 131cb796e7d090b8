"""Stage evaluate: the test window, used once, with every baseline in the same table."""

from typing import Any

import numpy as np
import polars as pl

from strata.data.schema import USER
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.item_text import item_texts
from strata.embeddings.static_vectors import static_vectors
from strata.evaluation.metrics import JUDGED_AT
from strata.evaluation.ratings import FACTORISED, judge_ratings, ratings_markdown, simple_predictions
from strata.evaluation.ratings import OURS as PREDICTED
from strata.evaluation.report import (
    CONFIGURED,
    OURS,
    EvaluateSettings,
    Evaluation,
    as_markdown,
    judge,
    summarise,
)
from strata.evaluation.tuning import tune
from strata.evaluation.window import Window
from strata.interests.themes import Themes
from strata.models.baselines import behavioural, mean_vector
from strata.models.predicted_ratings import PredictedRatings, predicted_by
from strata.models.settings import CollaborativeSettings
from strata.models.text_baselines import tfidf
from strata.ranking.choosing import Choice
from strata.ranking.ranker import Ranker
from strata.ranking.rankers import BEST, read_ranker
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.ranking.two_stage import rank
from strata.ranking.weighted_sum import WeightedSum
from strata.recommendation.batches import lists_of
from strata.recommendation.business_rules import BusinessRules
from strata.recommendation.lists import ListBuilder
from strata.recommendation.request import ListRequest
from strata.recommendation.rerank import RerankSettings
from strata.recommendation.search_words import search_words
from strata.settings import read_settings
from strata.storage import read_array, read_json, write_json, write_table, write_text
from tasks import EVALUATION, RANKER, VECTORS, run
from tasks.inputs import Inputs, folder
from tasks.models import models_at
from tasks.rated import item_facts, ratings_of, scale
from tasks.reporting import progress, say
from tasks.spaces import space_of
from tasks.window import window_between

WEIGHTED = "weighted sum of generators"
AS_OURS = "the same lists: no re-ranking, no rules are set, and nobody is known by words alone"


def main() -> None:
    """Rank for the users of the test window by all methods; write metrics, table, per-user values and plots."""
    inputs = Inputs()
    settings, ranking = read_settings(EvaluateSettings, "evaluate"), read_settings(RankSettings, "rank")
    window, k = window_between(inputs, "backtest", "live"), max(settings.k)
    rankings, validation = _baselines(inputs, window, k)
    models, recommend = models_at(inputs, "backtest"), read_settings(RecommendSettings, "recommend")
    available = inputs.catalogue.available(window.time, window.past)
    ours = read_ranker(RANKER, ranking.method, models.feature_names)
    rankers: dict[str, Ranker] = {WEIGHTED: WeightedSum.read(RANKER), OURS: ours}
    for name, ranker in rankers.items():
        rankings[name] = rank(window, models, ranker, recommend, available, k)
    themes = Themes.read(folder("backtest") / "themes")
    builder = ListBuilder(
        inputs.catalogue, themes, np.asarray(space_of("backtest").vectors), window.past, models, ours, recommend,
        window.time, read_settings(RerankSettings, "rerank"),
    )  # fmt: skip
    configured = _configured(builder, window, available, k)
    if configured is not None:
        rankings[CONFIGURED] = configured
    evaluation = judge(rankings, window, settings.k)
    report = summarise(evaluation, settings, inputs.texts, themes.of_item[:, -1], validation)
    if configured is None:
        report["configured"] = AS_OURS
    if ranking.method == BEST:
        report["rankers"] = Choice.read(RANKER).facts()["kinds"]
    rated = _ratings(inputs)
    if rated:
        report["ratings"] = rated
    write_json(_flat_metrics(report), EVALUATION / "metrics.json")
    write_json(report, EVALUATION / "report.json")
    shown = as_markdown(report) + (f"\n{ratings_markdown(rated)}" if rated else "")
    write_text(shown, EVALUATION / "metrics.md")
    write_table(_per_user(inputs, evaluation), EVALUATION / "per_user.parquet")
    write_table(_per_user(inputs, _by_likes(inputs, evaluation)), EVALUATION / "per_user_likes.parquet")
    _write_plots(report)
    say(shown)


def _configured(builder: ListBuilder, window: Window, available: np.ndarray, k: int) -> np.ndarray | None:
    """The lists (B, k) that requests without options would have got, None where nothing tells them from the ranker's.

    Nothing does without re-ranking and rules, and where nobody is known by words alone.
    """
    rules = read_settings(BusinessRules, "rules")
    by_words = np.isin(window.users[~window.warm], builder.models.profiles.owners).any()
    if builder.rerank.changes_nothing and rules == BusinessRules() and not by_words:
        return None
    request = ListRequest(k=k, explain=False).filled(exclude_seen=not window.repeats, rules=rules)
    return lists_of(builder, window.users, available & window.items, request)[0]


def _ratings(inputs: Inputs) -> dict[str, Any]:
    """Predicted ratings of the test window beside their baselines, empty where none are predicted."""
    model = PredictedRatings.read(folder("backtest") / "ratings", lambda: item_facts(inputs))
    ratings = ratings_of(inputs)
    past, seen = ratings.before(inputs.time("backtest")), ratings.between(inputs.time("backtest"), inputs.time("live"))
    if model is None or not len(seen):
        return {}
    asked = seen.users, seen.items
    predictions = simple_predictions(past, *asked)
    predictions[FACTORISED] = predicted_by(model.signs.factors, past, *asked)
    predictions[PREDICTED] = model.of_users(*asked)
    return judge_ratings(predictions, past, seen, scale())


def _baselines(inputs: Inputs, window: Window, k: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Rankings of every baseline, with settings tuned on the window before the test window, and NDCG@10 there."""
    settings = read_settings(CollaborativeSettings, "collaborate")
    tuning = read_json(folder("backtest") / "collaborative" / "tuning.json")
    chosen, tried = tuning["chosen"], dict(tuning["tried"])
    available = inputs.catalogue.available(window.time, window.past)
    models, grid = behavioural(settings, repeats=window.repeats), settings.grids.mean_vector
    items = item_texts(inputs.catalogue.items)
    base = Encoder.load((encoder := read_settings(EncoderSettings, "encoder")).base, encoder)
    texts = {
        "TF-IDF": tfidf([search_words(text) for text in items], grid),
        "static word vectors": mean_vector(static_vectors(base, items), grid),
        "zero-shot text": mean_vector(np.asarray(read_array(VECTORS / "zero_shot.npy")), grid),
        "fine-tuned text": mean_vector(inputs.texts, grid),
    }
    before = window_between(inputs, "validation", "backtest")
    for name, model in texts.items():
        chosen[name], tried[name] = tune(model.fit, model.grid, before, most=settings.trials, seed=settings.seed)
    rankings = {}
    with progress("ranking by every baseline", len(models) + len(texts), "models") as advance:
        for name, model in {**models, **texts}.items():
            scorer = model.fit(window.past, window.time, **chosen[name])
            rankings[name] = window.rank(scorer, k, available)
            advance(1)
    return rankings, {name: max(trial[f"ndcg@{JUDGED_AT}"] for trial in tried[name]) for name in rankings}


def _flat_metrics(report: dict) -> dict:
    """Metrics that `dvc metrics show` and `diff` compare."""
    rated = {"ratings": _rating_errors(report["ratings"])} if "ratings" in report else {}
    return {
        **rated,
        "strata": report["metrics"][OURS],
        "configured": report["metrics"].get(CONFIGURED, report["metrics"][OURS]),
        "rankers": {kind: one["ranker"] for kind, one in report.get("rankers", {}).items()},
        "ndcg@10": {name: report["ndcg@10"][name][OURS] for name in ("warm", "cold", "all")},
        "over_best_baseline": report["comparison"]["difference"],
    }


def _rating_errors(report: dict) -> dict[str, float]:
    """RMSE and MAE of our ratings, and the RMSE of the biased matrix factorisation."""
    ours, factorised = (report["methods"][name]["slices"]["all"] for name in (PREDICTED, FACTORISED))
    return {**ours, "rmse of biased matrix factorisation": factorised["rmse"]}


def _by_likes(inputs: Inputs, evaluation: Evaluation) -> Evaluation:
    """The same lists judged by likes alone."""
    liked = evaluation.window.liked(inputs.history, inputs.time("live"))
    kept = np.isin(evaluation.window.users, liked.users)
    return judge({name: ranked[kept] for name, ranked in evaluation.rankings.items()}, liked, (JUDGED_AT,))


def _per_user(inputs: Inputs, evaluation: Evaluation) -> pl.DataFrame:
    """Per-user NDCG@10 of every method, so that anyone can recompute the intervals."""
    columns = {method: metrics[f"ndcg@{JUDGED_AT}"] for method, metrics in evaluation.values.items()}
    return pl.DataFrame({USER: inputs.user_ids[evaluation.window.users], "warm": evaluation.window.warm, **columns})


def _write_plots(report: dict) -> None:
    """Tables that `dvc plots show` draws."""
    methods = [{"method": m, "ndcg@10": v} for m, v in report["ndcg@10"]["warm"].items()]
    write_json(methods, EVALUATION / "plots" / "methods.json")
    by_k = [
        {"method": method, "k": int(name.split("@")[1]), "recall": value}
        for method, values in report["metrics"].items()
        for name, value in values.items()
        if name.startswith("recall@")
    ]
    write_json(by_k, EVALUATION / "plots" / "recall.json")


if __name__ == "__main__":
    run(main)
