"""Leave-one-out on MovieLens-100K, to compare with published tables: every user's last rating, all ratings before.

The language model, its vectors and the topics come from a workspace of their own, made without the last two ratings
of each user; whatever is tuned is tuned on the second last.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import workspaces
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from benchmarks.quality.split import INTERACTIONS, write_split
from strata._kernels.selection import NOTHING
from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.data.schema import ITEM, TIMESTAMP, USER, VALUE
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.embeddings.space import InterestSpace
from strata.evaluation.metrics import bootstrap, ndcg_at_k
from strata.evaluation.report import OURS, split_hash
from strata.evaluation.tuning import tune
from strata.evaluation.window import Window
from strata.interests.profiling import Profiler
from strata.interests.settings import tier_settings
from strata.interests.themes import Themes
from strata.models.baselines import behavioural, mean_vector
from strata.models.fitted import CollaborativeModels
from strata.models.settings import CollaborativeSettings
from strata.ranking.generators.registry import GeneratorInputs
from strata.ranking.lambdamart import LambdaMart
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.ranking.training_windows import examples
from strata.ranking.two_stage import Models, rank
from strata.settings import read_settings
from strata.storage import read_array

ARTIFACTS = Path("artifacts")
LISTED = 10
HELD_OUT = 2
"""Last ratings of each user that no model of the workspace has seen: the test's and the one that tunes."""
SLICES = 4
"""Places before the last from which the ranker learns."""
PEERS = {"peer-sasrec": "SASRec", "peer-bpr": "BPR", "peer-lightgcn": "LightGCN"}


def rows(root: Path, peers: Path) -> tuple[list[Row], str]:
    """Row ml100k-loo against the best baseline, one for each other, and peer-… where `peers` holds their rankings."""
    catalogue = Catalogue.read(ARTIFACTS / "tables" / "items.parquet")
    accounts = pl.read_parquet(ARTIFACTS / "tables" / "users.parquet")
    history = History.read(INTERACTIONS, n_users=len(accounts), n_items=len(catalogue))
    write_split(pl.read_parquet(INTERACTIONS), root / "split")
    folder = _workspace(root)
    window, before = Window.leaving_out(history, 0), Window.leaving_out(history, 1)
    values, chosen = _baselines(window, before, folder)
    trials = read_settings(CollaborativeSettings, "collaborate").trials
    values[OURS] = _ours(history, window, catalogue, folder, chosen)
    ids = accounts[USER].to_numpy()[window.users]
    found = _rows(values, ids, trials)
    for row, peer in PEERS.items():
        if (peers / f"{peer}.parquet").exists():
            reached = _judge_peer(peers / f"{peer}.parquet", ids, catalogue, window)
            found.append(_row(row, values[OURS], reached, f"RecBole's {peer}", ids, 4))
    return found, split_hash(window)


def _workspace(root: Path) -> Path:
    """The pipeline up to vectors and topics, on the ratings without the last two of each user."""
    source = Path("data") / "movielens-100k"
    data = root / "data-without-the-last"
    data.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.is_file() and path.suffix != ".inter":
            (data / path.name).write_bytes(path.read_bytes())
    kept = pl.read_parquet(root / "split" / "train.parquet")
    table = kept.select(
        pl.col(USER).alias("user_id:token"),
        pl.col(ITEM).alias("item_id:token"),
        pl.col(VALUE).alias("rating:float"),
        (pl.col(TIMESTAMP).dt.epoch("us") / 1e6).alias("timestamp:float"),
    )
    table.write_csv(data / "ml-100k.inter", separator="\t")
    return workspaces.workspace("movielens-100k", data=data, stages=["themes@backtest"], root=root)


