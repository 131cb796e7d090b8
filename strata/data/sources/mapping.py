"""What settings say of a table: its file, which of its columns are ours, and what its rows become."""

from typing import Any, ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from strata.data.schema import (
    ATTRIBUTES,
    BEHAVIOUR,
    CATEGORIES,
    INTERACTIONS,
    ITEM,
    ITEMS,
    TAGS,
    TIMESTAMP,
    USER,
    USERS,
    WEIGHT,
    Behaviour,
)
from strata.data.sources.grammar import FileSettings
from strata.data.sources.reshape import PropertiesSettings, UnfoldSettings
from strata.data.sources.source import Clock
from strata.data.sources.values import ValueSettings

Theirs = str | list[str]
"""Name of a file's column, with dots into its objects; or several, whose texts or lists are joined."""


class TableSettings(FileSettings, ValueSettings):
    """One table's file, how it is written, and how its columns become ours."""

    table: ClassVar[Any]
    required: ClassVar[tuple[str, ...]]
    strict: ClassVar[bool] = False
    """Whether a number or time that does not parse refuses its row; otherwise it becomes null and is counted."""

    columns: dict[str, Theirs] | None = None
    """Our column → the file's column, or several; left out: the file uses our names."""
    constants: dict[str, str | int | float] = {}
    """Our column → one value for every row."""
    attributes: dict[str, str] = {}
    """Name of an attribute → the file's column."""
    unfold: UnfoldSettings | None = None
    """A column that holds several items in one cell: a row for each of them."""
    repeated: Literal["refuse", "first", "latest"] = "refuse"
    """What stands for an id with several rows: none of them but the first row, or of each column the first or latest
    value that is there."""
    latest_by: str | None = None
    """The file's column that says which value is the latest; left out: the last row."""

    @field_validator("columns", mode="before")
    @classmethod
    def _positions(cls, given: Any) -> Any:
        """Columns without a header are called by their numbers, which YAML does not read as text."""
        if not isinstance(given, dict):
            return given
        named = {name: theirs if isinstance(theirs, list) else [theirs] for name, theirs in given.items()}
        texts = {name: [str(t) if type(t) is int else t for t in theirs] for name, theirs in named.items()}
        return {name: theirs[0] if len(theirs) == 1 else theirs for name, theirs in texts.items()}

    @model_validator(mode="after")
    def _known_columns(self) -> Self:
        ours = {name for name in self.table if name != WEIGHT}
        mapped = set(self.columns or {}) | set(self.constants)
        if unknown := sorted(mapped - ours):
            raise ValueError(f"unknown column {', '.join(unknown)}; there is: {', '.join(sorted(ours))}")
        if twice := sorted(set(self.columns or {}) & set(self.constants)):
            raise ValueError(f"{', '.join(twice)} is both in columns and in constants; keep one")
        if self.attributes and ATTRIBUTES not in ours:
            raise ValueError("interactions have no attributes; leave them out")
        if self.repeated != "refuse" and len(self.required) > 1:
            raise ValueError("interactions have no id that rows could share; leave `repeated` out")
        return self


class InteractionsSettings(TableSettings):
    """File and columns of interactions."""

    table = INTERACTIONS
    required = (USER, ITEM, BEHAVIOUR, TIMESTAMP)
    strict = True

    behaviours: dict[str, Behaviour | None] = {}
    """The file's name of a behaviour → ours; null leaves its rows out."""
    unrated: dict[float | Literal["empty"], Behaviour] = {}
    """Values of `rate` that are no rating (0, -1; `empty`: no value) → the behaviour that stands in."""
    time: Clock = "clock"
    """What timestamp holds: times; `order`, a number that puts a user's interactions in order; `none`: nothing does."""

    @model_validator(mode="after")
    def _timed(self) -> Self:
        if self.time == "none" and TIMESTAMP in {*(self.columns or {}), *self.constants}:
            raise ValueError("time is none, and timestamp is mapped; leave one of them out")
        return self


class ItemsSettings(TableSettings):
    """File and columns of items."""

    table = ITEMS
    required = (ITEM,)

    flags: dict[Literal["categories", "tags"], list[str] | dict[str, str]] = {}
    """Columns of 0 and 1 as entries of a list: their names, or entry → the file's column."""
    properties: PropertiesSettings | None = None
    """Where each row holds one property of an item: its columns; `columns` then names properties."""

    @model_validator(mode="after")
    def _listed_once(self) -> Self:
        if twice := sorted({CATEGORIES, TAGS} & self.flags.keys() & {*(self.columns or {}), *self.constants}):
            raise ValueError(f"{', '.join(twice)} is both in columns and in flags; keep one")
        return self


class UsersSettings(TableSettings):
    """File and columns of users."""

    table = USERS
    required = (USER,)
