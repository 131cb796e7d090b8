"""Stage tier@CUT_OFF: every user's interest points, named and sorted into tiers."""

from pathlib import Path

from strata.data.history import as_date
from strata.data.schema import CUT_OFFS
from strata.data.sources.finding import Finding
from strata.embeddings.checkpoints import fingerprint, loaded_code
from strata.interests.corrections import Corrections, said_lost
from strata.interests.profiling import Profiler
from strata.interests.settings import TierSettings, tier_settings
from strata.interests.shards import discard, merge, profile_shards, shards
from strata.interests.statements import Statements
from strata.interests.themes import Themes
from strata.storage import read_array, write_json
from tasks import CORRECTIONS, HISTORY, TABLES, VECTORS, run
from tasks.inputs import Inputs, folder
from tasks.reporting import progress, say
from tasks.spaces import space_of

NEARLY_ALL = 0.9
"""Share of the points in one tier from which tiers tell little apart, and the run says so."""
SCRATCH = Path("checkpoints") / "tier"
"""Outside DVC's outs, which it removes before a run: so the next run can resume from a killed run's shards."""


def main(cut_off: str) -> None:
    """Find, measure, name and tier the points of all users."""
    inputs = Inputs()
    time, themes = inputs.time(cut_off), Themes.read(folder(cut_off) / "themes")
    space = space_of(cut_off)
    profiler = Profiler.of(inputs.catalogue, space, themes, tier_settings())
    texts = space.of_texts(read_array(VECTORS / "profile_texts.npy"))
    statements = Statements.of(read_array(VECTORS / "profile_text_users.npy"), texts)
    corrections = Corrections.read(CORRECTIONS) if cut_off == "live" else Corrections()
    corrections = corrections.found(themes, inputs.catalogue, space)
    scratch = SCRATCH / cut_off / _tag(cut_off, profiler.settings, corrections)[:16]
    history, ids = inputs.history, inputs.user_ids
    with progress(f"{cut_off}: finding interest points", history.n_users, "users") as advance:
        parts = list(profile_shards(shards(history), profiler, time, ids, scratch, statements, corrections, advance))
    summary = merge(parts, folder(cut_off) / "profiles")
    write_json(summary, folder(cut_off) / "tiers.json")
    discard(scratch)
    say(
        f"{cut_off} ({as_date(time)}): {summary['points']:,} points of {summary['users']:,} users: "
        f"{summary['core']:,} core, {summary['stable']:,} stable, {summary['momentary']:,} momentary"
    )
    if not profiler.settings.timed:
        say(f"{cut_off}: the data have no times, so what is not stated is momentary: tiers tell nothing apart here")
    if by_id := sum(line.meant is None for line in corrections.lines):
        what = "corrections do not say what they meant, so they hold by the id of their topic"
        again = "where that is another topic now, undo them and say them again with strata correct"
        say(f"{cut_off}: {Finding(what, by_id, of=len(corrections.lines), remedy=again)}")
    for line in corrections.lost(themes):
        say(f"{cut_off}: {said_lost(line)}")
    for tier, share in summary["shares"].items():
        if share > NEARLY_ALL and profiler.settings.timed:
            say(
                f"{cut_off}: {share:.0%} of all points are {tier}, so tiers tell little apart here; periods that fit "
                "how often people come (tier.period_days, tier.min_periods) or python -m benchmarks.thresholds may help"
            )


def _tag(cut_off: str, settings: TierSettings, corrections: Corrections) -> str:
    """Hash of all that shards depend on: code, settings, corrections and every file that is read."""
    files = [
        *(TABLES / name for name in ("items.parquet", "users.parquet")),
        *(HISTORY / name for name in ("interactions.parquet", "cut_offs.json")),
        *(VECTORS / name for name in ("profile_texts.npy", "profile_text_users.npy")),
        *sorted((folder(cut_off) / "space").iterdir()),
        *sorted((folder(cut_off) / "themes").iterdir()),
    ]
    corrected = [line.model_dump_json() for line in corrections.lines]
    return fingerprint([*loaded_code("strata", "tasks"), settings.model_dump(), corrected, *files])


if __name__ == "__main__":
    run(main, one_of=CUT_OFFS)
