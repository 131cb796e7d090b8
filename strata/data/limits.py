"""How many rows may be refused, a limit for each kind of fault, and all faults of all tables told at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, get_args

from pydantic import Field

from strata.data.rules import Kind, Refusal
from strata.data.sources.finding import Finding
from strata.errors import ValidationFailed
from strata.settings import Settings

KINDS: tuple[Kind, ...] = get_args(Kind)
Share = Annotated[float, Field(ge=0, le=1)]
READ_ON = "refused rows are in artifacts/tables/quarantine.parquet"


class LimitSettings(Settings):
    """Largest share of a table's rows refused for each kind of fault; null: cleaning.quarantine_at_most."""

    bad_values: Share | None = None
    """Missing ids, times and behaviours, and values that cannot be."""
    orphans: Share | None = None
    """Interactions with users or items that the other tables do not have."""
    duplicates: Share | None = None
    """Ids that stood before: of items, users, or events where the file gives event ids."""
    repeats: Share | None = 1.0
    """Equal events where the file gives no event ids; that something is seen again is no fault."""
    suspicious: Share | None = None
    """Events of machines and of fraud."""
    out_of_scale: Share = 0.01
    """Ratings outside cleaning.rating, which are taken for its nearest end."""

    def of(self, kind: Kind, otherwise: float) -> float:
        """The limit of a kind."""
        own: float | None = getattr(self, kind)
        return otherwise if own is None else own


@dataclass(frozen=True)
class Counts:
    """Row counts of one table, what was refused and what was found. Accepted are rows kept in any table."""

    origin: str
    read: int
    accepted: int
    refusals: Sequence[Refusal] = ()
    findings: list[Finding] = field(default_factory=list)

    @property
    def quarantined(self) -> int:
        """Rows refused."""
        return self.read - self.accepted

    @property
    def reasons(self) -> dict[str, int]:
        """Rows refused for each reason."""
        return {refusal.finding.what: refusal.finding.count for refusal in self.refusals}

    def share(self, kind: Kind) -> float:
        """Rows refused for faults of a kind, of all that were read."""
        count = sum(refusal.finding.count for refusal in self.refusals if refusal.kind == kind)
        return count / max(self.read, 1)


def require(counts: Mapping[str, Counts], limits: LimitSettings, otherwise: float) -> None:
    """Raise ValidationFailed that lists every fault of every table, one a line.

    Faults are limits passed, tables of which nothing is left, and findings that must stop the run.
    """
    faults = [fault for name, each in counts.items() for fault in _faults(name, each, limits, otherwise)]
    if len(faults) == 1:
        raise ValidationFailed(faults[0])
    if faults:
        raise ValidationFailed(f"{len(faults)} faults\n" + "\n".join(f"- {fault}" for fault in faults))


def _faults(name: str, counts: Counts, limits: LimitSettings, otherwise: float) -> list[str]:
    found = [f"{counts.origin}: {finding}" for finding in counts.findings if finding.stops]
    for kind in KINDS:
        of_kind = [refusal for refusal in counts.refusals if refusal.kind == kind]
        limit, share = limits.of(kind, otherwise), counts.share(kind)
        if of_kind and (share > limit or not counts.accepted):
            rows = sum(refusal.finding.count for refusal in of_kind)
            lead = f"{counts.origin}: {rows:,} of {counts.read:,} {name} were refused ({kind.replace('_', ' ')})"
            left = f"no {name} are left" if not counts.accepted else f"at most {limit:.1%} may be"
            setting = f" {READ_ON}" + (f"; or raise cleaning.limits.{kind}" if counts.accepted else "")
            found.append(f"{lead}, {left}: {'; '.join(map(str, of_kind))};{setting}")
    return found
