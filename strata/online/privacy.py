"""What becomes of a record before the journal keeps it: ids are pseudonyms where there is a key, texts are scrubbed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from strata.online.pseudonyms import Pseudonyms
from strata.online.records import Record
from strata.online.scrubbing import scrub_records

SCRUB: Final = "STRATA_SCRUB"
OFF: Final = ("0", "false", "no", "off")


@dataclass(frozen=True)
class Privacy:
    """`pseudonyms`: None where ids stay; `scrub`: whether personal data leaves texts."""

    pseudonyms: Pseudonyms | None = None
    scrub: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """As the service is set: STRATA_PSEUDONYM_KEY and STRATA_SCRUB. Raises SettingsError for a weak key."""
        return cls(Pseudonyms.from_environment(environment), environment.get(SCRUB, "").lower() not in OFF)

    def of(self, record: Record) -> Record:
        """The record as it is kept."""
        if self.pseudonyms is not None and record.user_id is not None:
            record = replace(record, user_id=self.pseudonyms.of(record.user_id))
        return scrub_records([record])[0][0] if self.scrub else record
