"""Holds a model to what may be said: the tokens that continue a plain word, or a phrase or title of its evidence."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

Encode = Callable[[str], list[int]]
"""Text → token ids, without special ones."""
_STARTS: Final = "A An Often Always Also Lately Now Mostly Likes Loves Enjoys Returns Keen Drawn For If You"
_GLUE: Final = (
    "a an and as at back by comes for from in into is it keeps like likes love loves enjoy enjoys fan fans of often "
    "also always interest interested interests keen lasting lately long lover lovers mix mostly now on or return "
    "returns such taste their this that to too with who you your fits suits drawn both all stories things world"
)
STARTS, GLUE = tuple(_STARTS.split()), tuple(_GLUE.split())
"""Words between those of the evidence: a small model needs few, and errs with many."""
MOST_GLUE: Final = 4
"""Of them in a row."""
PLAIN: Final = -1
"""Number of every entry that may be said again."""


@dataclass
class _Node:
    """A place in the tree of token ids: entries that end here, and all that lie below."""

    children: dict[int, "_Node"] = field(default_factory=dict)
    ends: set[int] = field(default_factory=set)
    below: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class _State:
    """Somewhere within a tree; `said`: not to be said again; `after`: what came last; `glue`: words since then."""

    node: int
    said: frozenset[int]
    after: str
    glue: int = 0


class Lexicon:
    """What one text may be made of; each of `once` is said once at most, in whatever capitals."""

    def __init__(self, encode: Encode, once: Iterable[str]) -> None:
        texts = list(dict.fromkeys(once))
        numbers = {key: at for at, key in enumerate(dict.fromkeys(text.casefold() for text in texts))}
        self._content = frozenset(numbers.values())
        roots = {
            kind: _Node() for kind in ("first content", "first glue", "content", "glue", "opening", "comma", "stop")
        }
        for text in texts:
            for kind, before in (("first content", ""), ("content", " ")):
                _add(roots[kind], encode(before + text), numbers[text.casefold()])
        glue = (("first glue", "", STARTS), ("opening", " ", STARTS), ("glue", " ", GLUE))
        plain = (*glue, ("comma", "", [","]), ("stop", "", ["."]))
        for kind, before, words in plain:
            for word in words:
                _add(roots[kind], encode(before + word), PLAIN)
        self._nodes: list[_Node] = []
        self._roots = {self._number(root): kind for kind, root in roots.items()}
        self._at = {kind: at for at, kind in self._roots.items()}
        self._numbers = {id(node): at for at, node in enumerate(self._nodes)}

    def allowed(self, tokens: Sequence[int]) -> tuple[set[int], bool]:
        """Token ids that may follow `tokens`, and whether the text may end there."""
        states = {_State(-1, frozenset(), "start")}
        for token in tokens:
            states = {after for state in states for after in self._step(state, token)}
        following: set[int] = set()
        for state in states:
            for at in self._open(state):
                following |= {token for token, child in self._nodes[at].children.items() if child.below - state.said}
        return following, any(state.node < 0 and state.after in ("content", "stop") for state in states)

    def _open(self, state: _State) -> list[int]:
        """Nodes from which a token may go on; plain words lead only to what is still to be said."""
        if state.node >= 0:
            return [state.node]
        if not self._content - state.said:
            return [self._at["stop"]] if state.after == "content" else []
        kinds = {
            "start": ["first content", "first glue"],
            "content": ["content", "glue", "comma", "stop"],
            "glue": ["content", "glue"] if state.glue < MOST_GLUE else ["content"],
            "comma": ["content", "glue"],
            "stop": ["content", "opening"],
        }
        return [self._at[kind] for kind in kinds[state.after]]

    def _step(self, state: _State, token: int) -> Iterable[_State]:
        for at in self._open(state):
            child = self._nodes[at].children.get(token)
            if child is None or not child.below - state.said:
                continue
            kind = self._roots.get(at, state.after)  # within a word, what kind of word it is
            if child.children:
                yield _State(self._numbers[id(child)], state.said, kind, state.glue)
            for entry in child.ends - state.said:
                yield self._ended(entry, kind, state)

    def _ended(self, entry: int, kind: str, state: _State) -> _State:
        """The state after a word: glue counts until something of the evidence is said."""
        if kind in ("comma", "stop"):
            return _State(-1, state.said, kind)
        if entry == PLAIN:
            return _State(-1, state.said, "glue", state.glue + 1)
        return _State(-1, state.said | {entry}, "content")

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
