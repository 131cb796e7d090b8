"""Stage fuse: how much behaviour says beside text in the interest space, chosen on the validation window."""

from strata.embeddings.space import SpaceSettings
from strata.interests.behaviour_share import choose_share
from strata.models.settings import CollaborativeSettings
from strata.settings import read_settings
from strata.storage import write_json
from tasks import SHARE, run
from tasks.inputs import Inputs
from tasks.reporting import say
from tasks.window import window_between


def main() -> None:
    """Try the shares of `space.tried` and write what was chosen, and why."""
    inputs = Inputs()
    collaborate = read_settings(CollaborativeSettings, "collaborate")
    window = window_between(inputs, "validation", "backtest")
    window = window.only(window.warm).sample(collaborate.users, collaborate.seed)
    known = inputs.catalogue.available(window.time, window.past)
    settings = read_settings(SpaceSettings, "space")
    chosen = choose_share(inputs.texts, known, window, settings, collaborate.grids.mean_vector)
    write_json(chosen.as_json(), SHARE)
    say(f"behaviour says {chosen.share:.0%} of what an item is, {chosen.why} ({chosen.users:,} users of validation)")


if __name__ == "__main__":
    run(main)
