"""A fingerprint of the code behind a figure: each module it depends on, by what the module does.

A module counts by the syntax tree of its body: comments, layout, docstrings, import statements and `__all__` are no
part of it, names are. So a module that moves stays the same, and so do those that import it from its new place. What
that misses: another object imported under the same name, as long as its own module was among the dependencies before;
modules that swap places with equal bodies; a name built at run time; and other versions of third-party packages.
"""

import ast
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import yaml

from benchmarks.closure import Files, closure, upstream
from benchmarks.evidence.sections import Section

Code = Mapping[str, str]
"""Module, named part of one, settings section or other file → 12 hexadecimal digits."""
LEFT_OUT: Final = ("strata/errors.py", "strata/cli/terminal.py", "benchmarks/evidence/files.py")
"""Modules that no figure depends on: exceptions, messages, and how rows are written."""
PARAMS = "params.yaml"


def fingerprint(section: Section, files: Files) -> dict[str, str]:
    """What `section` depends on among `files`; what they lack is left out, and so are modules with an empty body."""
    stages = upstream(section.stages, files["dvc.yaml"]) if section.stages else ()
    modules = closure([*section.modules, *(f"tasks/{name}.py" for name in stages)], files, without=LEFT_OUT)
    found = {path: body(files[path]) for path in modules}
    found |= {f"{path}: {name}": body(files[path], name) for path, name in section.parts if path in files}
    found |= {path: _digest(files[path]) for path in section.files if path in files}
    found |= _settings(modules, files)
    return {path: found[path] for path in sorted(found) if found[path]}


def changes(then: Code, now: Code) -> list[str]:
    """What of the code is another one now, by the paths of then or now; what moved as it was is not."""
    gone = [path for path, digest in then.items() if now.get(path) != digest and digest not in now.values()]
    come = [path for path, digest in now.items() if then.get(path) != digest and digest not in then.values()]
    return sorted({*gone, *come})


@cache
def body(text: str, name: str = "") -> str:
    """Digest of what a module does, or what its top-level statement that defines `name` says; empty for nothing."""
    statements = [node for node in ast.parse(text).body if not name or name in _defined(node)]
    shape = _shape(statements)
    return _digest(json.dumps(shape)) if shape else ""


def _shape(node: Any) -> Any:
    """A syntax tree as lists, without positions; empty fields are left out, as Python versions add such fields."""
    if isinstance(node, list):
        return [_shape(each) for each in node if not _silent(each)]
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
        return [type(node).__name__, *([name, _shape(value)] for name, value in fields)]
    return repr(node)


def _silent(node: Any) -> bool:
    """Whether a statement does nothing by itself: an import, a docstring, the list of what a module exports."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.Import | ast.ImportFrom) or "__all__" in _defined(node)


def _defined(node: Any) -> set[str]:
    """Names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = {ast.Assign: "targets", ast.AnnAssign: "target"}.get(type(node))
    found = getattr(node, targets) if targets else []
    return {each.id for each in (found if isinstance(found, list) else [found]) if isinstance(each, ast.Name)}


def _settings(modules: set[str], files: Files) -> dict[str, str]:
    """The sections of params.yaml whose names stand as a text in one of the modules."""
    said = {word for path in modules for word in _words(files[path])}
    return {f"{PARAMS}: {key}": digest for key, digest in _params(files.get(PARAMS, "")).items() if key in said}


@cache
def _params(text: str) -> dict[str, str]:
    params: dict[str, Any] = yaml.safe_load(text) or {}
    return {key: _digest(json.dumps(value, default=str)) for key, value in params.items()}


@cache
def _words(text: str) -> frozenset[str]:
    constants = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    return frozenset(value for value in constants if isinstance(value, str))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
