"""Whether searches find what somebody marked as relevant: hand-made, half of them held out from any tuning."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import yaml

from benchmarks.evidence.files import Row
from strata._kernels.selection import top_k
from strata.data.catalogue import Catalogue
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.embeddings.space import InterestSpace
from strata.errors import SourceError
from strata.evaluation.metrics import bootstrap
from strata.recommendation.search import Search
from strata.recommendation.search_settings import SearchSettings
from strata.recommendation.word_index import WordIndex
from strata.settings import read_settings
from strata.storage import read_array

FIXTURE: Final = Path(__file__).parent / "fixtures" / "search.yaml"
WORKSPACES: Final = {"movielens-100k": Path(), "stack-exchange": Path(".workspaces/stack-exchange")}
K, SAMPLES, SEED = 10, 2000, 7
HYBRID, ZERO_SHOT, TUNED, BM25 = "hybrid", "zero-shot encoder", "tuned encoder", "BM25"
OTHERS: Final = {ZERO_SHOT: "zero-shot", BM25: "bm25", TUNED: "tuned"}
"""What stands beside the hybrid, and what the ids of its rows end in."""


@dataclass(frozen=True)
class Site:
    """A workspace of the pipeline whose stages words and space@live have run."""

    folder: Path

    @property
    def artifacts(self) -> Path:
        """What its stages left."""
        return self.folder / "artifacts"

    @cached_property
    def catalogue(self) -> Catalogue:
        """Its items."""
        return Catalogue.read(self.artifacts / "tables" / "items.parquet")

    @cached_property
    def search(self) -> Search:
        """As a release of it searches."""
        words = WordIndex.read(self.artifacts / "word_index", len(self.catalogue))
        space = InterestSpace.read(self.artifacts / "models" / "live" / "space")
        texts = ItemIndex.read(self.artifacts / "texts.faiss")
        index = ItemIndex.build(np.asarray(space.vectors), IndexSettings())
        settings = read_settings(SearchSettings, "search", self.folder / "params.yaml")
        return Search.of(words, texts, index, self.catalogue, settings)

    def rankings(self, texts: list[str]) -> dict[str, np.ndarray]:
        """The first K item rows (n, K) of every method for n texts."""
        settings = read_settings(EncoderSettings, "encoder", self.folder / "params.yaml")
        tuned = Encoder.load(self.artifacts / "encoder", settings).encode(texts)
        zero_shot = Encoder.load(settings.base, settings).encode(texts)
        everything = np.ones(len(self.catalogue), bool)
        found = [
            [hit.row for hit in self.search.find(text, vector, K, everything)]
            for text, vector in zip(texts, tuned, strict=True)
        ]
        return {
            HYBRID: np.array(found),
            ZERO_SHOT: top_k(zero_shot @ np.asarray(read_array(self.artifacts / "vectors" / "zero_shot.npy")).T, K)[0],
            TUNED: top_k(tuned @ np.asarray(read_array(self.artifacts / "vectors" / "items.npy")).T, K)[0],
            BM25: top_k(np.stack([self.search.words.scores(text) for text in texts]), K)[0],
        }


def ndcg(ranked: np.ndarray, relevant: set[int]) -> float:
    """NDCG of a ranking (K,) of item rows, each of the relevant ones worth the same."""
    gains = 1 / np.log2(np.arange(len(ranked)) + 2)
    hits = np.array([row in relevant for row in ranked.tolist()], bool)
    return float(gains[hits].sum() / gains[: len(relevant)].sum())


def rows() -> tuple[list[Row], str]:
    """NDCG@10 of the held-out searches, of both data sets together and of each; hash of fixture and catalogues."""
    cases: list[dict[str, Any]] = yaml.safe_load(FIXTURE.read_text(encoding="utf-8"))
    digest = hashlib.sha256(FIXTURE.read_bytes())
    parts = []
    for data, folder in WORKSPACES.items():
        held = [case for case in cases if case["held"] and case["data"] == data]
        site = Site(folder)
        if not (site.artifacts / "word_index").exists():
            raise SourceError(f"{site.artifacts / 'word_index'} does not exist; run the stages words and space@live")
        digest.update("\n".join(site.catalogue.ids).encode())
        found = site.rankings([case["text"] for case in held])
        relevant = [{site.catalogue.row(str(item)) for item in case["relevant"]} for case in held]
        judged = {
            name: [ndcg(ranked, wanted) for ranked, wanted in zip(ranking, relevant, strict=True)]
            for name, ranking in found.items()
        }
        kinds = pl.DataFrame({"data": data, "text": [c["text"] for c in held], "kind": [c["kind"] for c in held]})
        parts.append(kinds.hstack(pl.DataFrame(judged)))
    whole = pl.concat(parts)
    films, site_only = parts
    made = [
        *_rows("search-ndcg", "both data sets", whole),
        *_rows("search-ndcg-movielens-100k", "MovieLens-100K", films),
        *_rows("search-ndcg-stack-exchange", "the Stack Exchange site", site_only),
    ]
    return made, digest.hexdigest()[:12]


def _rows(id: str, where: str, judged: pl.DataFrame) -> list[Row]:
    """The hybrid beside each other method, paired by search."""
    hybrid = judged[HYBRID].to_numpy()
    made = []
    for name, ending in OTHERS.items():
        other = judged[name].to_numpy()
        what = (
            f"Mean NDCG@{K} of /search over hand-made searches of {where}, the half that was held out from tuning; "
            "relevant items were marked by somebody who saw no code, before any tuning"
        )
        interval = bootstrap(hybrid - other, samples=SAMPLES, seed=SEED)
        made.append(
            Row.of(
                id if name == ZERO_SHOT else f"{id}-{ending}",
                what,
                interval,
                f"NDCG@{K}",
                len(judged),
                value=float(hybrid.mean()),
                reference=float(other.mean()),
                reference_name=name,
                seeds=(SEED,),
                per_user=judged if name == ZERO_SHOT else None,
            )
        )
    return made
