"""Compiles numeric loops with numba."""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from numba import njit


@cache
def compiled(
    function: Callable[..., Any], signature: Any = None, *, error_model: Literal["python", "numpy"] = "python"
) -> Callable[..., Any]:
    """Compile a function with numba, once; it releases the GIL while it runs.

    numba caches the machine code beside the function's file or in the user's cache folder. Where neither can be
    written, as in a read-only container, each process compiles for itself. With a `signature` it compiles now, else at
    the first call.
    """
    try:
        found: Callable[..., Any] = njit(signature, nogil=True, cache=True, error_model=error_model)(function)
    except RuntimeError:
        found = njit(signature, nogil=True, error_model=error_model)(function)
    return found
