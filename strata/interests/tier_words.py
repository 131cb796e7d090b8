"""Tiers as texts name them."""

from strata.data.schema import TIERS


def worded(tier: str, *, timed: bool) -> str:
    """A tier's word; "" for the first one where data are not `timed`: of what is not stated nothing is known there."""
    return tier if timed or tier != TIERS[0] else ""
