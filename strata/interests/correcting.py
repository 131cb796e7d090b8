"""A new correction: what is said of a topic now, so that it stays with what was said of it before."""

from datetime import datetime
from typing import Any

from strata.data.catalogue import Catalogue
from strata.embeddings.space import InterestSpace
from strata.errors import UnknownId
from strata.interests.correction_file import Correction
from strata.interests.corrections import Corrections
from strata.interests.refinding import Meant, meant_by
from strata.interests.themes import Themes


def new_lines(
    user_id: str,
    action: str,
    topic: str,
    *,
    who: str,
    time: datetime,
    value: str | None,
    note: str,
    before: Corrections,
    release: tuple[Themes, Catalogue, InterestSpace],
) -> list[Correction]:
    """The lines to keep: one, or several where an undo ends lines that meant different things.

    `before`: the corrections that there are. A line on what was corrected before says the same as the lines before it.
    Raises UnknownId for a topic that the release lacks, ValidationError where value and action do not fit.
    """
    said: dict[str, Any] = {
        "user_id": user_id, "action": action, "who": who, "time": time, "value": value, "note": note,
    }  # fmt: skip
    of = _meant(user_id, action, topic, before, release)
    return [Correction.model_validate({**said, "topic": then, "meant": meant}) for then, meant in of]


def _meant(
    user_id: str, action: str, topic: str, before: Corrections, release: tuple[Themes, Catalogue, InterestSpace]
) -> list[tuple[str, Meant | None]]:
    earlier = before.found(*release).about(user_id, topic)
    if earlier and action == "undo":
        return earlier
    ids = release[0].at("topic")["id"]
    if topic not in ids:
        raise UnknownId(f"topic '{topic}' is none of the {len(ids):,} topics of this release")
    return [next((of for of in earlier if of[1] is not None), (topic, meant_by(topic, *release)))]
