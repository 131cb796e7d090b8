"""What people with much the same history chose."""

from dataclasses import dataclass

from strata.models.user_knn import UserNeighbours
from strata.ranking.candidates import ByNothing, Candidates
from strata.ranking.query import Audience


@dataclass(frozen=True)
class FromPeers(ByNothing):
    """What people with much the same history chose."""

    model: UserNeighbours
    name: str = "peers"
    credited = ()

    def says(self, led_by: str) -> str:  # noqa: ARG002
        """Who chose it."""
        return "chosen by people with a history like yours"

    def propose(self, audience: Audience, n: int) -> Candidates:
        """The `n` best-scored items of users who have a history."""
        if not len(audience.choices):
            return Candidates.none()
        return Candidates.best(
            self.model.scores(self.model.seen(audience.history, audience.times)), audience, n, least=0.0
        )
