"""Findings of reading and cleaning as tests compare them."""

from collections.abc import Iterable

from strata.data.sources.finding import Finding


def counted(findings: Iterable[Finding]) -> dict[str, int]:
    """What was found, and for how many rows or values."""
    return {finding.what: finding.count for finding in findings}
