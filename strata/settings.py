"""Settings: a section of params.yaml is read once, as one frozen, typed object."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from strata.errors import SettingsError


class Settings(BaseModel):
    """Base of every component's settings: unknown keys are refused, values cannot change.

    `former_names`: keys of the previous release and their current names. Both are accepted, old ones with a warning.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    former_names: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _take_former_names(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not (old := cls.former_names.keys() & values.keys()):
            return values
        for name in sorted(old):
            now = cls.former_names[name]
            if now in values:
                raise ValueError(f"{name} is called {now} now, and both are given; leave {name} out")
            warnings.warn(f"the setting {name} is called {now} now; rename it", FutureWarning, stacklevel=2)
        return {cls.former_names.get(name, name): value for name, value in values.items()}


S = TypeVar("S", bound=BaseModel)


def read_settings(model: type[S], section: str, path: Path = Path("params.yaml")) -> S:
    """Read `section` (dots reach deeper) of a params file as `model`.

    Raises SettingsError naming the file, the key, what is wrong and what is allowed.
    """
    content: Any = yaml.safe_load(_text(path))
    for key in section.split("."):
        if not isinstance(content, dict) or key not in content:
            raise SettingsError(f"{path}: section '{section}' is missing; add it, or restore it from the repository")
        content = content[key]
    try:
        return model.model_validate(content or {})
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, (section, *e['loc'])))}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"{path}: {faults}. Allowed keys: {', '.join(model.model_fields)}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(f"{path.absolute()} does not exist; run this from the project's root folder") from None
