"""Writes guessed settings into a params.yaml: only what changed, and nothing that a person changed since."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from strata.data.sources.presets import leaves, merge, section
from strata.errors import SettingsError
from strata.storage import write_text

RECORD: Final = ".strata-init.yaml"
"""Beside params.yaml: what was written there last, by which a person's changes are told from ours."""
_HEADER = "# What `strata init` wrote into params.yaml last; by it, it knows what a person changed since.\n"
Path_ = tuple[Any, ...]


@dataclass(frozen=True)
class Change:
    """`text`: the new params.yaml. `kept`: settings that a person changed since; `changed`: settings that are new."""

    text: str
    kept: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def change(text: str, source: Mapping[str, Any], cleaning: Mapping[str, Any], last: Mapping[str, Any]) -> Change:
    """The text of a params.yaml with the section `source` and settings of `cleaning`.

    `last`: `source` and `cleaning` as they were written last. Another folder than last: `source` is replaced as a
    whole. Raises SettingsError when the text is no params.yaml.
    """
    now: dict[str, Any] = yaml.safe_load(text)
    if not isinstance(now, dict) or "source" not in now:
        raise SettingsError("params.yaml: section 'source' is missing; add it, or restore it from the repository")
    ours = {"source": dict(source), "cleaning": dict(cleaning)}
    before = last if last.get("source", {}).get("folder") == source["folder"] == now["source"].get("folder") else {}
    if not before:
        new = ours["source"]
        kept: list[str] = []
    else:
        new, kept = _merged(now["source"], before["source"], ours["source"])
    cleaned = {p: v for p, v in leaves(ours["cleaning"]) if _at(now.get("cleaning", {}), p) != v}
    for path in list(cleaned):
        there, was = _at(now.get("cleaning", {}), path), _at(before.get("cleaning", {}), path)
        if before and was is not None and there != was:
            kept.append(f"cleaning.{'.'.join(map(str, path))}: {there}")
            del cleaned[path]
    changed = [f"source.{path}" for path in _differences(now["source"], new)]
    changed += [f"cleaning.{'.'.join(map(str, path))}" for path in cleaned]
    if now["source"] != new:
        text = section(text, "source", _block(new))
    for path, value in cleaned.items():
        for part in reversed(path):
            value = {part: value}
        text = merge(text, {"cleaning": value})
    return Change(text, kept, changed)


def last_written(folder: Path) -> dict[str, Any]:
    """`source` and `cleaning` as written last; empty where nothing was."""
    path = folder / RECORD
    content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    return content if isinstance(content, dict) else {}


def remember(folder: Path, source: Mapping[str, Any], cleaning: Mapping[str, Any]) -> None:
    """Keep what was written, in FOLDER/.strata-init.yaml."""
    content = yaml.safe_dump({"source": dict(source), "cleaning": dict(cleaning)}, sort_keys=False, allow_unicode=True)
    write_text(_HEADER + content, folder / RECORD)


def _merged(now: Any, last: Any, ours: Any) -> tuple[dict[str, Any], list[str]]:
    """Ours, but for what is there and was not written so last."""
    flat_now, flat_last, flat_ours = (dict(_flat(each)) for each in (now, last, ours))
    merged, kept = {}, []
    for path in {**flat_ours, **flat_now}:
        edited = flat_now.get(path, _GONE) != flat_last.get(path, _GONE)
        value = flat_now.get(path, _GONE) if edited else flat_ours.get(path, _GONE)
        if value is not _GONE:
            merged[path] = value
        if edited and flat_ours.get(path, _GONE) != value:
            said = "taken out" if value is _GONE else value
            kept.append(f"source.{'.'.join(map(str, path))}: {said}")
    return _nested(merged), kept


_GONE: Final = object()


def _flat(values: Any, above: Path_ = ()) -> list[tuple[Path_, Any]]:
    if not isinstance(values, Mapping) or not values:
        return [(above, values)]
    return [leaf for key, value in values.items() for leaf in _flat(value, (*above, key))]


def _nested(flat: Mapping[Path_, Any]) -> dict[str, Any]:
    nested: dict[Any, Any] = {}
    for path, value in flat.items():
        place = nested
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return nested


def _differences(now: Any, new: Any) -> list[str]:
    flat_now, flat_new = dict(_flat(now)), dict(_flat(new))
    return [".".join(map(str, p)) for p in {**flat_now, **flat_new} if flat_now.get(p, _GONE) != flat_new.get(p, _GONE)]


def _at(values: Any, path: Path_) -> Any:
    for part in path:
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def _block(settings: Mapping[str, Any]) -> str:
    """Settings as YAML, two columns in: tables and their columns one a line, small mappings and lists on one."""
    lines = []
    for key, value in settings.items():
        if not isinstance(value, Mapping) or not value:
            lines.append(f"  {key}: {_inline(value)}")
            continue
        lines.append(f"  {key}:")
        for name, part in value.items():
            if name == "columns":
                lines.append("    columns:")
                lines += [f"      {ours}: {_inline(theirs)}" for ours, theirs in part.items()]
            else:
                lines.append(f"    {name}: {_inline(part)}")
    return "\n".join(lines)


def _inline(value: Any) -> str:
    if isinstance(value, str) and any(not char.isprintable() for char in value):
        return json.dumps(value)
    dumped = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, sort_keys=False, width=float("inf"))
    return str(dumped).strip()[1:-1]
