"""Loops over numbers as machine code."""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from numba import njit


@cache
def compiled(
    function: Callable[..., Any], signature: Any = None, *, error_model: Literal["python", "numpy"] = "python"
) -> Callable[..., Any]:
    """A function compiled by numba when it is first asked for; it lets other threads run meanwhile.

    numba keeps the machine code beside the function's file or in the user's cache folder. Where neither can be
    written, as in a container of read-only files, each process compiles for itself. With a `signature` that happens
    now, else at the first call.
    """
    try:
        found: Callable[..., Any] = njit(signature, nogil=True, cache=True, error_model=error_model)(function)
    except RuntimeError:
        found = njit(signature, nogil=True, error_model=error_model)(function)
    return found
