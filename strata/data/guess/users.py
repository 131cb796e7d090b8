"""Guesses what a file says of users."""

from strata.data.guess.columns import pick
from strata.data.guess.events import by_layout
from strata.data.guess.ids import settle_id
from strata.data.guess.ledger import Ledger
from strata.data.guess.names import rank
from strata.data.guess.tables import Files


def settle(ledger: Ledger, files: Files) -> None:
    """Note the settings of the users' file, where there is one."""
    sample = files.tables.get("users")
    if sample is None:
        return
    if layout := files.layouts.get("users"):
        by_layout(ledger, "users", sample, layout)
        return
    taken: list[str] = []
    settle_id(ledger, files, sample, "users", taken)
    pick(ledger, sample, "users", "profile_text", taken, doubtful=False)
    for name in sample.facts:
        if name not in taken and rank("users", "attribute", name) is not None:
            ledger.settle(("users", "attributes", name), name, "its name says so")