def _baselines(window: Window, before: Window, folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Per-user NDCG@10 of every baseline, and the settings each was given: those best for the second last rating."""
    settings = read_settings(CollaborativeSettings, "collaborate")
    vectors, grid = folder / "artifacts" / "vectors", settings.grids.mean_vector
    models = {
        **behavioural(settings, repeats=False),
        "zero-shot text": mean_vector(np.asarray(read_array(vectors / "zero_shot.npy")), grid),
        "fine-tuned text": mean_vector(np.asarray(read_array(vectors / "items.npy")), grid),
    }
    found, chosen = {}, {}
    for name, model in models.items():
        chosen[name], _ = tune(model.fit, model.grid, before, most=settings.trials, seed=settings.seed)
        ranked = window.rank(model.fit(window.past, window.time, **chosen[name]), LISTED)
        found[name] = ndcg_at_k(ranked, window.relevant, LISTED)
    return found, chosen


def _ours(
    history: History,
    window: Window,
    catalogue: Catalogue,
    folder: Path,
    chosen: Mapping[str, Any],
) -> np.ndarray:
    """Per-user NDCG@10 of the whole recommender, its ranker learned from the places before the last."""
    recommend, settings = read_settings(RecommendSettings, "recommend"), read_settings(RankSettings, "rank")
    space = InterestSpace.read(folder / "artifacts" / "models" / "backtest" / "space")
    themes = Themes.read(folder / "artifacts" / "models" / "backtest" / "themes")
    profiler = Profiler.of(catalogue, space, themes, tier_settings())
    index, everything = ItemIndex.build(space.vectors, IndexSettings()), np.ones(len(catalogue), bool)

    def models_of(asked: Window) -> Models:
        profiles, _ = profiler.profiles(asked.past, asked.time)
        collaborative = CollaborativeModels.fit(asked.past, asked.time, chosen)
        known = GeneratorInputs(catalogue, index, collaborative, themes.of_item[:, 0], asked.past, recommend)
        return Models.of(profiles, known, space.vectors)

    learned, names = [], ()
    for place in range(SLICES, 0, -1):
        asked = Window.leaving_out(history, place)
        models = models_of(asked)
        names = models.features.names(models.names)
        learned.append(examples(asked, models, recommend, everything, negatives=settings.negatives, seed=settings.seed))
    trees = LambdaMart.fit(learned, names, settings.trees, apart=1, seeds=settings.seeds)
    ranked = rank(window, models_of(window), trees, recommend, everything, LISTED)
    return ndcg_at_k(ranked, window.relevant, LISTED)


def _judge_peer(path: Path, ids: np.ndarray, catalogue: Catalogue, window: Window) -> np.ndarray:
    """Per-user NDCG@10 of a peer's rankings, by our metric."""
    ranked = np.full((len(ids), LISTED), NOTHING, np.int64)
    row = {user: place for place, user in enumerate(ids)}
    table = pl.read_parquet(path).filter(pl.col("place") <= LISTED, pl.col(USER).is_in(ids.tolist()))
    for user, item, place in table.select(USER, ITEM, "place").iter_rows():
        ranked[row[user], place - 1] = catalogue.row(item)
    return ndcg_at_k(ranked, window.relevant, LISTED)


def _rows(values: dict[str, np.ndarray], ids: np.ndarray, trials: int) -> list[Row]:
    others = [name for name in values if name != OURS]
    best = max(others, key=lambda name: values[name].mean())
    found = [_row("ml100k-loo", values[OURS], values[best], best, ids, trials)]
    for other in others:
        if other != best:
            name = "ml100k-loo-" + "-".join(other.lower().replace("+", " ").replace("-", " ").split())
            found.append(_row(name, values[OURS], values[other], other, ids, trials))
    return found


def _row(name: str, ours: np.ndarray, reference: np.ndarray, against: str, ids: np.ndarray, trials: int) -> Row:
    ratio = ours.mean() / max(reference.mean(), 1e-12)
    return Row.of(
        name,
        "MovieLens-100K, leave-one-out over all ratings (ties in time by item id): mean NDCG@10, full ranking, "
        f"against {against}. {ratio:.3f} times it.",
        bootstrap(ours - reference, samples=SAMPLES, seed=SEED), "NDCG@10", len(ours), value=float(ours.mean()),
        reference=float(reference.mean()), reference_name=against, trials=trials, seeds=(SEED,),
        per_user=pl.DataFrame({USER: ids, OURS: ours, against: reference}),
    )  # fmt: skip
