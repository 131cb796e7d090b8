"""Texts by the content of what they were made from: evidence, generator and wording of prompts."""

import hashlib
import json
from pathlib import Path

from strata.generation.evidence import Evidence
from strata.generation.prompts import VERSION
from strata.storage import write_json


class TextCache:
    """A folder with one small file a text, or memory alone without a folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, str] = {}

    def get(self, evidence: Evidence, identity: str) -> str | None:
        """The text that was made of the same evidence by the same generator, if any."""
        key = _key(evidence, identity)
        if key not in self._known and self._folder is not None:
            try:
                self._known[key] = str(json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))["text"])
            except (OSError, ValueError, LookupError, TypeError):  # absent, or a file that somebody spoilt
                return None
        return self._known.get(key)

    def put(self, evidence: Evidence, identity: str, text: str) -> None:
        """Keep a text that passed the check."""
        key = _key(evidence, identity)
        self._known[key] = text
        if self._folder is not None:
            write_json({"text": text}, self._folder / f"{key}.json")


def _key(evidence: Evidence, identity: str) -> str:
    return hashlib.sha256(f"{VERSION}\n{identity}\n{evidence.key}".encode()).hexdigest()[:32]
