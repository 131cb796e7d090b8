"""Every path of the service and the scope that each method of it needs: what is not here does not exist."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from re import Pattern
from typing import Final, NamedTuple

from starlette.routing import compile_path

from strata.online.tokens import Scope

NEEDED: Final[dict[str, Scope]] = {
    "POST /recommend": "read",
    "POST /recommend/batch": "read",
    "POST /rank": "read",
    "POST /interests": "read",
    "POST /similar_items": "read",
    "POST /search": "read",
    "POST /chat": "read",
    "DELETE /chat/{session_id}": "read",
    "POST /hot_topics": "read",
    "POST /brands": "read",
    "POST /similar_users": "analyst",
    "POST /audience": "analyst",
    "POST /events": "write",
    "POST /items": "write",
    "GET /items": "read",
    "GET /items/{item_id}": "read",
    "GET /categories": "read",
    "GET /map": "read",
    "POST /feedback": "write",
    "POST /corrections": "write",
    "GET /users": "analyst",
    "GET /users/{user_id}": "admin",
    "DELETE /users/{user_id}": "admin",
    "GET /release": "read",
    "GET /releases": "analyst",
    "POST /releases/promote": "admin",
    "POST /releases/rollback": "admin",
    "POST /releases/shadow": "admin",
    "DELETE /releases/shadow": "admin",
    "GET /health": "read",
    "GET /metrics": "read",
    "GET /": "read",
    "GET /docs": "read",
    "GET /docs.json": "read",
    "GET /openapi.json": "read",
    "GET /static_content/swagger-ui.css": "read",
    "GET /static_content/swagger-ui-bundle.js": "read",
    "GET /static_content/favicon-light-32x32.png": "read",
}
PUBLIC: Final = frozenset({"/livez", "/readyz"})
"""Always answered, to anybody: a failed probe would get a busy service killed."""
STATIC: Final = "/ui"
"""Files that say nothing of anybody, public as well where they are mounted."""


class Place(NamedTuple):
    """A path of the table: as it is described, and each method's scope."""

    template: str
    methods: Mapping[str, Scope]


@dataclass(frozen=True)
class Paths:
    """The table, matched whole and literally. `static`: whether there are files below STATIC."""

    needed: Mapping[str, Scope]
    static: bool = False

    def is_public(self, path: str) -> bool:
        """Whether anybody may ask for it."""
        return path in PUBLIC or (self.static and self._is_file(path))

    def find(self, path: str) -> Place | None:
        """The place of a path, None where there is none."""
        if (exact := self._exact.get(path)) is not None:
            return exact
        return next((place for pattern, place in self._patterns if pattern.fullmatch(path)), None)

    def label(self, path: str) -> str:
        """What metrics and logs call a path; callers cannot make labels."""
        if path in PUBLIC:
            return path
        if self.static and self._is_file(path):
            return STATIC
        found = self.find(path)
        return "other" if found is None else found.template

    @staticmethod
    def _is_file(path: str) -> bool:
        """Steps upwards are no files, whoever between here and the caller resolves them."""
        inside = path == STATIC or path.startswith(f"{STATIC}/")
        return inside and "\\" not in path and not {".", ".."} & {*path.split("/")}

    @cached_property
    def _places(self) -> list[Place]:
        found: dict[str, dict[str, Scope]] = {}
        for key, scope in self.needed.items():
            method, _, template = key.partition(" ")
            found.setdefault(template, {})[method] = scope
        return [Place(template, methods) for template, methods in found.items()]

    @cached_property
    def _exact(self) -> dict[str, Place]:
        return {place.template: place for place in self._places if "{" not in place.template}

    @cached_property
    def _patterns(self) -> list[tuple[Pattern[str], Place]]:
        return [(compile_path(_whole(place.template))[0], place) for place in self._places if "{" in place.template]


def _whole(template: str) -> str:
    """Ids of users and items are the caller's, and may have slashes."""
    return template.replace("{user_id}", "{user_id:path}").replace("{item_id}", "{item_id:path}")
