"""Stage fuse: how much behaviour says beside text in the interest space, chosen on the validation window."""

from strata.embeddings.space import SpaceSettings
from strata.interests.behaviour_share import choose_share
from strata.interests.themes import ThemeSettings
from strata.settings import read_settings
from strata.storage import write_json
from tasks import SHARE, run
from tasks.inputs import Inputs
from tasks.reporting import say


def main() -> None:
    """Try the shares of `space.tried` and write what was chosen, and why."""
    inputs = Inputs()
    start, end = inputs.time("validation"), inputs.time("backtest")
    past, later = inputs.history.before(start), inputs.history.between(start, end)
    known = inputs.catalogue.available(start, inputs.history)
    settings, themes = read_settings(SpaceSettings, "space"), read_settings(ThemeSettings, "themes")
    chosen = choose_share(inputs.texts, known, past, later, settings, themes)
    write_json(chosen.as_json(), SHARE)
    say(f"behaviour says {chosen.share:.0%} of what an item is, {chosen.why} ({chosen.users:,} users of validation)")


if __name__ == "__main__":
    run(main)
