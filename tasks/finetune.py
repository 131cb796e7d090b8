"""Stage finetune: fine-tune the language model on behaviour; keep it only if it ranks better than its base."""

from contextlib import nullcontext
from pathlib import Path

import polars as pl
from dvclive import Live
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from strata.data.history import History
from strata.data.schema import LANGUAGE, TEXT
from strata.embeddings.encoder import Encoder, EncoderSettings, require_watched
from strata.embeddings.item_text import item_texts
from strata.embeddings.languages import misread
from strata.embeddings.neutral import bring_together
from strata.embeddings.processes import Processes
from strata.embeddings.training import JUDGED_BY, Corpus, FinetuneSettings, finetune
from strata.evaluation.split import CutOffs
from strata.settings import read_settings
from strata.storage import replacing, write_json
from tasks import ADAPTED, ENCODER, FINETUNE, HISTORY, TABLES, run

CHECKPOINTS = Path("checkpoints/finetune")
"""Outside the stage's outputs: DVC removes those before a run."""


def main() -> None:
    """Read the tables, tune, write the encoder, its metrics and its curves.

    `torchrun --nproc-per-node N -m tasks.finetune` tunes in several processes, with the same result.
    """
    processes = Processes.joined()
    encoder_settings = read_settings(EncoderSettings, "encoder")
    require_watched(encoder_settings)
    settings = read_settings(FinetuneSettings, "finetune")
    languages = pl.read_parquet(TABLES / "items.parquet", columns=[LANGUAGE])[LANGUAGE]
    if found := misread(languages, encoder_settings.base):
        Console().print(f"warning: {found}; set encoder.base to it", style="yellow", highlight=False, markup=False)
    adapted = ADAPTED / "encoder"
    encoder = Encoder.load(adapted if adapted.is_dir() else encoder_settings.base, encoder_settings)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    curves = Live(str(FINETUNE / "curves"), save_dvc_exp=False, dvcyaml=None, report=None) if processes.first else None
    with Progress(*columns, disable=not processes.first) as bar, curves or nullcontext():
        task = bar.add_task("fine-tuning", total=settings.steps)
        best = 0.0

        def report(point: dict[str, float]) -> None:
            nonlocal best
            best = max(best, point.get(JUDGED_BY, 0.0))
            bar.update(
                task,
                completed=point["step"],
                description=f"fine-tuning: loss {point['loss']:.3f}, best {JUDGED_BY} {best:.4f}",
            )
            if curves is not None:
                curves.step = int(point["step"])
                for name, value in point.items():
                    if name != "step":
                        curves.log_metric(name.replace("@", "_at_"), value)

        corpus = read_corpus()
        metrics = finetune(encoder, corpus, settings, CHECKPOINTS, report, processes)
    if not processes.first:
        return
    metrics["languages"] = bring_together(encoder, corpus.item_texts, languages)
    with replacing(ENCODER) as folder:
        encoder.save(folder)
    write_json(metrics, FINETUNE / "metrics.json")


def read_corpus() -> Corpus:
    """Events with their words, and the items' texts, with rows aligned to the tables."""
    items, users = pl.read_parquet(TABLES / "items.parquet"), TABLES / "users.parquet"
    n_users = pl.scan_parquet(users).select(pl.len()).collect().item()
    interactions = HISTORY / "interactions.parquet"
    return Corpus(
        item_texts=item_texts(items),
        events=History.read(interactions, n_users=n_users, n_items=len(items)),
        event_texts=pl.read_parquet(interactions, columns=[TEXT])[TEXT].to_list(),  # `split` sorted it as History does
        cut_offs=CutOffs.read(HISTORY / "cut_offs.json"),
    )


if __name__ == "__main__":
    run(main)
