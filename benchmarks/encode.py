"""Texts read per second: Strata's reading of a catalogue beside sentence-transformers' `encode`, on one device.

python -m benchmarks.encode
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import polars as pl
import typer
from rich.table import Table

from strata.cli.terminal import console
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.item_text import item_texts

PEER: Final = "sentence-transformers, its defaults"
PRECISIONS: Final = ("fp32", "bf16")
WARMED_BY: Final = 256
"""Texts that each way reads before it is timed."""
Way = Callable[[list[str]], np.ndarray]
"""Texts → their vectors (n, d)."""


def ways(base: str, device: str, threads: int, batches: list[int]) -> dict[str, Way]:
    """The peer, then Strata in each precision and size of batch, all with one model cut at one length."""
    settings = EncoderSettings(base=base, device=device, threads=threads)
    peer = Encoder.load(base, settings).model
    found: dict[str, Way] = {PEER: lambda texts: np.asarray(peer.encode(texts))}
    for precision in PRECISIONS:
        for size in batches:
            set_so = settings.model_copy(update={"precision": precision, "batch_size": size})
            found[f"Strata, {precision}, {size} at once"] = Encoder.load(base, set_so).encode
    return found


def main(
    items: Annotated[Path, typer.Option(help="Table of items whose texts are read.")] = Path(
        "artifacts/tables/items.parquet"
    ),
    base: Annotated[str, typer.Option(help="Folder or name of the model.")] = EncoderSettings().base,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads of all ways.")] = 2,
    batch: Annotated[list[int] | None, typer.Option(help="Texts at once; repeat it to compare sizes.")] = None,
    limit: Annotated[int | None, typer.Option(help="Texts, at most.")] = None,
    repeats: Annotated[int, typer.Option(help="Times each way reads all texts, in turn; the median counts.")] = 3,
) -> None:
    """Time each way on the same texts, in turn, and print a table."""
    texts = item_texts(pl.read_parquet(items))[:limit]
    found = ways(base, device, threads, batch or [EncoderSettings().batch_size])
    vectors = {name: way(texts[:WARMED_BY]) for name, way in found.items()}
    took: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(repeats):
        for name, way in found.items():
            start = time.perf_counter()
            way(texts)
            took[name].append(time.perf_counter() - start)
    title = f"{len(texts):,} texts ({len(set(texts)):,} distinct) by {base} on {device}"
    table = Table("way", "texts/s", "× the peer", "least cosine to the peer's", title=title)
    for name in found:
        speed = len(texts) / statistics.median(took[name])
        ratio = statistics.median(there / here for there, here in zip(took[PEER], took[name], strict=True))
        cosine = (vectors[name] * vectors[PEER]).sum(1).min()
        table.add_row(name, f"{speed:,.0f}", f"{ratio:.2f}", f"{cosine:.4f}")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
