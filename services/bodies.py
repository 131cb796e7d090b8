"""Bodies are read strictly: UTF-8, and no key twice in an object, of which parsers would keep one or the other."""

import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from services.errors import ApiError


class Doubled(dict[str, Any]):
    """An object with a key that is there twice."""

    key = ""


class Body(Request):
    """A request whose JSON is read strictly."""

    async def json(self) -> Any:
        """The parsed body. Raises ApiError: 400 where it is not JSON, 422 naming a key that is there twice."""
        doubled = False

        def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            nonlocal doubled
            found = dict(pairs)
            if len(found) == len(pairs):
                return found
            doubled, names = True, [name for name, _ in pairs]
            twice = Doubled(found)
            twice.key = next(name for place, name in enumerate(names) if name in names[:place])
            return twice

        try:
            parsed = json.loads((await self.body()).decode("utf-8"), object_pairs_hook=made)
        except UnicodeDecodeError:
            raise ApiError(400, "the body is not UTF-8") from None
        except RecursionError:
            raise ApiError(400, "the body is nested too deeply") from None
        except json.JSONDecodeError:
            raise
        except ValueError:
            raise ApiError(400, "a number of the body has too many digits") from None
        if doubled:
            path = next(_twice(parsed))
            raise ApiError(
                422,
                "this key is there twice",
                code="duplicate_key",
                field=path,
                remedy="send each key of an object once",
            )
        return parsed


def _twice(part: Any, path: str = "") -> Iterator[str]:
    """Paths of keys that are there twice, the outermost first."""
    if isinstance(part, Doubled):
        yield f"{path}.{part.key}".removeprefix(".")
    named = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in named:
        yield from _twice(value, f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}")


class StrictRoute(APIRoute):
    """A route whose requests are read strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given the request as a Body."""
        handler = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handler(Body(request.scope, request.receive))

        return strictly
