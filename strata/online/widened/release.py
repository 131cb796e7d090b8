"""A release with items that came, or changed, since it was made: all its parts for all of the items."""

from dataclasses import replace

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.data.inferred import Inferred
from strata.data.schema import ITEM, ITEMS, LEVELS
from strata.embeddings.index import ItemIndex
from strata.embeddings.space import InterestSpace
from strata.embeddings.vectors import unit
from strata.interests.query_users import NewUsers
from strata.interests.themes import Themes, nearest
from strata.interests.understanding import Reader
from strata.online.widened.change import Change
from strata.online.widened.features import widened_features
from strata.online.widened.generators import More, widened
from strata.online.widened.index import WidenedIndex
from strata.online.widened.ratings import WidenedRatings
from strata.online.widened.vocabulary import WidenedVocabulary
from strata.online.widened.words import WidenedWords
from strata.ranking.two_stage import Models
from strata.recommendation.availability import Availability
from strata.recommendation.recommender import Recommender


def with_items(release: Recommender, items: pl.DataFrame, texts: np.ndarray) -> Recommender:
    """A copy of a release that has `items`, a table ITEMS with each of them once, with unit vectors `texts` (m, t).

    New items come at the end of the catalogue, in this order, and are recommended by what their texts
    say; items that are there become what the table says, and keep what people did with them. The release stays as it is
    and shares what both have alike. The same items once more change nothing.
    """
    change = Change.of(items, texts, release.catalogue, release.texts)
    if not len(change):
        return release
    profiler, reader = release.new_users.profiler, release.new_users.reader
    catalogue = _catalogue(release.catalogue, change)
    history = replace(release.history, n_items=change.n_items)
    space = _space(profiler.space, change, release.history)
    themes = _themes(profiler.themes, change, space.vectors[change.rows])
    known_by_text = _index(release.texts, change, change.texts)
    new_users = NewUsers(
        replace(profiler, catalogue=catalogue, space=space, themes=themes),
        release.new_users.time,
        release.new_users.weights,
        release.new_users.rating,
        None if reader is None else _reader(reader, change, space, themes, known_by_text),
    )
    return replace(
        release,
        catalogue=catalogue,
        history=history,
        models=_models(release, change, catalogue, space, themes),
        texts=known_by_text,
        words=WidenedWords.of(release.words, change, release.catalogue.items, release.searching.index),
        available=_available(release.available, change),
        new_users=new_users,
        inferred=_inferred(release.inferred, change),
        ratings=None if release.ratings is None else WidenedRatings.of_more(release.ratings, known_by_text),
        plain=release.plain or release,
    )


def _catalogue(catalogue: Catalogue, change: Change) -> Catalogue:
    rows = pl.concat([catalogue.items.match_to_schema(ITEMS), change.items])
    places = change.filled(np.arange(change.n_before), change.n_before + np.arange(len(change)))
    return Catalogue(rows[places] if len(places) < rows.height else rows.rechunk())


def _available(available: Availability, change: Change) -> Availability:
    now = Availability.stated(change.items)
    return Availability(change.filled(available.since, now.since), change.filled(available.until, now.until))


def _space(space: InterestSpace, change: Change, history: History) -> InterestSpace:
    """The space with the changed items: where behaviour says where one lies, only what its text says is another."""
    if not change.read.any():
        return space
    vectors = space.of_texts(change.texts)
    there = np.flatnonzero(change.rows < change.n_before)
    if len(there):
        before = np.asarray(space.vectors[change.rows[there]])
        width, chosen = len(space.text_mean), np.isin(change.rows[there], history.items)
        text = np.linalg.norm(before[:, :width], axis=1, keepdims=True) * unit(vectors[there, :width])
        vectors[there] = np.where(chosen[:, None], np.hstack([text, before[:, width:]]), vectors[there])
        vectors[there] = np.where(change.read[there, None], vectors[there], before)
    return replace(space, vectors=change.filled(space.vectors, vectors))


def _themes(themes: Themes, change: Change, vectors: np.ndarray) -> Themes:
    """The groups with the changed items, each in the topic nearest to it; a topic may be left without items."""
    topics = nearest(vectors, themes.centres(LEVELS[0]))
    groups = np.stack([themes.above(LEVELS[0], level)[topics] for level in LEVELS], axis=1)
    there = np.flatnonzero(change.rows < change.n_before)
    groups[there] = np.where(change.read[there, None], groups[there], themes.of_item[change.rows[there]])
    return replace(themes, of_item=change.filled(themes.of_item, groups))


def _index(index: ItemIndex, change: Change, vectors: np.ndarray) -> WidenedIndex:
    """An index with the vectors (m, d) of the changed items."""
    return WidenedIndex.of(index, change.rows[change.read], vectors[change.read], change.n_items)


def _reader(reader: Reader, change: Change, space: InterestSpace, themes: Themes, texts: WidenedIndex) -> Reader:
    words = replace(reader.words, vocabulary=WidenedVocabulary.of_more(reader.words.vocabulary, change))
    return replace(reader, words=words, space=space, topic_of=themes.of_item[:, 0], texts=texts)


def _models(release: Recommender, change: Change, catalogue: Catalogue, space: InterestSpace, themes: Themes) -> Models:
    models, topics = release.models, themes.of_item[:, 0]
    index = _index(models.index, change, space.vectors[change.rows])
    counts = np.pad(models.popularity, (0, change.n_items - change.n_before))
    more = More(change, release.catalogue, index, topics, counts)
    return replace(
        models,
        generators=tuple(widened(generator, more) for generator in models.generators),
        features=widened_features(models.features, catalogue, space.vectors, topics),
        index=index,
        popularity=counts,
        new_items=np.append(models.new_items, np.arange(change.n_before, change.n_items)),
    )


def _inferred(inferred: Inferred, change: Change) -> Inferred:
    """What was inferred, of all items but those that say something else now."""
    gone = change.items.filter(change.read)[ITEM]
    out = inferred.table[ITEM].is_in(gone.implode())
    return Inferred(inferred.table.filter(~out)) if out.any() else inferred
