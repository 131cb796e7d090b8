"""Stage package: model, index, profiles and tables as one release folder with a manifest."""

from operator import itemgetter
from pathlib import Path
from typing import Any

import yaml

from strata.data.history import as_date
from strata.data.journal_folder import MARK
from strata.release.layout import Part
from strata.release.manifest import write_release
from strata.release.model_card import model_card
from strata.storage import read_json, write_text
from tasks import (
    ARTIFACTS,
    CORRECTIONS,
    ENCODER,
    EVALUATION,
    FINETUNE,
    HISTORY,
    PICTURES,
    RANKER,
    RELEASE,
    TABLES,
    TEXT_INDEX,
    VALIDATION,
    VECTORS,
    WORD_INDEX,
    WORDS,
    run,
)
from tasks.inputs import Inputs, folder
from tasks.reporting import say

LOCK, PIPELINE = Path("dvc.lock"), Path("dvc.yaml")
CARD = ARTIFACTS / "model_card.md"


def main() -> None:
    """Write the model card and the release."""
    write_text(model_card(_facts()), CARD)
    live = folder("live")
    parts = {
        Part.ENCODER: ENCODER,
        Part.ITEMS: TABLES / "items.parquet",
        Part.USERS: TABLES / "users.parquet",
        Part.HISTORY: HISTORY / "interactions.parquet",
        Part.CUT_OFFS: HISTORY / "cut_offs.json",
        Part.SPACE: live / "space",
        Part.INDEX: live / "items.faiss",
        Part.TEXT_INDEX: TEXT_INDEX,
        Part.WORD_INDEX: WORD_INDEX,
        Part.HEADS: ARTIFACTS / "heads",
        Part.THEMES: live / "themes",
        Part.PROFILES: live / "profiles",
        Part.WORDING: live / "wording",
        Part.PROFILE_TEXTS: VECTORS / "profile_texts.npy",
        Part.PROFILE_TEXT_USERS: VECTORS / "profile_text_users.npy",
        Part.WORDS: WORDS,
        Part.CORRECTIONS: CORRECTIONS,
        Part.PICTURES: PICTURES,
        Part.MODELS: live / "collaborative",
        Part.RATINGS: live / "ratings",
        Part.RANKER: RANKER,
        Part.PARAMS: Path("params.yaml"),
        Part.METRICS: EVALUATION / "metrics.json",
        Part.METRICS_TABLE: EVALUATION / "metrics.md",
        Part.MODEL_CARD: CARD,
        **({Part.JOURNAL: TABLES / MARK} if (TABLES / MARK).exists() else {}),
    }
    metrics = read_json(EVALUATION / "metrics.json")
    manifest = write_release(RELEASE, parts, versions=_versions(), metrics=metrics)
    say(f"release {manifest.id}: {len(manifest.files)} files in {RELEASE}")


def _versions() -> dict[str, str]:
    """Hashes of the data and artefacts that this stage depends on, from the lock that DVC updates stage by stage.

    Not of code: a code change that gives the same artefacts does not rerun this stage, so its hash would be stale.
    """
    if not LOCK.exists():
        return {}
    needed = set(yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))["stages"]["package"]["deps"])
    stages = yaml.safe_load(LOCK.read_text(encoding="utf-8"))["stages"]
    read = [entry for entry in stages["validate"]["deps"] if entry["path"].startswith("data/")]
    made = [entry for stage in stages.values() for entry in stage.get("outs", []) if entry["path"] in needed]
    return {entry["path"]: entry["md5"] for entry in sorted([*read, *made], key=itemgetter("path"))}


def _figure(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4f}"


def _facts() -> dict[str, Any]:
    inputs = Inputs()
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    tiers, finetune = read_json(folder("live") / "tiers.json"), read_json(FINETUNE / "metrics.json")
    quarantined = sum(table["quarantined"] for table in read_json(VALIDATION / "summary.json")["tables"].values())
    return {
        "source": params["source"]["folder"],
        "events": len(inputs.history),
        "items": len(inputs.catalogue),
        "users": len(inputs.user_ids),
        "until": as_date(inputs.cut_offs.live),
        "quarantined": quarantined,
        "base": params["encoder"]["base"],
        "tune": params["finetune"]["tune"],
        "finetuned_until": as_date(inputs.cut_offs.finetune),
        **{name: _figure(finetune[name].get("ndcg@10")) for name in ("zero_shot", "tuned")},
        "kept": f"{finetune['kept']} ({finetune['why']})",
        "points": tiers["points"],
        "profiled": tiers["users"],
        "per_user": tiers["points_per_user"],
        **{name: tiers[name] for name in ("core", "stable", "momentary")},
        **{
            name: params["tier"][name]
            for name in ("core_persistence", "stable_persistence", "min_periods", "momentary_events", "recent_days")
        },
        "table": (EVALUATION / "metrics.md").read_text(encoding="utf-8"),
    }


if __name__ == "__main__":
    run(main)
