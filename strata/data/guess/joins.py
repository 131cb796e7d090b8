"""Finds tables of a database that say only together who did what: lines of orders, and the orders they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass

from strata.data.guess.columns import named
from strata.data.guess.ids import held, ids
from strata.data.guess.names import words
from strata.data.guess.sample import Sample
from strata.data.sources.databases.connections import Connection

_ENOUGH = 0.5
"""Share of the lines' keys, of those sampled, that the sampled heads should have."""


@dataclass(frozen=True)
class Join:
    """`lines`: a table that names items; its column `link` is the column `key` of `heads`, which name users."""

    lines: Sample
    link: str
    heads: Sample
    key: str

    @property
    def why(self) -> str:
        """What the join is."""
        return f"{self.lines.asked} names the items, {self.heads.asked} the users; {self.link} is its {self.key}"

    def query(self, connection: Connection) -> str:
        """All lines with what their heads say beside it, in the order of the lines' own key where they have one."""
        quoted, lines, heads = connection.quoted, *(connection.parts(each.asked) for each in (self.lines, self.heads))
        own = [name for name in self.heads.frame.columns if name != self.key and name not in self.lines.frame.columns]
        columns = ["l.*", *(f"h.{quoted(name)}" for name in own)]
        unique = [name for name, facts in self.lines.facts.items() if facts.unique and facts.idlike]
        order = ", ".join(f"l.{quoted(name)}" for name in (unique[:1] or [*self.lines.frame.columns]))
        return (
            f"SELECT {', '.join(columns)} FROM {quoted(*lines)} l JOIN {quoted(*heads)} h "
            f"ON l.{quoted(self.link)} = h.{quoted(self.key)} ORDER BY {order}"
        )


def joins(samples: Sequence[Sample]) -> list[Join]:
    """For each table that names items and no user, the table that has the user, where names and ids say so."""
    tables = [sample for sample in samples if sample.origin == "table"]
    found = []
    for lines in tables:
        items = _certain(lines, "item_id")
        if not items or _certain(lines, "user_id"):
            continue
        ways = (_way(lines, items, heads) for heads in tables if heads is not lines and _certain(heads, "user_id"))
        found += [way for way in ways if way is not None][:1]
    return found


def _certain(sample: Sample, ours: str) -> list[str]:
    return [each.name for each in named(sample, "interactions", ours) if each.fits and not each.maybe]


def _way(lines: Sample, items: list[str], heads: Sample) -> Join | None:
    name = words(heads.path.name)
    for link in lines.facts:
        called = words(link)
        if link in items or not lines.facts[link].idlike or not called.endswith((" id", " no", " number", " key")):
            continue
        head = called.rpartition(" ")[0]
        for key, facts in heads.facts.items():
            by_id = words(key) == "id" and name in (head, f"{head}s", f"{head}es", f"{head[:-1]}ies")
            if facts.unique and (words(key) == called or by_id) and held(ids(lines, link), ids(heads, key)) >= _ENOUGH:
                return Join(lines, link, heads, key)
    return None
