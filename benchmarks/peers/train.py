"""Trains RecBole's models and ranks with them; runs in the peers' own environment: python -m benchmarks.peers.train."""

import json
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data.dataloader import TrainDataLoader
from recbole.data.dataset import Dataset, SequentialDataset
from recbole.data.interaction import Interaction
from recbole.model.sequential_recommender import SASRec
from recbole.sampler import Sampler
from recbole.trainer import Trainer
from recbole.utils import get_model, init_seed
from scipy import sparse

from benchmarks.peers.grids import EPOCHS, LENGTH, PATIENCE, PEERS, PLACES, SEEDS
from strata._kernels.selection import top_k
from strata.evaluation.metrics import ndcg_at_k

USERS_AT_ONCE = 1_024


class EveryPosition(SASRec):
    """RecBole's SASRec that learns from every position of a window at once, as Kang and McAuley (2018) did.

    RecBole repeats each prefix of each history to learn from its last position alone: fifty times the work.
    """

    def calculate_loss(self, interaction: Interaction) -> torch.Tensor:
        """Cross-entropy over the whole catalogue of the item that follows each position."""
        items, lengths = interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN]
        targets = items.roll(-1, dims=1)
        targets[torch.arange(len(items)), lengths - 1] = interaction[self.POS_ITEM_ID]
        known = items > 0
        logits = self.forward(items, lengths)[known] @ self.item_embedding.weight.T
        return self.loss_fct(logits, targets[known])

    def gather_indexes(self, output: torch.Tensor, gather_index: torch.Tensor) -> torch.Tensor:
        """All positions while learning, the last one else."""
        return output if self.training else super().gather_indexes(output, gather_index)


@dataclass(frozen=True)
class Queries:
    """Users (B,) with their histories in time order, and what is relevant to them where that may be known."""

    users: np.ndarray
    histories: list[np.ndarray]
    relevant: sparse.csr_matrix | None
    n_items: int

    @classmethod
    def read(cls, phase: str, folder: Path) -> "Queries":
        """Read those of validation or test as `Split.write` wrote them."""
        written = json.loads((folder / "queries.json").read_text())
        users, histories = written[phase]["user"], [np.array(history) for history in written[phase]["history"]]
        relevant, n_items = written[phase].get("relevant"), written["items"]
        return cls(np.array(users), histories, relevant and _matrix(relevant, n_items), n_items)


def _matrix(rows: Sequence[Sequence[int] | np.ndarray], n_items: int) -> sparse.csr_matrix:
    offsets = np.cumsum([0, *map(len, rows)])
    columns = np.concatenate(rows).astype(np.int64)
    return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, offsets), shape=(len(rows), n_items))


