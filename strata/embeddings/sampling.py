"""Draws contrastive examples: what a user liked before, or said, with the item chosen next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt
from scipy import sparse

from strata.data.history import History
from strata.settings import Settings


class SamplingSettings(Settings):
    """Sampling of a training step, and its loss."""

    users_per_step: PositiveInt = 40
    """Users whose windows decide which items a step encodes: about six items per user."""
    history: PositiveInt = 8
    """Items, at most, that stand for a user in one example."""
    examples_per_user: PositiveInt = 8
    """Keeps users with long histories from filling a step."""
    examples_per_step: PositiveInt = 2048
    temperature: PositiveFloat = 0.05
    popularity_correction: float = Field(0.0, ge=0, le=1)
    """1: similarity learns what is chosen; 0: what is chosen beyond its popularity."""
    seed: int = Field(7, ge=0)


@dataclass(frozen=True)
class ExamplePool:
    """Data that examples are drawn from; items with equal texts count as one, the first of them.

    `paths`: the first positive event of each user with each item, in time order. `known`: users × items with any event.
    `spoken_*` (m,): events that came with the user's own words, `sentences` their distinct texts. `inclusion`
    (n_items,): the chance that a step's windows hold the item.
    """

    paths: History
    known: sparse.csr_matrix
    spoken_users: np.ndarray
    spoken_items: np.ndarray
    spoken_texts: np.ndarray
    sentences: list[str]
    walkers: np.ndarray
    inclusion: np.ndarray

    @classmethod
    def learn_from(
        cls,
        events: History,
        item_texts: Sequence[str],
        event_texts: Sequence[str | None],
        settings: SamplingSettings,
    ) -> Self:
        """Prepare `events` (n, all of them before the cut-off) with the text of each item and of each event."""
        _, first, same = np.unique(np.array(item_texts, object), return_index=True, return_inverse=True)
        named = first[same].astype(np.int32)  # (n_items,)
        events = replace(events, items=named[events.items])
        liked = events.weights > 0
        positive = events.keep(liked)
        _, earliest = np.unique(positive.users.astype(np.int64) * events.n_items + positive.items, return_index=True)
        paths = positive.keep(np.isin(np.arange(len(positive)), earliest))
        spoken = np.array([bool(text and text.strip()) for text in event_texts], bool) & liked
        said = [text for text, keep in zip(event_texts, spoken, strict=True) if keep and text]
        sentences = sorted(set(said))
        numbers = {text: number for number, text in enumerate(sentences)}
        return cls(
            paths=paths,
            known=events.matrix(),
            spoken_users=events.users[spoken],
            spoken_items=events.items[spoken],
            spoken_texts=np.array([numbers[text] for text in said], np.int64),
            sentences=sentences,
            walkers=np.flatnonzero(np.diff(paths.offsets) > 1),
            inclusion=_inclusion(paths, settings),
        )

    @property
    def learners(self) -> int:
        """Number of users that pairs can be drawn from."""
        return len(np.union1d(self.walkers, self.spoken_users))

    @property
    def pairs(self) -> int:
        """Number of (anchor, positive) pairs that can be drawn."""
        steps = np.diff(self.paths.offsets)
        return int(np.maximum(steps - 1, 0).sum()) + len(self.spoken_texts)


@dataclass(frozen=True)
class Batch:
    """One step: S distinct items and T distinct sentences to encode, and E examples over them.

    `anchors` (E, S + T) float32 weights that sum to 1; `targets` (E,) columns of items; `allowed` (E, S) bool: the
    target and the items without events of the user; `users` (E,).
    """

    items: np.ndarray
    sentences: np.ndarray
    anchors: sparse.csr_matrix
    targets: np.ndarray
    allowed: np.ndarray
    users: np.ndarray


def draw(pool: ExamplePool, settings: SamplingSettings, step: int) -> Batch:
    """Draw the batch of `step`: the same for the same arguments, so that a resumed run replays.

    Encoding dominates the cost of a step, so the items come from the windows (`history` items and their next one) of
    `users_per_step` users, and then every user with several of these items adds examples. A user's history in an
    example is up to `history` of the batch's items before the target, nearer ones weighing more.
    """
    rng = np.random.default_rng((settings.seed, step))
    paths, count = pool.paths, settings.users_per_step
    spoken = rng.choice(len(pool.spoken_texts), min(count, len(pool.spoken_texts)), replace=False)
    walkers = rng.choice(pool.walkers, min(count, len(pool.walkers)), replace=False)
    starts = paths.offsets[walkers]
    ends = rng.integers(starts + 1, paths.offsets[walkers + 1])  # (count,) the windows' targets
    near = ends[:, None] - np.arange(settings.history + 1)
    items = np.unique(np.append(paths.items[near[near >= starts[:, None]]], pool.spoken_items[spoken]))
    sentences, sentence_of = np.unique(pool.spoken_texts[spoken], return_inverse=True)

    column = np.full(paths.n_items, -1, np.int64)
    column[items] = np.arange(len(items))
    inside = np.flatnonzero(column[paths.items] >= 0)  # events over the batch's items, by user and time
    follows = np.flatnonzero(np.diff(paths.users[inside]) == 0) + 1
    follows = _at_most_per_user(rng.permutation(follows), paths.users[inside], settings.examples_per_user)
    follows = follows[: settings.examples_per_step]
    chosen = inside[follows]
    back = follows[:, None] - np.arange(1, settings.history + 1)  # (E', history)
    before = (back >= 0) & (paths.users[inside[np.maximum(back, 0)]] == paths.users[chosen][:, None])
    rows, places = np.nonzero(before)
    weights = _nearness(settings.history)[places]
    weights /= np.bincount(rows, weights, minlength=len(follows))[rows]

    users = np.append(paths.users[chosen], pool.spoken_users[spoken])
    targets = column[np.append(paths.items[chosen], pool.spoken_items[spoken])]
    rows = np.append(rows, len(follows) + np.arange(len(spoken)))
    columns = np.append(column[paths.items[inside[back[before]]]], len(items) + sentence_of)
    weights = np.append(weights, np.ones(len(spoken))).astype(np.float32)
    shape = (len(users), len(items) + len(sentences))
    allowed = ~_known_among(pool.known, users, items)
    allowed[np.arange(len(targets)), targets] = True
    return Batch(items, sentences, sparse.csr_matrix((weights, (rows, columns)), shape=shape), targets, allowed, users)


def _at_most_per_user(shuffled: np.ndarray, users: np.ndarray, limit: int) -> np.ndarray:
    """The first `limit` of each user among `shuffled` positions into `users`, in shuffled order."""
    order = np.argsort(users[shuffled], kind="stable")
    owner = users[shuffled[order]]
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    kept: np.ndarray = shuffled[np.sort(order[rank < limit])]
    return kept


def _nearness(window: int) -> np.ndarray:
    """Weights of the last `window` items of a history, latest first: half after every window / 2 items."""
    return np.exp2(-np.arange(window) / max(window / 2, 1))


def _known_among(known: sparse.csr_matrix, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Whether each of `users` (E,) has an event with each of `items` (S,): bool (E, S)."""
    distinct, row = np.unique(users, return_inverse=True)
    among: np.ndarray = known[distinct][:, items].toarray() > 0
    return among[row]


