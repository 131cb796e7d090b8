"""Behaviour becomes contrastive examples: what a user liked before, or said, against what they chose next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from scipy import sparse

from strata.history import History


@dataclass(frozen=True)
class Behaviour:
    """All that examples are drawn from; items that read the same are one item, named by the first of them.

    `paths`: the first positive event of each user with each item, in time order. `known`: users × items, whatever
    the user had to do with. `spoken_*` (m,): events that came with the user's own words, `sentences` their
    distinct texts. `inclusion` (n_items,): the chance that a step's windows hold the item.
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
        *,
        window: int,
        users_per_step: int,
    ) -> Self:
        """Prepare `events` (n, all of them before the cut-off) with the text of each item and of each event."""
        _, first, same = np.unique(np.array(item_texts, object), return_index=True, return_inverse=True)
        named = first[same].astype(np.int32)  # (n_items,)
        events = History(events.users, named[events.items], *_rest(events))
        liked = events.weights > 0
        order = np.argsort(events.users.astype(np.int64) * events.n_items + events.items, kind="stable")
        order = order[liked[order]]
        keys = events.users[order].astype(np.int64) * events.n_items + events.items[order]
        earliest = order[np.append(True, np.diff(keys) != 0)[: len(order)]]
        mask = np.zeros(len(events), bool)
        mask[earliest] = True
        paths = events.keep(mask)
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
            inclusion=_inclusion(paths, window, users_per_step),
        )

    @property
    def pairs(self) -> int:
        """Number of (anchor, positive) pairs that can be drawn."""
        steps = np.diff(self.paths.offsets)
        return int(np.maximum(steps - 1, 0).sum()) + len(self.spoken_texts)


@dataclass(frozen=True)
class Batch:
    """One step: S distinct items and T distinct sentences to encode, and E examples over them.

    `anchors` (E, S + T) float32 weights that sum to 1; `targets` (E,) columns of items; `allowed` (E, S) bool: the
    target and the items the user has nothing to do with; `users` (E,).
    """

    items: np.ndarray
    sentences: np.ndarray
    anchors: sparse.csr_matrix
    targets: np.ndarray
    allowed: np.ndarray
    users: np.ndarray


def draw(
    behaviour: Behaviour, *, window: int, users_per_step: int, examples: int, seed: int, step: int, cap: int = 0
) -> Batch:
    """Draw the batch of `step`: the same for the same arguments, so that a resumed run replays.

    Encoding is the cost of a step, so the items come from the windows (`window` items and their next one) of
    `users_per_step` users, and then every user who had to do with several of these items lends further examples,
    up to `examples` in all. For a user, an example's history are up to `window` of the batch's items that came
    before the target, nearer ones weighing more.
    """
    rng = np.random.default_rng((seed, step))
    paths = behaviour.paths
    spoken = rng.choice(len(behaviour.spoken_texts), min(users_per_step, len(behaviour.spoken_texts)), replace=False)
    walkers = rng.choice(behaviour.walkers, min(users_per_step, len(behaviour.walkers)), replace=False)
    starts, ends = paths.offsets[walkers], paths.offsets[walkers + 1]
    targets = rng.integers(starts + 1, ends)  # (users_per_step,)
    near = targets[:, None] - np.arange(window + 1)
    items = np.unique(np.append(paths.items[near[near >= starts[:, None]]], behaviour.spoken_items[spoken]))
    sentences, sentence_of = np.unique(behaviour.spoken_texts[spoken], return_inverse=True)
    column = np.full(paths.n_items, -1, np.int64)
    column[items] = np.arange(len(items))

    inside = np.flatnonzero(column[paths.items] >= 0)  # events over the batch's items, by user and time
    follows = np.flatnonzero(np.diff(paths.users[inside]) == 0) + 1
    if cap:
        shuffled = rng.permutation(follows)
        shuffled = shuffled[np.argsort(paths.users[inside[shuffled]], kind="stable")]
        who = paths.users[inside[shuffled]]
        first = np.searchsorted(who, who)
        follows = np.sort(shuffled[np.arange(len(who)) - first < cap])
    if len(follows) > examples:
        follows = np.sort(rng.choice(follows, examples, replace=False))
    back = follows[:, None] - np.arange(1, window + 1)  # (E', window)
    chosen = inside[follows]
    before = (back >= 0) & (paths.users[inside[np.maximum(back, 0)]] == paths.users[chosen][:, None])
    rows, places = np.nonzero(before)
    weights = nearness(window)[places]
    weights /= np.bincount(rows, weights, minlength=len(follows))[rows]
    columns = column[paths.items[inside[back[before]]]]

    users = np.append(paths.users[chosen], behaviour.spoken_users[spoken])
    rows = np.append(rows, len(follows) + np.arange(len(spoken)))
    columns = np.append(columns, len(items) + sentence_of)
    weights = np.append(weights, np.ones(len(spoken)))
    wanted = column[np.append(paths.items[chosen], behaviour.spoken_items[spoken])]
    allowed = ~known_among(behaviour.known, users, items)
    allowed[np.arange(len(wanted)), wanted] = True
    shape = (len(users), len(items) + len(sentences))
    anchors = sparse.csr_matrix((weights.astype(np.float32), (rows, columns)), shape=shape)
    return Batch(items, sentences, anchors, wanted, allowed, users)


def nearness(window: int) -> np.ndarray:
    """Weights of the last `window` items of a history, latest first: half after every window / 2 items."""
    return 0.5 ** (np.arange(window) / max(window / 2, 1))


def known_among(known: sparse.csr_matrix, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Whether each of `users` (E,) had to do with each of `items` (S,): bool (E, S)."""
    distinct, row = np.unique(users, return_inverse=True)
    return (known[distinct][:, items].toarray() > 0)[row]


def info_nce(vectors: torch.Tensor, batch: Batch, log_inclusion: torch.Tensor, temperature: float) -> torch.Tensor:
    """Mean InfoNCE over the batch's examples (van den Oord et al. 2018, arXiv 1807.03748).

    `vectors` (S + T, d) unit; `log_inclusion` (S,) is subtracted from the logits: the sampling correction of Bengio
    and Senécal (2008), without which items that are often in a batch are pushed away too much.
    """
    device = vectors.device
    anchors = torch.from_numpy(batch.anchors.toarray()).to(device) @ vectors  # (E, d)
    anchors = torch.nn.functional.normalize(anchors, dim=1)
    logits = anchors @ vectors[: len(batch.items)].T / temperature - log_inclusion  # (E, S)
    logits = logits.masked_fill(~torch.from_numpy(batch.allowed).to(device), -torch.inf)
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(batch.targets).to(device))


def _inclusion(paths: History, window: int, users_per_step: int) -> np.ndarray:
    """Chance that the windows of a step hold each item: (n_items,), at least one in a million."""
    lengths = np.diff(paths.offsets)[paths.users]
    place = np.arange(len(paths)) - paths.offsets[paths.users]
    targets = np.minimum(lengths - 1, place + window) - np.maximum(place, 1) + 1
    covered = np.where(lengths > 1, targets / np.maximum(lengths - 1, 1), 0.0)
    walkers = max(int((np.diff(paths.offsets) > 1).sum()), 1)
    per_user = np.bincount(paths.items, covered, minlength=paths.n_items) / walkers
    return np.maximum(1 - (1 - np.minimum(per_user, 1)) ** min(users_per_step, walkers), 1e-6)


def _rest(events: History) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    return events.times, events.weights, events.offsets, events.n_items
