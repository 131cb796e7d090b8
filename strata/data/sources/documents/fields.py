"""What documents say of themselves, found under the names that people use for it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from strata.data.schema import CATEGORIES, CREATED, DESCRIPTION, ITEM, LANGUAGE, TAGS, TITLE

AUTHOR = "author"
USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    ITEM: ("id", "guid", "doi"),
    TITLE: ("title", "headline", "og:title", "citation_title", "dc.title", "name"),
    DESCRIPTION: ("text", "body", "content", "abstract", "summary", "description"),
    AUTHOR: ("author", "authors", "creator", "by", "byline", "citation_author", "article:author", "dc.creator"),
    CREATED: (
        "date", "published", "published_at", "datepublished", "article:published_time", "citation_publication_date",
        "dc.date", "pubdate", "created", "created_at", "timestamp", "time",
    ),
    CATEGORIES: ("categories", "category", "section", "article:section", "topic", "topics"),
    TAGS: ("tags", "tag", "keywords", "article:tag", "subjects"),
    LANGUAGE: ("language", "lang", "og:locale"),
}  # fmt: skip
"""Our column → names of the field, the first that has a value counts."""
DATE_IN_NAME = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
MAILED = re.compile(r"^(?:\w{3},\s*)?\d{1,2} \w{3} \d{4} ")
SENDER = re.compile(r"\s*<[^<>]*>|\s*\([^()]*@[^()]*\)")
"""The address behind a name, which is nobody's business."""


@dataclass(frozen=True)
class Fields:
    """What a document says of itself; `more`: what has no place of its own, as text."""

    id: str | None
    title: str | None
    text: str | None
    authors: list[str]
    date: str | None
    categories: list[str]
    tags: list[str]
    language: str | None
    more: dict[str, str]


def fields_of(said: Mapping[str, Any], stated: Mapping[str, str]) -> Fields:
    """The fields of a document; `stated` names those that are called otherwise: our column → theirs."""
    taken = {ours: _named(said, ours, stated) for ours in USUAL}
    value = {ours: said[name] if name else None for ours, name in taken.items()}
    used = set(taken.values()) | {name for name in said if name.startswith(("og:", "twitter:", "viewport"))}
    language = _text(value[LANGUAGE])
    return Fields(
        id=_text(value[ITEM]),
        title=_text(value[TITLE]),
        text=_text(value[DESCRIPTION]),
        authors=[name for each in _listed(value[AUTHOR], ";") if (name := SENDER.sub("", each).strip())],
        date=_date(value[CREATED]),
        categories=_listed(value[CATEGORIES], ";,"),
        tags=_listed(value[TAGS], ";,"),
        language=language and re.split("[-_]", language)[0].lower(),
        more={name: text for name, each in said.items() if name not in used and (text := _text(each))},
    )


def date_in(name: str) -> str | None:
    """The day that a file's name holds, such as 2024-03-01-harbour.md."""
    for year, month, day in reversed(DATE_IN_NAME.findall(name)):
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            continue
    return None


def _named(said: Mapping[str, Any], ours: str, stated: Mapping[str, str]) -> str | None:
    names = (stated[ours].lower(),) if ours in stated else USUAL[ours]
    return next((name for name in names if said.get(name) not in (None, "", [])), None)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        return str(value["name"])
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "; ".join(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)


def _listed(value: Any, separators: str) -> list[str]:
    if value is None:
        return []
    parts = (
        [_text(each) for each in value] if isinstance(value, list) else re.split(f"[{separators}]", _text(value) or "")
    )
    return [part.strip() for part in parts if part and part.strip()]


def _date(value: Any) -> str | None:
    """As ISO 8601 where it is a date of another form that is sure, else as it is given."""
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    text = _text(value)
    if text and MAILED.match(text):
        try:
            return parsedate_to_datetime(text).isoformat()
        except ValueError:
            return text
    return text
