"""The generators of candidates for more items than they learned of: each kind says here what it knows of those."""

from dataclasses import dataclass, replace
from functools import singledispatch

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.schema import BRAND
from strata.embeddings.index import ItemIndex
from strata.online.widened.change import Change
from strata.online.widened.models import WidenedModel, WidenedNeighbours
from strata.ranking.candidates import Generator
from strata.ranking.generators.again import BoughtBefore
from strata.ranking.generators.interests import NearestToInterests
from strata.ranking.generators.item_models import FromHistory
from strata.ranking.generators.new_items import Arrivals, Group
from strata.ranking.generators.popular import Popular, PopularInTopics
from strata.ranking.generators.user_knn import FromUserKnn


@dataclass(frozen=True)
class More:
    """What generators need to know of a change: the catalogue `before` it, the item index with it.

    `topics` (n_items,): of each item; `counts` (n_items,): popularity, 0 for new items.
    """

    change: Change
    before: Catalogue
    index: ItemIndex
    topics: np.ndarray
    counts: np.ndarray


@singledispatch
def widened(generator: Generator, more: More) -> Generator:  # noqa: ARG001
    """The generator for the items of `more`. Raises TypeError for a kind that says nothing of new items."""
    raise TypeError(
        f"{type(generator).__name__} says nothing of items that come while a release serves: register what it knows of "
        "them in strata/online/widened/generators.py"
    )


@widened.register
def _(generator: NearestToInterests, more: More) -> Generator:
    return replace(generator, index=more.index)


@widened.register
def _(generator: FromHistory, more: More) -> Generator:
    return replace(generator, model=WidenedModel.of(generator.model, more.change.n_before, more.change.n_items))


@widened.register
def _(generator: FromUserKnn, more: More) -> Generator:
    return replace(generator, model=WidenedNeighbours.of(generator.model, more.change.n_before, more.change.n_items))


@widened.register
def _(generator: Popular, more: More) -> Generator:
    return replace(generator, counts=more.counts)


@widened.register
def _(generator: BoughtBefore, more: More) -> Generator:
    return replace(generator, counts=more.counts)


@widened.register
def _(generator: PopularInTopics, more: More) -> Generator:
    return replace(generator, counts=more.counts, topics=more.topics)


@widened.register
def _(generator: Arrivals, more: More) -> Generator:
    """A new item is an arrival of its topic and brand; one that was there stays what it was."""
    new = np.arange(more.change.n_before, more.change.n_items)
    return replace(
        generator,
        items=np.append(generator.items, new),
        by_topic=replace(generator.by_topic, of_item=more.topics),
        by_brand=_with_brands(generator.by_brand, more),
    )


def _with_brands(groups: Group, more: More) -> Group:
    """The groups of brands with the changed items; brands that nobody has chosen from are one group more."""
    change = more.change
    named = change.items[BRAND].to_list()
    known = pl.DataFrame({BRAND: more.before.items[BRAND], "group": groups.of_item}).filter(
        pl.col(BRAND).is_in(set(named) - {None})
    )
    number = dict(known.iter_rows())
    unknown = len(groups.share)
    numbers = [number.get(name, unknown) if name is not None else 0 for name in named]
    of_item = change.filled(groups.of_item, np.array(numbers, groups.of_item.dtype))
    if unknown not in numbers:
        return replace(groups, of_item=of_item)
    return replace(
        groups,
        of_item=of_item,
        share=np.append(groups.share, 0.0),
        fares=np.append(groups.fares, groups.fares.mean()),
    )
