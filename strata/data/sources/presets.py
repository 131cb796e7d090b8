"""Presets: settings for known data sets, written into params.yaml without changing anything else there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from strata.data.sources.known import preset
from strata.errors import SettingsError

Pair = tuple[yaml.Node, yaml.Node]
"""Key and value nodes, with their positions in the text."""
WHOLE: Final = (("cleaning", "amounts"),)
"""Mappings that are replaced and not merged: of what another data set strengthens, nothing may stay."""


def use(name: str, params: str, folder: str | None = None, part: str | None = None) -> str:
    """Apply preset `name` to `params`, the text of a params.yaml: `source` as a whole, other settings one by one.

    `folder` replaces the preset's own; `part`: of a data set that comes in parts. Raises SettingsError for an unknown
    name or part and a text that is no params.yaml.
    """
    ours = preset(name, part)
    values: dict[str, Any] = yaml.safe_load(ours)
    (key, value), _ = (_pair(_root(each), "source") for each in (ours, params))
    source = values.pop("source")
    del values["preset"]
    if folder is not None:
        values["source"] = {"folder": folder}
    if yaml.safe_load(params)["source"] != source:
        params = section(params, "source", ours[_end(key) : _end(value)].removeprefix(":\n"))
    return merge(params, values)


def section(text: str, key: str, block: str) -> str:
    """A YAML text with the block `block`, indented, as the value of its section `key`.

    Raises SettingsError when there is no such section.
    """
    ours, value = _pair(_root(text), key)
    return f"{text[: _end(ours)]}:\n{block}{text[_end(value) :]}"


def merge(text: str, changes: Mapping[str, Any]) -> str:
    """A YAML text with the values of `changes`, nested mappings, set or added, those of WHOLE replaced.

    Everything else, including comments and layout, stays byte for byte.
    """
    root, known = _root(text), yaml.safe_load(text)
    for path, value in leaves(changes):
        before, text = text, _put(text, root, known, path, value)
        if text != before:
            root, known = _root(text), yaml.safe_load(text)
    return text


def leaves(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that is not a mapping, or is one of WHOLE, with its path of keys."""
    for key, value in values.items():
        if isinstance(value, Mapping) and (*above, key) not in WHOLE:
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _put(text: str, parent: yaml.MappingNode, known: Any, path: Sequence[str], value: Any) -> str:
    """`text` with `value` at `path` below the mapping `parent`, whose parsed content is `known`."""
    key, *below = path
    pair = _find(parent, key)
    if pair is not None and below and isinstance(pair[1], yaml.MappingNode):
        return _put(text, pair[1], known[key], below, value)
    for inner in reversed(below):
        value = {inner: value}
    if pair is None:
        return _add(text, parent, f"{_flow(key)}: {_flow(value)}")
    return text if known[key] == value else f"{text[: _end(pair[0])]}: {_flow(value)}{text[_end(pair[1]) :]}"


def _add(text: str, parent: yaml.MappingNode, entry: str) -> str:
    """Add an entry at the end of a mapping, in its own style."""
    at = _end(parent.value[-1][1]) if parent.value else parent.end_mark.index - 1
    if parent.flow_style:
        return f"{text[:at]}{', ' if parent.value else ''}{entry}{text[at:]}"
    lines = text[at:].split("\n", 1)  # a comment may stand behind the last value
    indented = " " * parent.start_mark.column + entry
    return "\n".join([text[:at] + lines[0], indented, *lines[1:]])


def _root(text: str) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise SettingsError(f"params.yaml is not YAML ({error}); restore it from the repository") from None
    if not isinstance(root, yaml.MappingNode):
        raise SettingsError("params.yaml has no sections; restore it from the repository")
    return root


def _pair(node: yaml.MappingNode, key: str) -> Pair:
    pair = _find(node, key)
    if pair is None:
        raise SettingsError(f"params.yaml: section '{key}' is missing; add it, or restore it from the repository")
    return pair


def _find(node: yaml.MappingNode, key: str) -> Pair | None:
    return next((pair for pair in node.value if pair[0].value == key), None)


def _end(node: yaml.Node) -> int:
    """End of a node's text; a block's own end mark lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(node, yaml.MappingNode) else last)
    return int(node.end_mark.index)


def _flow(value: Any) -> str:
    """A value on one line, fit to stand within a flow mapping."""
    listed = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, sort_keys=False, width=float("inf"))
    return str(listed).strip()[1:-1]
