"""Rows of shares, with Wilson's interval: cases are few and shares near 1."""

from collections.abc import Sequence
from typing import Any

from benchmarks.evidence.files import FEW, Row

Z = 1.959964


def share_row(id: str, what: str, right: Sequence[bool], **more: Any) -> Row:
    """The share of cases that are right, with its 95 % interval."""
    low, high = wilson(sum(right), len(right))
    few = f"{len(right)} are too few." if len(right) < FEW else ""
    return Row(id, what, sum(right) / len(right), low, high, "share", len(right), inconclusive=few, **more)


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share = right / n
    middle, reach = share + Z**2 / (2 * n), Z * (share * (1 - share) / n + Z**2 / (4 * n**2)) ** 0.5
    return max(0.0, (middle - reach) / (1 + Z**2 / n)), min(1.0, (middle + reach) / (1 + Z**2 / n))
