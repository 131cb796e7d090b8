"""Stage adapt: have the base model learn the platform's own texts before behaviour tunes it, where that is wanted."""

from pathlib import Path
from typing import Any

import polars as pl
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from strata.data.schema import PROFILE_TEXT, TEXT, TIMESTAMP
from strata.embeddings.adapt_settings import AdaptSettings
from strata.embeddings.item_text import item_texts
from strata.evaluation.split import CutOffs
from strata.settings import read_settings
from strata.storage import write_json
from tasks import ADAPTED, HISTORY, TABLES, run

CHECKPOINTS = Path("checkpoints/adapt")
"""Outside the stage's outputs: DVC removes those before a run."""


def main() -> None:
    """Write the metrics and, where the model learned, its folder.

    `torchrun --nproc-per-node N -m tasks.adapt` learns in several processes.
    """
    settings = read_settings(AdaptSettings, "adapt")
    metrics = _adapted(settings) if settings.enabled else {"adapted": False, "why": "adapt.enabled is false"}
    if metrics is not None:
        write_json(metrics, ADAPTED / "metrics.json")


def _adapted(settings: AdaptSettings) -> dict[str, Any] | None:
    """The metrics; None in all processes but the first."""
    from strata.embeddings.adapting import JUDGED_BY, adapt  # seconds to import, for nothing where it is not wanted
    from strata.embeddings.encoder import Encoder, EncoderSettings, require_watched
    from strata.embeddings.processes import Processes

    processes = Processes.joined()

    encoder_settings = read_settings(EncoderSettings, "encoder")
    require_watched(encoder_settings)
    encoder = Encoder.load(encoder_settings.base, encoder_settings)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=not processes.first) as bar:
        task = bar.add_task("adapting", total=settings.steps)

        def report(point: dict[str, float]) -> None:
            said = f"adapting: loss {point['loss']:.3f}"
            said += f", {JUDGED_BY} {point[JUDGED_BY]:.2f}" if JUDGED_BY in point else ""
            bar.update(task, completed=point["step"], description=said)

        metrics = adapt(encoder, read_texts(), settings, CHECKPOINTS, report, processes)
    if not processes.first:
        return None
    if metrics["adapted"]:
        encoder.save(ADAPTED / "encoder")
    return metrics


def read_texts(root: Path = Path()) -> list[str]:
    """What items say, what users say of themselves, and the words of events before fine-tuning's cut-off."""
    tables, history = root / TABLES, root / HISTORY
    cut_off = CutOffs.read(history / "cut_offs.json").finetune
    events = pl.scan_parquet(history / "interactions.parquet").drop_nulls(TEXT)
    early = events.filter(pl.col(TIMESTAMP).dt.epoch("us") < cut_off * 1e6).select(TEXT).collect()
    said = pl.read_parquet(tables / "users.parquet", columns=[PROFILE_TEXT])[PROFILE_TEXT].drop_nulls()
    return [*item_texts(pl.read_parquet(tables / "items.parquet")), *said, *early[TEXT]]


if __name__ == "__main__":
    run(main)
