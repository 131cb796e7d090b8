"""What a run shows in the Prefect UI: metrics, tiers, reports and the version of every artefact."""

import json
from pathlib import Path

from prefect.artifacts import create_link_artifact, create_markdown_artifact

from flows.pipeline import Pipeline

METRICS = Path("artifacts/evaluation/metrics.md")
TIERS = Path("artifacts/models/live/tiers.json")
DATA_DOCS = Path("reports/data-docs/index.html")
MODEL_CARD = Path("artifacts/model_card.md")
COPY = "A file on the machine that ran this: browsers open it by its address, not by a click from here."


def publish_results(folder: Path) -> None:
    """Show the run's results; those that a pipeline does not produce are left out."""
    if (folder / METRICS).exists():
        create_markdown_artifact(
            (folder / METRICS).read_text(encoding="utf-8"), "metrics", "Quality on the test window"
        )
    if (folder / TIERS).exists():
        create_markdown_artifact(_tier_table(folder / TIERS), "tiers", "Interest points by tier")
    create_markdown_artifact(_version_table(Pipeline(folder)), "versions", "What dvc.lock holds after this run")
    publish_link(folder, MODEL_CARD, "model-card")


def publish_link(folder: Path, report: Path, key: str) -> None:
    """Link to a report, if it was made."""
    path = folder / report
    if path.exists():
        create_link_artifact(path.resolve().as_uri(), link_text=str(report), key=key, description=COPY)


def _tier_table(path: Path) -> str:
    counts = json.loads(path.read_text(encoding="utf-8"))
    return "\n".join(["| | |", "|---|---:|", *(f"| {name} | {value:,} |" for name, value in counts.items())])


def _version_table(pipeline: Pipeline) -> str:
    rows = [f"| {stage} | {path} | `{digest}` |" for stage, path, digest in pipeline.outputs()]
    return "\n".join(["| stage | artefact | md5 |", "|---|---|---|", *rows])
