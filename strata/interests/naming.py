"""Names of groups: what several of their items share, told apart by an example where others share it too."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Self

import numpy as np
import polars as pl
from scipy import sparse

from strata.data.catalogue import Catalogue
from strata.interests.phrases import Fits, Phrases, shorten

Reader = Callable[[list[str]], np.ndarray]
"""Phrases → where they lie in the space of the groups' centres: unit (n, d)."""
LENGTH = 2
"""Phrases of a name."""
JOINED = " · "
"""Between the phrases of a name."""
SUCH_AS = ", such as "
"""Between the phrases of a name and the example that tells it from others."""
ALONE = "Such as "
"""Before an example that is all of a name."""
LONGEST_EXAMPLE = 40
"""Characters of an example's title in a name."""
SHARES = (0.25, 0.1, 0.03)
"""Shares of a group's items that must carry a phrase for it to name the group; a lower one where none has a higher."""
LEAST_CARRIERS = 2
"""Items of different texts that must carry it, in a group of at least SEVERAL."""
SEVERAL = 4


@dataclass(frozen=True)
class Namer:
    """Names groups of a catalogue's items.

    `titles`, `ids`: of each item. `chosen` (n_items,): how often each was chosen; people know examples that are chosen
    much. `read`: a language model that reads phrases; without it phrases are ranked by where they occur alone.
    """

    phrases: Phrases
    titles: Sequence[str]
    ids: Sequence[str]
    chosen: np.ndarray
    read: Reader | None = None

    @classmethod
    def of(cls, items: pl.DataFrame, chosen: np.ndarray | None = None, read: Reader | None = None) -> Self:
        """A namer over an items table."""
        catalogue = Catalogue(items)
        chosen = np.zeros(len(catalogue)) if chosen is None else chosen
        return cls(Phrases(items), catalogue.titles, catalogue.ids.tolist(), chosen, read)

    def names_of(self, membership: sparse.csr_matrix, centres: np.ndarray, n: int) -> list[tuple[str, list[str]]]:
        """A name for each group, "" where its items share nothing, and up to `n` phrases, the most telling first.

        `membership` (n_groups, n_items): positive weights. `centres` (n_groups, d): unit; with a reader a phrase's
        score is multiplied by its cosine to the centre (KeyBERT's idea).
        """
        fits = None if self.read is None else _fits(_remembered(self.read), self.phrases.names, centres)
        of_groups = partial(
            self.phrases.of_groups, membership, n, least_members=LEAST_CARRIERS, several=SEVERAL, fits=fits
        )
        named = []
        for found in zip(*(of_groups(least_share=share) for share in SHARES), strict=True):
            telling: list[str] = next((phrases[:LENGTH] for phrases in found if phrases), [])
            further = [phrase for phrase in found[-1] if phrase not in telling]
            named.append((_capitalised(JOINED.join(telling)), [*telling, *further][:n]))
        return named

    def examples(self, typical: Sequence[int]) -> Iterator[str]:
        """Titles of a group's typical items, the most chosen first, then their ids: no two groups have the same."""
        rows = sorted(typical, key=lambda row: -self.chosen[row])  # sorts are stable: of equals the nearest first
        yield from (self.titles[row] for row in rows)
        yield from (self.ids[row] for row in rows)


def _remembered(read: Reader) -> Reader:
    """The same reader, which reads each phrase once."""
    known: dict[str, np.ndarray] = {}

    def again(phrases: list[str]) -> np.ndarray:
        new = [phrase for phrase in phrases if phrase not in known]
        known.update(zip(new, read(new), strict=True) if new else ())
        return np.stack([known[phrase] for phrase in phrases])

    return again


def _fits(read: Reader, phrases: np.ndarray, centres: np.ndarray) -> Fits:
    """The cosine of phrases, by their numbers, to the centres (n_groups, d) of groups."""

    def cosines(groups: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        wanted, place = np.unique(numbers, return_inverse=True)
        if not len(wanted):
            return np.zeros(0)
        return np.asarray((read(phrases[wanted].tolist())[place] * centres[groups]).sum(1))

    return cosines


def _capitalised(name: str) -> str:
    return name[:1].upper() + name[1:] if name[:1] and name.split(maxsplit=1)[0].islower() else name


def told_apart(names: Sequence[str], examples: Sequence[Iterator[str]], taken: Collection[str] = ()) -> list[str]:
    """The names, those that are `taken` or shared among them with the first example that makes them unique.

    Names that differ in capitals alone, or in the order of their phrases, count as the same. Examples that are part of
    the name itself say nothing.
    """
    used = {_said(name) for name in taken}
    shared = Counter(map(_said, names))
    found = []
    for name, titles in zip(names, examples, strict=True):
        options = [name] if name and shared[_said(name)] == 1 else []
        others = (title for title in titles if title.casefold() != name.casefold())
        told = (_with_example(name, shorten(title, LONGEST_EXAMPLE)) for title in others)
        unique = next((option for option in chain(options, told) if _said(option) not in used), name or "Unnamed")
        while _said(unique) in used:  # said twice in the same words
            unique = f"{unique} again"
        used.add(_said(unique))
        found.append(unique)
    return found


def _said(name: str) -> str:
    """What a name says, whatever the order of its phrases and its capitals."""
    base, example = (part.casefold() for part in parts_of(name))
    return SUCH_AS.join((JOINED.join(sorted(base.split(JOINED))), example))


def parts_of(name: str) -> tuple[str, str]:
    """A name without its example, "" where the group shares nothing, and the example, "" without one."""
    if name.startswith(ALONE):
        return "", name.removeprefix(ALONE)
    base, _, example = name.partition(SUCH_AS)
    return base, example


def _with_example(name: str, title: str) -> str:
    return f"{name}{SUCH_AS}{title}" if name else f"{ALONE}{title}"
