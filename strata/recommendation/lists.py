"""Builds one person's list: candidates are scored, boosted, re-ranked, put under business rules and explained."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Final

import numpy as np
import polars as pl

from strata._kernels.selection import NOTHING
from strata.data.catalogue import Catalogue
from strata.data.filters import rows_of
from strata.data.history import History, looked_up
from strata.data.inferred import NOTHING_INFERRED, Inferred, InferredClass
from strata.interests.profiles import Profiles
from strata.interests.query_users import QueryUser
from strata.interests.themes import Themes
from strata.models.popularity import popularity
from strata.ranking.candidates import propose
from strata.ranking.query import QueryBatch, query_batch
from strata.ranking.ranker import Ranker
from strata.ranking.settings import RecommendSettings
from strata.ranking.two_stage import Models
from strata.ranking.weighted_sum import WeightedSum
from strata.recommendation.asked_for import Wish, as_asked, asked_for, with_asked_for
from strata.recommendation.business_rules import BusinessRules, apply_rules, boost
from strata.recommendation.explanation import LATELY, CitedPoint, Reason, explain
from strata.recommendation.exploring import explored
from strata.recommendation.leave_one_point_out import cited_points, without_each_point
from strata.recommendation.request import ListRequest
from strata.recommendation.rerank import Mix, RerankSettings, interest_mixes, rerank
from strata.recommendation.scoring import ManyLists, Scored, by_words_alone
from strata.recommendation.tier_mix import weights_of
from strata.timing import timed

FURTHER: Final = 2_000
"""Items that each generator proposes where the usual candidates do not fill a list: places that can be asked for."""


@dataclass(frozen=True)
class Recommendation:
    """A recommended item: a higher `score` is better; `reason` says why, if requested.

    `inferred`: categories and tags that a model filled in, of an item without. `predicted`: the rating to be expected,
    on the platform's scale, if requested. `propensity`: the chance that this item stood at its place.
    """

    item_id: str
    title: str
    score: float
    reason: Reason | None = None
    inferred: tuple[InferredClass, ...] = ()
    predicted: float | None = None
    propensity: float = 1.0


@dataclass(frozen=True)
class ListBuilder:
    """Builds lists from one release; `vectors` (n_items, d): unit; `time`: end of its data, in seconds.

    `timed`: whether its events have times, of which reasons may speak. `plain`: that of the same release before items
    were added to it.
    """

    catalogue: Catalogue
    themes: Themes
    vectors: np.ndarray
    history: History
    models: Models
    ranker: Ranker
    settings: RecommendSettings
    time: float
    rerank: RerankSettings
    timed: bool = True
    inferred: Inferred = NOTHING_INFERRED
    plain: "ListBuilder | None" = None

    @cached_property
    def popularity(self) -> np.ndarray:
        """Windowed popularity of each item (n_items,), used for the fallback."""
        return self.models.popularity

    @cached_property
    def chosen_by(self) -> np.ndarray:
        """How many users ever chose each item: (n_items,)."""
        if self.plain is not None:
            return np.pad(self.plain.chosen_by, (0, len(self.catalogue) - len(self.plain.chosen_by)))
        return popularity(self.history, self.time)

    def best(self, person: QueryUser, allowed: np.ndarray, request: ListRequest) -> list[Recommendation]:
        """Places offset + 1 to offset + k of the whole list of items `allowed` (n_items,) bool, best first.

        `request`: filled with the release's settings; its filters are in `allowed` already.

        The usual candidates come first, in an order that does not depend on how many places are asked for; only a list
        that they do not fill goes on with further ones. Scores are the ranker's, even where the tier mix, boosts,
        re-ranking or rules moved an item. A must-include that no generator proposed is scored as in `ranking`. Raises
        UnknownId and SettingsError as `apply_rules` does.
        """
        rules, asked = request.effective_rules, request
        exploring = bool(self.settings.explore.share and person.user_id and not rules.capped and not rules.must_include)
        if exploring:  # places are given to items after the last that is shown
            request = request.model_copy(update={"k": request.k + self.settings.explore.among})
        batch = self._batch([person.row], person.history, person.profiles, allowed, request)
        may_come = allowed & ~batch.barred[0]
        musts = rows_of(list(rules.must_include), self.catalogue) if rules.must_include else np.zeros(0, np.int64)
        musts = musts[may_come[musts]]
        scored = self._scored(person, batch, musts, request)
        with timed("ranking"):
            listed = self._listed(person, scored, musts, may_come, request)
        usual = scored.table.items[scored.table.proposed]
        surely = np.isin(listed, np.setdiff1d(usual, musts)).sum()
        if surely < request.stop and len(usual) < may_come.sum():
            further = propose(batch, self.models.generators, FURTHER).items
            scored = self._scored(person, batch, np.union1d(further, musts), request)
            listed = self._listed(person, scored, musts, may_come, request)
        chances = np.ones(len(listed))
        if exploring:
            seed = f"{person.user_id} {len(person.seen)}"
            listed, chances = explored(listed, asked.stop, self.settings.explore, self.chosen_by, seed)
        shown = slice(asked.offset, asked.stop)
        with timed("reasons"):
            found = self._described(person, scored, listed[shown], asked)
        given = zip(found, chances[shown].round(6).tolist(), strict=True)
        return [item if chance == 1 else replace(item, propensity=chance) for item, chance in given]

    def ranking(
        self, person: QueryUser, allowed: np.ndarray, named: np.ndarray, request: ListRequest
    ) -> list[Recommendation]:
        """All items of the rows `named` (m,), best first, in the order in which `best` has those that it lists.

        They are ranked among the candidates of a list of items `allowed` (n_items,) bool. What no generator proposed is
        scored on the same scale, by what its nearest interest point would have found. Of the request only the tier mix,
        boosts and `explain` apply.
        """
        batch = self._batch([person.row], person.history, person.profiles, allowed, request)
        scored = self._scored(person, batch, named, request)
        items, scores = scored.in_order(np.ones(len(scored.table), bool))
        items, _ = boost(items, scores, request.effective_rules, self.catalogue, self.time, self.chosen_by)
        listed = with_asked_for(items[0], self._asked_for(person))
        return self._described(person, scored, listed[np.isin(listed, named)], request)

    def of_many(self, users: np.ndarray, allowed: np.ndarray, request: ListRequest) -> "ManyLists":
        """The lists of user rows (B,), the same as those of `best`; must-includes and tier mixes are not supported."""
        profiles, n_items, rules = self.models.profiles, len(allowed), request.effective_rules
        batch = self._batch(users, self.history, profiles, allowed, request)
        table = propose(batch, self.models.generators, self.settings.candidates)
        scores = self.models.score(table, batch, self.ranker)
        told = by_words_alone(batch)
        if told.any():
            scores = np.where(told[table.users], WeightedSum.in_proportion(self.settings.of_bio).scores(table), scores)
        plain = self._reranking(request).changes_nothing and rules == BusinessRules()
        usual = np.bincount(table.users, minlength=len(users))
        order = table.top(scores, len(users), request.stop if plain else int(usual.max(initial=1)))
        found = table.items_at(order), np.append(scores, -np.inf)[order]
        ranked = self._arranged(profiles, users, *found, request)
        if rules.capped:
            kept = [apply_rules(row, request.k, rules, self.catalogue, self.themes, allowed) for row in ranked]
            ranked = np.full((len(users), max(map(len, kept), default=0)), NOTHING, np.int64)
            for row, items in zip(ranked, kept, strict=True):
                row[: len(items)] = items
        short = (ranked[:, : request.stop] != NOTHING).sum(1) < request.stop
        if short.any():
            short &= usual < (allowed & ~batch.barred).sum(1)
        listed = np.full((len(users), request.k), NOTHING, np.int64)
        page = ranked[:, request.offset : request.stop]
        listed[:, : page.shape[1]] = page
        pairs = np.arange(len(users))[:, None] * n_items + listed
        place = looked_up(pairs, table.users * n_items + table.items)
        values = np.where(listed == NOTHING, 0.0, np.append(scores, 0.0)[place])
        return ManyLists(listed, values, short)

    def popular(self, request: ListRequest, allowed: np.ndarray) -> list[Recommendation]:
        """The fallback list: the places asked for of the items `allowed` (n_items,) by popularity, at most 1."""
        rules = request.effective_rules
        rows = np.flatnonzero(allowed)
        rows = rows[np.argsort(-self.popularity[rows], kind="stable")]
        scores = self.popularity[rows][None]
        items = boost(rows[None], scores, rules, self.catalogue, self.time, self.chosen_by)[0][0]
        n = max(self.settings.candidates, request.stop) * len(self.models.generators)  # as many as are usually ranked
        listed = apply_rules(items[:n], request.k, rules, self.catalogue, self.themes, allowed)
        listed = listed[request.offset : request.stop]
        reason = Reason("popular", 1.0, None, None, None, (), f"Popular{LATELY if self.timed else ''}")
        highest = float(self.popularity.max(initial=1e-12))
        return [self.item(int(row), float(self.popularity[row]) / highest, reason) for row in listed]

    def item(self, row: int, score: float, reason: Reason | None = None) -> Recommendation:
        """A `Recommendation` of an item row."""
        item_id = str(self.catalogue.ids[row])
        return Recommendation(item_id, self.catalogue.titles[row], round(score, 6), reason, self.inferred.of(item_id))

    def _scored(self, person: QueryUser, batch: QueryBatch, others: np.ndarray, request: ListRequest) -> Scored:
        """A single user's usual candidates and the items `others` (m,), proposed or not, with scores and weights."""
        with timed("candidates"):
            table = propose(batch, self.models.generators, self.settings.candidates, others)
        ranker: Ranker = self.ranker
        if by_words_alone(batch)[0]:
            ranker = WeightedSum.in_proportion(self.settings.of_words if person.is_query else self.settings.of_bio)
        features = cache(lambda: self.models.features.of(table, batch))
        with timed("ranking"):
            scores = ranker.scores(table, features)
        scored = Scored(table, batch, ranker, features, scores, np.ones(len(table)))
        if not request.tier_weights:
            return scored
        everything = np.arange(len(table))
        cited, _ = cited_points(self._lost(scored, everything), self._cosines(scored, everything))
        return replace(scored, weights=weights_of(cited, batch.facts.tiers, request.tier_weights))

    def _listed(
        self, person: QueryUser, scored: Scored, musts: np.ndarray, allowed: np.ndarray, request: ListRequest
    ) -> np.ndarray:
        """The whole list (n,): the usual candidates as arranged, then the further ones as arranged among themselves."""
        proposed = scored.table.proposed
        parts = [scored.in_order(part) for part in (proposed, ~proposed & ~np.isin(scored.table.items, musts))]
        asked = self._asked_for(person)
        usual, further = (
            self._arranged(person.profiles, [person.row], *part, request, whole=bool(asked))[0] for part in parts
        )
        listed = np.concatenate(
            [with_asked_for(usual, asked), further]
        )  # which candidates are usual, k does not change
        return apply_rules(listed, request.k, request.effective_rules, self.catalogue, self.themes, allowed)

    def _asked_for(self, person: QueryUser) -> list[Wish]:
        return asked_for(person.asked, self.themes.of_item[:, 0])

    def _arranged(
        self,
        profiles: Profiles,
        users: Sequence[int] | np.ndarray,
        items: np.ndarray,
        scores: np.ndarray,
        request: ListRequest,
        *,
        whole: bool = False,
    ) -> np.ndarray:
        """Boost and re-rank candidates (B, n), best first, NOTHING pads: (B, n), or as many as `request` shows.

        Boosts change scores, so they come first.
        """
        rules, reranking = request.effective_rules, self._reranking(request)
        items, scores = boost(items, scores, rules, self.catalogue, self.time, self.chosen_by)
        mixes: tuple[Mix, ...] = ()
        if reranking.calibration > 0:
            mixes = interest_mixes(items, np.asarray(users), self.vectors, profiles, self.themes)
        # Caps drop some items, which others replace; must-includes leave their places to others.
        n = items.shape[1] if rules.capped or whole else request.stop + len(rules.must_include)
        return rerank(items, scores, n, reranking, self.vectors, mixes)

    def _reranking(self, request: ListRequest) -> RerankSettings:
        return self.rerank.but(request.diversity, request.calibration)

    def _batch(
        self,
        users: Sequence[int] | np.ndarray,
        history: History,
        profiles: Profiles,
        allowed: np.ndarray,
        request: ListRequest,
    ) -> QueryBatch:
        return query_batch(
            np.asarray(users),
            history,
            profiles,
            self.settings.tier_weights,
            self.time,
            allowed=allowed,
            exclude_seen=bool(request.exclude_seen),
            dislike=self.settings.dislike,
            index=self.models.index,
        )

    def _described(
        self, person: QueryUser, scored: Scored, listed: np.ndarray, request: ListRequest
    ) -> list[Recommendation]:
        """Items (n,) of a table with their scores and reasons, in this order."""
        rows = np.argsort(scored.table.items)
        rows = rows[np.searchsorted(scored.table.items, listed, sorter=rows)]
        reasons: list[Reason] | list[None] = [None] * len(rows)
        if request.explain:
            asked, found_for = (
                self._asked_for(person),
                zip(listed.tolist(), self._reasons(person, scored, rows), strict=True),
            )
            reasons = [as_asked(reason, item, asked) for item, reason in found_for]
        found = zip(listed.tolist(), scored.scores[rows].tolist(), reasons, strict=True)
        return [self.item(item, score, reason) for item, score, reason in found]

    def _reasons(self, person: QueryUser, scored: Scored, rows: np.ndarray) -> list[Reason]:
        """The reason of each of some rows (n,) of a table."""
        chosen, features = scored.table.only(rows), scored.features()[rows]
        cosines = self._cosines(scored, rows)
        cited, moved = cited_points(self._lost(scored, rows), cosines)
        contributions = scored.ranker.contributions(chosen, lambda: features, self.models.credits)
        mine = person.profiles.of(person.row)
        columns = [person.profiles.table[name][mine].to_list() for name in ("name", "tier", "evidence")]
        points = [CitedPoint(*row) for row in zip(*columns, strict=True)]
        akin = self._akin(chosen.items, cited, person.profiles.table[mine])
        return [
            explain(
                int(item), contributions[place], self.models.generators, scored.batch, self.catalogue, points,
                cosines[place], int(cited[place]), bool(moved[place]), bool(akin[place]), self.timed,
            )
            for place, item in enumerate(chosen.items)
        ]  # fmt: skip

    def _akin(self, items: np.ndarray, cited: np.ndarray, points: pl.DataFrame) -> np.ndarray:
        """Whether each item (n,) is of a topic or the category of the point that is cited for it: bool (n,)."""
        topics, categories = points["topics"].to_list(), points["category"].to_list()
        groups = self.themes.of_item[items, :2].tolist()
        return np.array([
            bool(topics) and (topic in topics[point] or category == categories[point])
            for (topic, category), point in zip(groups, cited.tolist(), strict=True)
        ], bool)  # fmt: skip

    def _lost(self, scored: Scored, rows: np.ndarray) -> np.ndarray:
        """How far the scores of some rows (n,) fall without each point: (P, n)."""
        features = scored.features()[rows]
        return without_each_point(scored.table, rows, features, scored.batch, self.models, scored.ranker)

    def _cosines(self, scored: Scored, rows: np.ndarray) -> np.ndarray:
        """Of the items of some rows (n,) to the liked points (P, d): (n, P)."""
        points = scored.batch.points[: len(scored.batch.facts.tiers)]
        return np.asarray(self.vectors[scored.table.items[rows]] @ points.T)
