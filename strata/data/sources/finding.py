"""What was noticed while data were read and cleaned, said so that a person knows what to change."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Finding:
    """Something that was guessed, changed, left out or does not fit the settings.

    `what`: the fact as a clause, without its count ("created_at is not a time: left empty"); one kind of finding of a
    table has one such text. `count`: rows or values it holds for, of `of` looked at (0: not known). `column`: as the
    file calls it. `example`: a value as given. `remedy`: what to set or do ("set cleaning.rating"). `stops`: whether
    the run must not go on, since what follows would be wrong.
    """

    what: str
    count: int
    of: int = 0
    column: str | None = None
    example: str | None = None
    remedy: str | None = None
    stops: bool = False

    def __str__(self) -> str:
        share = f" of {self.of:,}, {_percent(self.count / self.of)}" if self.of else ""
        said = f"{self.what} ({self.count:,}{share}"
        said += f"; column {self.column}" if self.column else ""
        said += f"; such as {self.example!r}" if self.example is not None else ""
        return f"{said})" + (f"; {self.remedy}" if self.remedy else "")

    def facts(self) -> dict[str, Any]:
        """What is known, as plain JSON."""
        return {name: value for name, value in asdict(self).items() if value not in (None, 0, False)}


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """What was found of each part of a table, as what was found of the table: counts added, the first example kept."""
    found: dict[str, Finding] = {}
    for each in findings:
        so_far = found.get(each.what)
        more = each if so_far is None else replace(so_far, count=so_far.count + each.count, of=so_far.of + each.of)
        found[each.what] = more
    return list(found.values())


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 or not share else "below 0.1%"
