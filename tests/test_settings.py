"""params.yaml holds every setting there is, and what code would do without it is what it says."""

import ast
import importlib
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import yaml

from strata.settings import Settings
from tests.places import ROOT

PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
OF_ONE_DATA_SET = {"source": "where one data set lies and how it is read"}
WITHOUT_DEFAULT = {"cleaning.weights": "what a behaviour says is for those to decide who know the data"}


def sections() -> dict[str, type[Settings]]:
    """Every section that the library, the stages, the flows and the services read, and the class it is read as."""
    found: dict[str, str] = {}
    for folder in ("strata", "tasks", "flows", "services"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "read_settings":
                    model, section = node.args[:2]
                    assert isinstance(model, ast.Name), f"{file}: name the class that a section is read as"
                    assert isinstance(section, ast.Constant), f"{file}: name the section that is read"
                    assert found.setdefault(section.value, model.id) == model.id, f"{section.value} is read as two"
    return {section: CLASSES[name] for section, name in found.items()}


def classes() -> dict[str, type[Settings]]:
    """All settings of the library by the names of their classes."""
    for file in sorted((ROOT / "strata").rglob("*.py")):
        if re.search(r"^class \w+\(\w*Settings\):", file.read_text(encoding="utf-8"), re.MULTILINE):
            importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    waiting, found = [Settings], {}
    while waiting:
        waiting += (below := waiting.pop().__subclasses__())
        found |= {each.__name__: each for each in below if each.__module__.startswith("strata.")}
    return found


CLASSES = classes()
SECTIONS = sections()
WHOLE = sorted(section for section in SECTIONS if section not in OF_ONE_DATA_SET)


def at(path: str) -> Any:
    """What params.yaml holds there."""
    found = PARAMS
    for key in path.split("."):
        found = found[key]
    return found


def compared(path: str, model: type[Settings], default: Any, written: Any) -> Iterator[tuple[str, Any, Any]]:
    """Path, default and value in params.yaml of every field, and of those of settings within it.

    `default`: settings that code makes by itself, None where a field of them has no default; `written`: as they are
    read.
    """
    there = set(at(path))
    assert there == set(model.model_fields), f"params.yaml, {path}: {sorted(there ^ set(model.model_fields))}"
    for name, field in model.model_fields.items():
        below, value = f"{path}.{name}", getattr(written, name)
        ours = getattr(default, name) if default is not None else field.get_default(call_default_factory=True)
        if below in WITHOUT_DEFAULT:
            assert field.is_required(), f"{below} has a default by now: compare it"
        elif isinstance(value, Settings):
            yield from compared(below, type(value), ours, value)
        else:
            yield below, ours, value


@pytest.mark.parametrize("section", WHOLE)
def test_code_does_without_params_what_params_say(section: str) -> None:
    model = SECTIONS[section]
    default = None if any(field.is_required() for field in model.model_fields.values()) else model()
    found = list(compared(section, model, default, model.model_validate(at(section))))
    assert found
    differing = {path: (ours, written) for path, ours, written in found if repr(ours) != repr(written)}
    assert not differing, "code and params.yaml differ; let code follow"


def test_every_section_is_read() -> None:
    assert {section.split(".")[0] for section in SECTIONS} == set(PARAMS)
    assert not WITHOUT_DEFAULT.keys() - {f"{s}.{name}" for s in WHOLE for name in SECTIONS[s].model_fields}


def test_every_class_of_settings_belongs_to_a_section() -> None:
    """As a section, within one, or as what one is derived from."""
    reached: set[Any] = set()
    waiting: list[Any] = list(SECTIONS.values())
    while waiting:
        kind = waiting.pop()
        if kind not in reached:
            reached.add(kind)
            waiting += get_args(kind)
            if isinstance(kind, type) and issubclass(kind, Settings):
                waiting += [*kind.__mro__, *(field.annotation for field in kind.model_fields.values())]
    missing = sorted(name for name, kind in CLASSES.items() if kind not in reached)
    assert not missing, "read these from a section of params.yaml, or put them into settings that are"
