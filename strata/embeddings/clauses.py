"""Splits what people say of themselves into clauses, each of which may state something of its own."""

import re
from typing import Final

END: Final = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？；])|\s*[;|•·\n]\s*|\s+[-–—]\s+")
"""Where a clause ends: sentences, semicolons, bullets, dashes."""
SHORTEST, MOST = 3, 20
"""Characters below which nothing is said; clauses of a text that are read."""


def clauses(text: str) -> list[str]:
    """Up to MOST clauses of a text, in order; the whole text where it has no parts."""
    parts = [part.strip() for part in END.split(text)]
    return [part for part in parts if len(part) >= SHORTEST][:MOST] or [text.strip()]
