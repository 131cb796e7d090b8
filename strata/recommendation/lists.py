"""Builds one person's list: candidates are scored, boosted, re-ranked, put under business rules and explained."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from strata._kernels.selection import NOTHING
from strata.data.catalogue import Catalogue
from strata.data.history import History, looked_up
from strata.interests.profiles import Profiles
from strata.interests.query_users import QueryUser
from strata.interests.themes import Themes
from strata.models.popularity import popularity
from strata.ranking.candidates import Table, propose
from strata.ranking.query import QueryBatch, query_batch
from strata.ranking.rankers import Ranker
from strata.ranking.settings import RecommendSettings
from strata.ranking.tier_mix import mix
from strata.ranking.two_stage import Models
from strata.ranking.weighted_sum import WeightedSum
from strata.recommendation.business_rules import BusinessRules, apply_rules, boost
from strata.recommendation.explanation import CitedPoint, Reason, explain
from strata.recommendation.leave_one_point_out import without_each_point
from strata.recommendation.request import ListRequest
from strata.recommendation.rerank import Mix, RerankSettings, interest_mixes, rerank


@dataclass(frozen=True)
class Recommendation:
    """A recommended item: a higher `score` is better; `reason` says why, if requested."""

    item_id: str
    title: str
    score: float
    reason: Reason | None = None


@dataclass(frozen=True)
class ListBuilder:
    """Builds lists from one release; `vectors` (n_items, d): unit; `time`: end of its data, in seconds."""

    catalogue: Catalogue
    themes: Themes
    vectors: np.ndarray
    history: History
    models: Models
    ranker: Ranker
    settings: RecommendSettings
    time: float
    rerank: RerankSettings

    @cached_property
    def popularity(self) -> np.ndarray:
        """Windowed popularity of each item (n_items,), used for the fallback."""
        return self.models.popularity

    @cached_property
    def chosen_by(self) -> np.ndarray:
        """How many users ever chose each item: (n_items,)."""
        return popularity(self.history, self.time)

    def best(
        self, person: QueryUser, allowed: np.ndarray, n: int, request: ListRequest, *, everything: bool = False
    ) -> list[Recommendation]:
        """Up to `k` items of those `allowed` (n_items,) bool, best first, from `n` candidates of each generator.

        `request`: filled with the release's settings; its filters are in `allowed` already.

        With `everything` all that is allowed is ranked, hidden items and those that nothing proposes too. Scores are
        the ranker's, even where boosts, re-ranking or rules moved an item. A must-include that no generator
        proposed is scored as if it had been. Raises UnknownId and SettingsError as `apply_rules` does.
        """
        k, asked = request.k, np.array([person.row])
        batch = self._batch(asked, person.history, person.profiles, allowed, request, exclude_hidden=not everything)
        table = propose(batch, self.models.generators, n, np.flatnonzero(allowed) if everything else None)
        ranker: Ranker = self.ranker
        if by_words_alone(batch)[0]:
            ranker = WeightedSum.in_proportion(self.settings.of_words if person.is_query else self.settings.of_bio)
        features = self._features(table, batch)
        scores = ranker.scores(table, features)
        mixed = scores + mix(table, batch, self.models.features, scores, request.tier_weights)
        order = table.top(mixed, 1, len(table))
        ranked = self._arranged(person.profiles, [person.row], table.items[order], mixed[order], k, request)
        may_come = allowed.copy()
        if request.exclude_seen:
            may_come[person.seen] = False
        listed = apply_rules(ranked[0], k, request.effective_rules, self.catalogue, self.themes, may_come)
        places = order[0][np.isin(table.items[order[0]], listed)]
        found = self._described(
            person, batch, table.only(places), lambda: features()[places], scores[places], ranker, request
        )
        missing = listed[~np.isin(listed, table.items)]
        if len(missing):
            joined = np.zeros(len(allowed), bool)
            joined[table.items], joined[missing] = True, True
            batch, n = replace(batch, allowed=joined), int(joined.sum())
            table = propose(batch, self.models.generators, n, missing)
            table = table.only(np.isin(table.items, missing))
            features = self._features(table, batch)
            scores = ranker.scores(table, features)
            found |= self._described(person, batch, table, features, scores, ranker, request)
        return [found[item] for item in listed.tolist()]

    def of_many(
        self, users: np.ndarray, allowed: np.ndarray, n: int, request: ListRequest
    ) -> tuple[np.ndarray, np.ndarray]:
        """Item rows (B, k), best first, NOTHING pads, and their scores, for user rows (B,).

        The same as `best` for each, except that must-includes are not supported.
        """
        profiles, n_items, k = self.models.profiles, len(allowed), request.k
        batch = self._batch(users, self.history, profiles, allowed, request)
        table = propose(batch, self.models.generators, n)
        scores = self.models.score(table, batch, self.ranker)
        told = by_words_alone(batch)
        if told.any():
            scores = np.where(told[table.users], WeightedSum.in_proportion(self.settings.of_bio).scores(table), scores)
        mixed = scores + mix(table, batch, self.models.features, scores, request.tier_weights)
        plain = self._reranking(request).changes_nothing and request.effective_rules == BusinessRules()
        order = table.top(mixed, len(users), k if plain else int(np.bincount(table.users, minlength=1).max()))
        found = table.items_at(order), np.append(mixed, -np.inf)[order]
        ranked = self._arranged(profiles, users, *found, k, request)
        listed = np.full((len(users), k), NOTHING, np.int64)
        for user, items in enumerate(ranked if request.effective_rules.capped else ()):
            items = apply_rules(items, k, request.effective_rules, self.catalogue, self.themes, allowed)
            listed[user, : len(items)] = items
        if not request.effective_rules.capped:
            listed[:, : ranked.shape[1]] = ranked
        pairs = np.arange(len(users))[:, None] * n_items + listed
        place = looked_up(pairs, table.users * n_items + table.items)
        return listed, np.where(listed == NOTHING, 0.0, np.append(scores, 0.0)[place])

    def popular(self, k: int, allowed: np.ndarray, rules: BusinessRules) -> list[Recommendation]:
        """The fallback list: up to `k` of the items `allowed` (n_items,) by popularity, scaled to at most 1."""
        rows = np.flatnonzero(allowed)
        rows = rows[np.argsort(-self.popularity[rows], kind="stable")]
        scores = self.popularity[rows][None]
        items = boost(rows[None], scores, rules, self.catalogue, self.time, self.chosen_by)[0][0]
        n = max(self.settings.candidates, k) * len(self.models.generators)  # as many as are usually ranked
        listed = apply_rules(items[:n], k, rules, self.catalogue, self.themes, allowed)
        reason = Reason("popular", 1.0, None, None, None, (), "Popular these days")
        highest = float(self.popularity.max(initial=1e-12))
        return [self.item(int(row), float(self.popularity[row]) / highest, reason) for row in listed]

    def item(self, row: int, score: float, reason: Reason | None = None) -> Recommendation:
        """A `Recommendation` of an item row."""
        return Recommendation(str(self.catalogue.ids[row]), self.catalogue.titles[row], round(score, 6), reason)

    def _arranged(
        self, profiles: Profiles, users: Sequence[int] | np.ndarray, items: np.ndarray, scores: np.ndarray, k: int,
        request: ListRequest,
    ) -> np.ndarray:  # fmt: skip
        """Boost and re-rank candidates (B, n), best first, NOTHING pads: (B, k), or (B, n) under caps.

        Boosts change scores, so they come first.
        """
        items, scores = boost(items, scores, request.effective_rules, self.catalogue, self.time, self.chosen_by)
        mixes: tuple[Mix, ...] = ()
        reranking = self._reranking(request)
        if reranking.calibration > 0:
            mixes = interest_mixes(items, np.asarray(users), self.vectors, profiles, self.themes)
        # Caps drop some items, which others replace.
        n = items.shape[1] if request.effective_rules.capped else k
        return rerank(items, scores, n, reranking, self.vectors, mixes)

    def _reranking(self, request: ListRequest) -> RerankSettings:
        return self.rerank.but(request.diversity, request.calibration)

    def _batch(
        self,
        users: np.ndarray,
        history: History,
        profiles: Profiles,
        allowed: np.ndarray,
        request: ListRequest,
        *,
        exclude_hidden: bool = True,
    ) -> QueryBatch:
        return query_batch(
            users,
            history,
            profiles,
            {**self.settings.tier_weights, **request.tier_weights},
            self.time,
            allowed=allowed,
            exclude_seen=bool(request.exclude_seen),
            exclude_hidden=exclude_hidden,
            dislike=self.settings.dislike,
            index=self.models.index,
        )

    def _features(self, table: Table, batch: QueryBatch) -> Callable[[], np.ndarray]:
        """Function that gives the features of a table's rows; they are computed at most once."""
        return cache(lambda: self.models.features.of(table, batch))

    def _described(
        self,
        person: QueryUser,
        batch: QueryBatch,
        table: Table,
        features: Callable[[], np.ndarray],
        scores: np.ndarray,
        ranker: Ranker,
        request: ListRequest,
    ) -> dict[int, Recommendation]:
        """The items of a table by their rows, with their scores (len(table),) and reasons."""
        reasons = self._reasons(person, batch, table, features(), ranker) if request.explain else [None] * len(table)
        found = zip(table.items.tolist(), scores.tolist(), reasons, strict=True)
        return {item: self.item(item, score, reason) for item, score, reason in found}

    def _reasons(
        self, person: QueryUser, batch: QueryBatch, chosen: Table, features: np.ndarray, ranker: Ranker
    ) -> list[Reason]:
        """The reason of each row of `chosen`, of these `features` (len(chosen), F)."""
        lost = without_each_point(chosen, features, batch, self.models, ranker)
        contributions = ranker.contributions(chosen, lambda: features, self.models.credits)
        profiles, rows = person.profiles, person.profiles.of(person.row)
        columns = [profiles.table[name][rows].to_list() for name in ("name", "tier", "evidence")]
        points = [CitedPoint(*row) for row in zip(*columns, strict=True)]
        cosines = self.vectors[chosen.items] @ np.asarray(profiles.vectors[rows]).T
        return [
            explain(
                int(item), contributions[place], self.models.generators, batch, self.catalogue, points,
                cosines[place], lost[:, place],
            )
            for place, item in enumerate(chosen.items)
        ]  # fmt: skip


def by_words_alone(batch: QueryBatch) -> np.ndarray:
    """Users with interest points but no history, (B,) bool: the weighted sum ranks for them: trees need a history."""
    liked = batch.owners[: len(batch.facts.tiers)]
    return np.asarray(np.isin(np.arange(len(batch)), liked) & (np.diff(batch.choices.offsets) == 0))
