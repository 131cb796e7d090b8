"""Releases of a few bytes, for tests of what moves releases about and never looks inside."""

from pathlib import Path

import polars as pl

from strata.release.manifest import write_release
from tests.strategies import catalogue, themes


def tiny_release(
    folder: Path, ndcg: float = 0.2, coverage: float = 0.1, with_points: int = 10, content: str = ""
) -> str:
    """Write a release with ten users and these figures into `folder`; returns its id."""
    parts = folder.with_name(f"{folder.name}-parts")
    parts.mkdir(parents=True)
    (parts / "content.txt").write_text(f"{content} {ndcg} {coverage} {with_points}")
    pl.DataFrame({"user_id": [str(n) for n in range(10)]}).write_parquet(parts / "users.parquet")
    pl.DataFrame({"user_id": [str(n) for n in range(with_points)]}).write_parquet(parts / "profiles.parquet")
    catalogue().write_parquet(parts / "items.parquet")
    themes().write(parts / "themes")
    metrics = {"strata": {"ndcg@10": ndcg, "coverage@10": coverage}, "ndcg@10": {"all": ndcg}}
    sources = {
        "content.txt": parts / "content.txt",
        "tables/users.parquet": parts / "users.parquet",
        "tables/items.parquet": parts / "items.parquet",
        "themes": parts / "themes",
        "profiles/profiles.parquet": parts / "profiles.parquet",
    }
    return write_release(folder, sources, versions={}, metrics=metrics).id


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
