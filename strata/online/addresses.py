"""Addresses of journals: the usual one, and secrets of the others, which stand in the environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from platformdirs import user_data_dir

from strata.errors import SettingsError

VARIABLE: Final = "STRATA_JOURNAL"
PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")
PASSWORD: Final = re.compile(r"://[^/@]*:[^/@]+@")


def usual(environment: Mapping[str, str] = os.environ) -> str:
    """The address that STRATA_JOURNAL gives, else this user's own file, as the service has it."""
    return environment.get(VARIABLE) or str(Path(user_data_dir("strata")) / "journal.sqlite")


def resolved(address: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """An address with what the environment holds for each ${NAME}; without any the usual one.

    Raises SettingsError for a name that is not set, and for a password written out: what is given to a flow is shown.
    """
    if address is None:
        return usual(environment)
    if (found := PASSWORD.search(address)) and not PLACEHOLDER.search(found[0]):
        raise SettingsError(
            "the journal's address holds a password, which would be kept and shown with each run; write ${NAME} in its "
            f"place and put it into the environment variable NAME, or set {VARIABLE} and give no address"
        )
    for name in PLACEHOLDER.findall(address):
        if name not in environment:
            raise SettingsError(f"the journal's address takes {name} from the environment, where it is not set")
    return PLACEHOLDER.sub(lambda match: environment[match[1]], address)
