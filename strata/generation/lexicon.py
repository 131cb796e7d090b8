"""Holds a model to what may be said: at each step, the tokens that continue a word, a phrase or a title of its evidence."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

Encode = Callable[[str], list[int]]
"""Text → token ids, without special ones."""
PUNCTUATION: Final = (",", ".")
STARTS: Final = "A An The Often Always Also Lately Now Mostly Likes Loves Enjoys Returns Keen Drawn For If You".split()
GLUE: Final = (
    "a an and as at back by comes for from in into is it keeps like likes love loves enjoy enjoys fan fans often also always "
    "interest interested interests keen lasting lately long lover lovers mix mostly now of on or return returns such "
    "taste the their this that to too with who you your fits suits drawn both all stories things world"
).split()
"""Words between those of the evidence: a small model needs few, and errs with many."""


@dataclass
class _Node:
    """A place in the tree of token ids: entries that end here, and all that lie below."""

    children: dict[int, "_Node"] = field(default_factory=dict)
    ends: set[int] = field(default_factory=set)
    below: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class _State:
    """Somewhere within a tree; `said`: entries that may not be said again; `after`: what came last."""

    node: int
    said: frozenset[int]
    after: str


class Lexicon:
    """What one text may be made of; each of `once` is said once at most."""

    def __init__(self, encode: Encode, once: Iterable[str]) -> None:
        entries = [(text, True) for text in dict.fromkeys(once)]
        self._content = set(range(len(entries)))
        roots = {kind: _Node() for kind in ("start", "sentence", "inner", "punctuation")}
        number = len(entries)
        for at, (text, _) in enumerate(entries):
            for kind, before in (("start", ""), ("sentence", " "), ("inner", " ")):
                _add(roots[kind], encode(before + text), at)
        for kind, before, words in (("start", "", STARTS), ("sentence", " ", STARTS), ("inner", " ", GLUE)):
            for word in words:
                _add(roots[kind], encode(before + word), number)
                number += 1
        for sign in PUNCTUATION:
            _add(roots["punctuation"], encode(sign), number)
            self._stop = number
            number += 1
        self._nodes: list[_Node] = []
        self._at = {kind: self._number(root) for kind, root in roots.items()}
        self._numbers = {id(node): at for at, node in enumerate(self._nodes)}

    def allowed(self, tokens: Sequence[int]) -> tuple[set[int], bool]:
        """Token ids that may follow `tokens`, and whether the text may end there."""
        states = {_State(-1, frozenset(), "start")}
        for token in tokens:
            states = {after for state in states for after in self._step(state, token)}
        following: set[int] = set()
        for state in states:
            for node in self._open(state):
                following |= {token for token, child in node.children.items() if child.below - state.said}
        may_end = any(state.node < 0 and state.after in ("inner", "stop") and state.said for state in states)
        return following, may_end

    def _open(self, state: _State) -> list[_Node]:
        """Nodes from which a token may go on."""
        if state.node >= 0:
            return [self._nodes[state.node]]
        kinds = {"start": ["start"], "inner": ["inner", "punctuation"], "comma": ["inner"], "stop": ["sentence"]}
        return [self._nodes[self._at[kind]] for kind in kinds[state.after]]

    def _step(self, state: _State, token: int) -> Iterable[_State]:
        for node in self._open(state):
            child = node.children.get(token)
            if child is None or not child.below - state.said:
                continue
            if child.children:
                yield _State(self._numbers[id(child)], state.said, state.after)
            for entry in child.ends - state.said:
                said = state.said | {entry} if entry in self._content else state.said
                sign = node is self._nodes[self._at["punctuation"]]
                yield _State(-1, said, ("stop" if entry == self._stop else "comma") if sign else "inner")

    def _number(self, node: _Node) -> int:
        at = len(self._nodes)
        self._nodes.append(node)
        for child in node.children.values():
            self._number(child)
        return at


def _add(root: _Node, tokens: Sequence[int], entry: int) -> None:
    node = root
    for token in tokens:
        node = node.children.setdefault(token, _Node())
        node.below.add(entry)
    node.ends.add(entry)
