"""Stage tier@CUT_OFF: every user's interest points, named and sorted into tiers."""

from strata.history import as_date
from strata.phrases import Phrases
from strata.profiles import Naming, profile_history
from strata.schema import CUT_OFFS
from strata.settings import read_settings
from strata.storage import write_json
from strata.themes import Themes
from strata.tiers import TierSettings, summarise
from tasks import run
from tasks.inputs import Inputs, folder
from tasks.reporting import progress, say


def main(cut_off: str) -> None:
    """Find, measure, name and tier the points of all users with positive events."""
    inputs = Inputs()
    settings = read_settings(TierSettings, "tier")
    time = inputs.time(cut_off)
    n_users = len(inputs.history.before(time).positive().active_users())
    themes = Themes.read(folder(cut_off) / "themes")
    naming = Naming(Phrases(inputs.catalogue.items), themes, inputs.user_ids, inputs.catalogue.ids)
    with progress(f"{cut_off}: finding interest points", n_users, "users") as advance:
        profiles, n_faded = profile_history(inputs.history, inputs.vectors, time, naming, settings, advance)
    profiles.write(folder(cut_off) / "profiles")
    summary = summarise(profiles.table, n_faded)
    write_json(summary, folder(cut_off) / "tiers.json")
    say(
        f"{cut_off} ({as_date(time)}): {summary['points']:,} points of {summary['users']:,} users: "
        f"{summary['core']:,} core, {summary['stable']:,} stable, {summary['momentary']:,} momentary"
    )


if __name__ == "__main__":
    run(main, one_of=CUT_OFFS)
