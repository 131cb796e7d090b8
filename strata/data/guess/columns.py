"""Guesses which of a file's columns is which of ours: by their names, and by whether their values fit."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from strata.data.guess import names, times
from strata.data.guess.behaviours import like_behaviours
from strata.data.guess.facts import Facts
from strata.data.guess.ledger import Key, Ledger
from strata.data.guess.sample import Sample


def _short_text(facts: Facts) -> bool:
    return not facts.nested and not facts.numeric and not facts.listed and facts.length < 300


FITS: dict[str, tuple[Callable[[Facts], bool], str]] = {
    "user_id": (lambda f: f.idlike and not f.listed, "ids"),
    "item_id": (lambda f: (f.idlike or not f.numeric and f.length < 200) and not f.nested and not f.listed, "ids"),
    "behaviour": (like_behaviours, "names of behaviours"),
    "timestamp": (lambda f: bool(f.fitting), "times"),
    "created_at": (lambda f: f.timed or bool(times.written(f)), "times"),
    "removed_at": (lambda f: f.timed or bool(times.written(f)), "times"),
    "value": (lambda f: f.numeric, "numbers"),
    "count": (lambda f: f.numeric and not f.flag, "numbers"),
    "dwell_s": (lambda f: f.numeric, "numbers"),
    "event_id": (lambda f: f.idlike and f.distinct == len(f.values) == f.rows, "an id of each row"),
    "text": (lambda f: not f.nested and not f.numeric, "text"),
    "title": (_short_text, "titles"),
    "description": (lambda f: not f.numeric and bool(f.nested or len(f.values)), "text"),
    "brand": (_short_text, "names"),
    "price": (lambda f: f.money, "prices"),
    "language": (lambda f: _short_text(f) and f.length < 20, "languages"),
    "profile_text": (lambda f: _short_text(f) or f.length >= 300, "text"),
}
"""Our column → whether values may be it, and what they should be."""


_ASKED = ("timestamp", "value", "created_at", "price")
"""Columns that would be missed where they stand in a form that is not known."""


@dataclass(frozen=True)
class Named:
    """A column of the file that may be one of ours; `rank`: how well its name says so, from 0."""

    name: str
    rank: float
    fits: bool

    @property
    def maybe(self) -> bool:
        """Whether the name is no proof."""
        return self.rank >= 100


def named(sample: Sample, table: str, ours: str, taken: Collection[str] = ()) -> list[Named]:
    """The columns whose names may mean `ours`, best first; none in a file without a header."""
    if not sample.headed:
        return []
    fits, _ = FITS.get(ours, (lambda f: bool(f.nested or len(f.values)), "something"))
    found = [
        Named(name, rank, fits(facts))
        for name, facts in sample.facts.items()
        if name not in taken and (rank := names.rank(table, ours, name)) is not None
    ]
    return sorted(found, key=lambda each: (not each.fits, each.rank))


def pick(
    ledger: Ledger,
    sample: Sample,
    table: str,
    ours: str,
    taken: Collection[str] = (),
    *,
    key: str | None = None,
    doubtful: bool = True,
) -> str | None:
    """Settle which column is `ours`, by name; null where none is.

    `key`: our column that the setting names, where it differs. `doubtful`: whether names that are no proof are asked
    about rather than passed over.
    """
    setting = (table, "columns", key or ours)
    if setting in ledger.answers:
        said: str | None = ledger.settle(setting, None, "")
        return said
    found = [each for each in named(sample, table, ours, taken) if each.fits and (doubtful or not each.maybe)]
    if not found:
        _unfit(ledger, sample, table, ours, taken, setting)
        return None
    best, *others = found
    rivals = [each.name for each in others if each.rank == best.rank]
    if rivals and not ours.endswith("_id"):
        chosen = _of_entity(sample, table, [best.name, *rivals])
        best, rivals = (best, rivals) if chosen is None else (Named(chosen, best.rank, True), [])
    why = f"its name says so, its values are {FITS[ours][1]}" if ours in FITS else "its name says so"
    sure = not best.maybe and not rivals
    if best.maybe:
        counts = ours == "count" and sample.facts[best.name].counted
        sure, why = counts, "whole numbers with a long tail" if counts else "its name may say so"
    if rivals:
        why = f"{', '.join(rivals)} may be it as well"
    choices = [each.name for each in found if each.name != best.name]
    ledger.settle(setting, best.name, why, sure=sure, choices=[*choices, None])
    return best.name


def _unfit(ledger: Ledger, sample: Sample, table: str, ours: str, taken: Collection[str], setting: Key) -> None:
    """Ask about a column that is named so for certain and holds something else than it should."""
    misfits = [each.name for each in named(sample, table, ours, taken) if not each.maybe and not each.fits]
    held = [name for name in misfits if len(sample.facts[name].values)]
    if ours in _ASKED and held:
        such = sample.facts[held[0]].values[0]
        why = f"{held[0]} is named so, but holds no {FITS[ours][1]} in a form that is known, such as {such!r}"
        ledger.settle(setting, None, why, sure=False, choices=held)


def _of_entity(sample: Sample, table: str, rivals: list[str]) -> str | None:
    """Of columns named equally well, the one named plainly, or after what ids name: track id, track name."""
    plain = [name for name in rivals if names.words(name) in ("title", "name", "rating", "price", "timestamp")]
    if len(plain) == 1:
        return plain[0]
    ids = [each.name for each in named(sample, table, "item_id") if not each.maybe]
    entity = names.words(ids[0]).split()[0] if ids else None
    after = [name for name in rivals if entity and names.words(name).split()[0] == entity]
    return after[0] if len(after) == 1 else None