@dataclass(frozen=True)
class Data:
    """A training set of RecBole, and where Strata's rows of users and items lie in it (0 where it lacks them)."""

    config: Config
    dataset: Dataset
    n_items: int

    @cached_property
    def user_ids(self) -> dict[str, int]:
        """RecBole's id of each user row known, as text."""
        return self.dataset.field2token_id["user_id"]

    @cached_property
    def item_ids(self) -> np.ndarray:
        """RecBole's id of each item row: (n_items,)."""
        ids = self.dataset.field2token_id["item_id"]
        return np.array([ids.get(str(row), 0) for row in range(self.n_items)])

    def loader(self) -> TrainDataLoader:
        """Shuffled batches with one sampled negative each where the model wants them."""
        sampler = Sampler("train", self.dataset).set_phase("train")
        return TrainDataLoader(self.config, self.dataset, sampler, shuffle=True)

    def rank(self, model: torch.nn.Module, queries: Queries) -> np.ndarray:
        """The best PLACES items of each user that are new to them, by full ranking: rows (B, PLACES)."""
        model.eval()
        parts = [slice(start, start + USERS_AT_ONCE) for start in range(0, len(queries.users), USERS_AT_ONCE)]
        return np.concatenate([self._rank(model, queries.users[part], queries.histories[part]) for part in parts])

    def _rank(self, model: torch.nn.Module, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
        with torch.no_grad():
            scores = model.full_sort_predict(self._asked(users, histories)).view(len(users), -1).numpy()
        scores = scores[:, self.item_ids]
        scores[:, self.item_ids == 0] = -np.inf
        scores[_matrix(histories, self.n_items).nonzero()] = -np.inf
        ranked, _ = top_k(scores, PLACES)
        return np.pad(ranked, [(0, 0), (0, PLACES - ranked.shape[1])], constant_values=-1)

    def _asked(self, users: np.ndarray, histories: list[np.ndarray]) -> Interaction:
        known = [ids[ids > 0] for ids in (self.item_ids[history] for history in histories)]
        lengths = np.array([min(len(ids), LENGTH) for ids in known])
        sequences = np.zeros((len(users), LENGTH), np.int64)
        for row, ids in enumerate(known):
            sequences[row, : lengths[row]] = ids[-LENGTH:]
        last = [next(row for row in history[::-1] if self.item_ids[row]) for history in histories]
        tokens = self.dataset.id2token("item_id", sequences[np.arange(len(users)), lengths - 1])
        assert [str(row) for row in last] == list(tokens), "a sequence does not end with its user's last known item"
        asked = {
            "user_id": np.array([self.user_ids[str(user)] for user in users]),
            "item_id_list": sequences,
            "item_length": lengths,
        }
        return Interaction({name: torch.from_numpy(column) for name, column in asked.items()})


class Judged(Trainer):
    """RecBole's trainer, stopped by NDCG@10 of the full ranking with seen items left out; keeps the best model."""

    def __init__(self, data: Data, model: torch.nn.Module, validation: Queries) -> None:
        super().__init__(data.config, model)
        self.data, self.validation = data, validation
        self.best, self.best_epoch = model, 0

    def _valid_epoch(self, valid_data: object, show_progress: bool = False) -> tuple[float, dict[str, float]]:
        ranked = self.data.rank(self.model, self.validation)
        score = float(ndcg_at_k(ranked, self.validation.relevant, 10).mean())
        if score > self.best_valid_score:
            self.best, self.best_epoch = deepcopy(self.model), len(self.train_loss_dict)
        return score, {"ndcg@10": score}


@dataclass(frozen=True)
class Trial:
    """A peer in one setting, with one seed."""

    peer: str
    setting: dict[str, float]
    seed: int


@dataclass(frozen=True)
class Result:
    """What a trial came to, and its rankings of the test's users: item rows (B, PLACES)."""

    trial: Trial
    report: dict[str, Any]
    ranked: np.ndarray


def run(trial: Trial, folder: Path) -> Result:
    """Train until validation says stop, then rank for the test's users."""
    started = time.perf_counter()
    validation, asked = Queries.read("validation", folder), Queries.read("test", folder)
    config = _config(trial, folder)
    (dataset,) = (SequentialDataset if PEERS[trial.peer].sequential else Dataset)(config).build()
    data = Data(config, dataset, validation.n_items)
    init_seed(trial.seed, reproducibility=True)
    model = (EveryPosition if PEERS[trial.peer].sequential else get_model(trial.peer))(config, dataset)
    trainer = Judged(data, model, validation)
    score, _ = trainer.fit(data.loader(), valid_data=True, verbose=False, saved=False)
    report = {
        "setting": trial.setting,
        "seed": trial.seed,
        "validation_ndcg": round(score, 4),
        "best_epoch": trainer.best_epoch,
        "epochs": len(trainer.train_loss_dict),
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(f"  {trial.peer} {report}", flush=True)
    return Result(trial, report, data.rank(trainer.best, asked))


def _config(trial: Trial, folder: Path) -> Config:
    peer = PEERS[trial.peer]
    options = {
        "data_path": str(folder),
        "benchmark_filename": ["train"],
        "load_col": {"inter": ["user_id", *(["item_id_list"] if peer.sequential else []), "item_id"]},
        "alias_of_item_id": ["item_id_list"] if peer.sequential else None,
        "MAX_ITEM_LIST_LENGTH": LENGTH,
        "epochs": EPOCHS,
        "stopping_step": PATIENCE,
        "valid_metric": "NDCG@10",
        "seed": trial.seed,
        "use_gpu": False,
        "show_progress": False,
    }
    files = "sequences" if peer.sequential else "pairs"
    return Config(model=trial.peer, dataset=files, config_dict=options | dict(peer.fixed) | trial.setting)


def compare(folder: Path) -> dict[str, Any]:
    """Try every setting of each peer, then train the best one with the other seeds; one report per peer.

    Writes PEER.npy: item rows (seeds, B, PLACES) for the test's users, −1 for nothing. Each trial has one core.
    """
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_calm) as pool:
        run_all = partial(pool.map, partial(run, folder=folder))
        tried: dict[str, list[Result]] = {name: [] for name in PEERS}
        for result in run_all([Trial(name, setting, SEEDS[0]) for name in PEERS for setting in PEERS[name].settings()]):
            tried[result.trial.peer].append(result)
        best = {
            name: max(results, key=lambda result: result.report["validation_ndcg"]) for name, results in tried.items()
        }
        final = {name: [result] for name, result in best.items()}
        learning = [result.trial for result in best.values() if result.trial.setting]
        for result in run_all([replace(trial, seed=seed) for trial in learning for seed in SEEDS[1:]]):
            final[result.trial.peer].append(result)
    for name, results in final.items():
        np.save(folder / f"{name}.npy", np.stack([result.ranked for result in results]), allow_pickle=False)
    return {
        name: {
            "fixed": PEERS[name].fixed,
            "tried": [result.report for result in tried[name]],
            "chosen": best[name].trial.setting,
            "seeds": [result.report for result in final[name]],
        }
        for name in PEERS
    }


def _calm() -> None:
    """What every process needs: one thread, no chatter, and no search for NaN, which importing RecBole turns on."""
    torch.set_num_threads(1)
    torch.autograd.set_detect_anomaly(False)
    logging.disable(logging.WARNING)


def main() -> None:
    """Compare all peers on the split in the current folder; writes peers.json."""
    reports = compare(Path.cwd())
    versions = {package: version(package) for package in ("recbole", "torch", "numpy", "scipy")}
    budget = {"epochs": EPOCHS, "patience": PATIENCE, "length": LENGTH}
    Path("peers.json").write_text(json.dumps({"versions": versions, "at_most": budget, "peers": reports}))


if __name__ == "__main__":
    main()
