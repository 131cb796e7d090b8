"""Items chosen by users with a similar history (user-kNN)."""

from dataclasses import dataclass

from strata.models.user_knn import UserKnn
from strata.ranking.candidates import ByNothing, Candidates
from strata.ranking.query import QueryBatch


@dataclass(frozen=True)
class FromUserKnn(ByNothing):
    """Items chosen by users with a similar history."""

    model: UserKnn
    name: str = "user-knn"
    credited = ()

    def says(self, led_by: str) -> str:  # noqa: ARG002
        """Says who chose it."""
        return "chosen by people with a history like yours"

    def propose(self, batch: QueryBatch, n: int) -> Candidates:
        """The `n` best-scored items of users who have a history."""
        if not len(batch.choices):
            return Candidates.none()
        return Candidates.best(self.model.scores(self.model.seen(batch.history, batch.times)), batch, n, least=0.0)
