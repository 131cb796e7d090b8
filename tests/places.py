"""Where tests find the project and what is laid beside it."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
"""Data sets and cases beside a checkout; tests that read them skip without."""