def info_nce(vectors: torch.Tensor, batch: Batch, inclusion: np.ndarray, settings: SamplingSettings) -> torch.Tensor:
    """Mean InfoNCE over the batch's examples (van den Oord et al. 2018, arXiv 1807.03748).

    `vectors` (S + T, d) unit; `inclusion` (n_items,), whose logarithm is subtracted from the logits: the sampling
    correction of Bengio and Senécal (2008), without which items that are often in a batch are pushed away too much.
    """
    device = vectors.device
    anchors = torch.from_numpy(batch.anchors.toarray()).to(device) @ vectors  # (E, d)
    anchors = torch.nn.functional.normalize(anchors, dim=1)
    often = torch.from_numpy(np.log(inclusion[batch.items]).astype(np.float32)).to(device)  # (S,)
    logits = anchors @ vectors[: len(batch.items)].T / settings.temperature  # (E, S)
    logits = logits - settings.popularity_correction * often
    logits = logits.masked_fill(~torch.from_numpy(batch.allowed).to(device), -torch.inf)
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(batch.targets).to(device))


def _inclusion(paths: History, settings: SamplingSettings) -> np.ndarray:
    """Chance that the windows of a step hold each item: (n_items,), at least one in a million."""
    lengths = np.diff(paths.offsets)[paths.users]
    place = np.arange(len(paths)) - paths.offsets[paths.users]
    targets = np.minimum(lengths - 1, place + settings.history) - np.maximum(place, 1) + 1
    covered = np.where(lengths > 1, targets / np.maximum(lengths - 1, 1), 0.0)
    walkers = max(int((np.diff(paths.offsets) > 1).sum()), 1)
    per_user = np.bincount(paths.items, covered, minlength=paths.n_items) / walkers
    missed = (1 - np.minimum(per_user, 1)) ** min(settings.users_per_step, walkers)
    return np.asarray(np.maximum(1 - missed, 1e-6))
