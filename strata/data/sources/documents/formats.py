"""The text of one file, and what the file says of itself, whatever kind of document it is."""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from strata.errors import SourceError

INSTALL: Final = 'python -m pip install -c requirements.lock -e ".[documents]"'
LONGEST_HEADING = 120
"""Characters of a first line that can stand as a title."""
LONGEST = 200_000
"""Characters of a PDF that are read; the beginning says what it is about."""
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
GUESSED = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874", "koi8_r", "gb18030",
    "big5", "shift_jis", "euc_jp", "euc_kr",
)  # fmt: skip
"""Encodings that people's files have; a guess among all there are takes few bytes for something rare."""
FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""")
XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")


class Note(NamedTuple):
    """Something guessed or left out while reading, and the setting or step that mends it."""

    what: str
    remedy: str | None = None


@dataclass(frozen=True)
class Document:
    """One document: `text`; `heading`, what may stand as its title; `said`: its fields, their names in lower case.

    `line`: which line of its file it is, where a file holds several. `fault`: why it cannot be used.
    """

    text: str = ""
    heading: str | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
    line: int | None = None
    fault: str | None = None
    notes: tuple[Note, ...] = ()


class Unreadable(Exception):
    """A file that gives no document; the message is the reason, the same for all files of its kind."""


def read_documents(path: Path, encoding: str | None = None) -> Iterator[Document]:
    """The documents of a file: one, or one a line of JSON. A file that cannot be read gives one with its fault.

    `encoding`: of text files; left out: UTF-8, or what the file declares, or a guess that is noted. Raises SourceError
    where a package for this kind of file is missing.
    """
    try:
        yield from READERS[path.suffix.lower()](path, encoding)
    except ModuleNotFoundError as error:
        raise SourceError(f"{path}: to read it the package {error.name} is needed; install it: {INSTALL}") from None
    except Unreadable as error:
        yield Document(fault=str(error))
    except OSError as error:
        yield Document(fault=f"the file cannot be read: {error.strerror}")


def _plain(path: Path, encoding: str | None) -> Iterator[Document]:
    text, notes = _decoded(path.read_bytes(), encoding)
    first, _, rest = text.strip().partition("\n")
    heading = first.strip() if rest.strip() and len(first) <= LONGEST_HEADING else None
    yield Document(_some(text), heading, notes=notes)


def _markdown(path: Path, encoding: str | None) -> Iterator[Document]:
    from markdown_it import MarkdownIt

    text, notes = _decoded(path.read_bytes(), encoding)
    said: Mapping[str, Any] = {}
    if matter := FRONT_MATTER.match(text):
        text = text[matter.end() :]
        try:
            said = _lowered(yaml.safe_load(matter[1]) or {})
        except (yaml.YAMLError, AttributeError, ValueError):
            notes += (Note("front matter that is no YAML mapping: left out"),)
    blocks, heading = [], None
    before = None
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "inline":
            words = "".join(_inline(each.type, each.content) for each in token.children or ())
            blocks.append(words)
            if heading is None and before == "h1":
                heading = words.strip()
        before = token.tag
    yield Document(_some("\n".join(blocks)), heading, said, notes=notes)


def _inline(kind: str, content: str) -> str:
    if kind in ("softbreak", "hardbreak"):
        return " "
    return content if kind in ("text", "code_inline", "text_special") else ""


def _html(path: Path, encoding: str | None) -> Iterator[Document]:
    import trafilatura
    from lxml import etree, html

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # says on stderr what is noted here
    raw = path.read_bytes()
    declared = DECLARED.search(raw[:2048])
    text, notes = _decoded(raw, encoding, declared[1].decode("ascii") if declared else None)
    try:
        tree = html.document_fromstring(XML_DECLARATION.sub("", text))
    except (etree.LxmlError, ValueError):
        raise Unreadable("the page holds no HTML") from None
    said: dict[str, Any] = {}
    for meta in tree.iter("meta"):
        name, content = meta.get("name") or meta.get("property") or meta.get("itemprop"), meta.get("content")
        if name and content and content.strip():
            said.setdefault(name.lower(), []).append(content.strip())
    said = {name: values[0] if len(values) == 1 else values for name, values in said.items()}
    if language := tree.get("lang"):
        said.setdefault("lang", language)
    if times := tree.xpath("//time[@datetime]/@datetime"):
        said.setdefault("time", str(times[0]))
    main = trafilatura.extract(text, include_comments=False)
    if not main:
        main = trafilatura.html2txt(text)
        notes += (Note("pages without a main text: all words of the page taken"),)
    yield Document(_some(main), _titled(tree), said, notes=notes)


def _titled(tree: Any) -> str | None:
    """The title of a page without the name of its site: the first heading, where the title begins with it."""
    title = " ".join((tree.findtext(".//title") or "").split())
    heading = next((" ".join(node.text_content().split()) for node in tree.iter("h1")), "")
    return (heading if heading and title.startswith(heading) else title) or None


def _pdf(path: Path, _: str | None) -> Iterator[Document]:
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # says on stderr what is a fault here
    parts, length = [], 0
    notes: tuple[Note, ...] = ()
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("the PDF is encrypted; save it without a password")
        for number, page in enumerate(reader.pages, start=1):
            parts.append(page.extract_text())
            length += len(parts[-1])
            if length > LONGEST and number < len(reader.pages):
                notes = (Note(f"PDFs beyond {LONGEST:,} characters: the rest not read"),)
                break
        known = reader.metadata
        said = {} if known is None else {
            "title": known.title, "author": known.author, "subject": known.subject, "keywords": known.get("/Keywords"),
            "date": known.creation_date,
        }  # fmt: skip
    except Unreadable:
        raise
    except ModuleNotFoundError:
        raise
    except Exception:  # damaged files raise nearly anything
        raise Unreadable("the file is no readable PDF; save it again") from None
    text = "\n".join(parts)
    if not text.strip():
        raise Unreadable("the PDF holds no text, as scanned pages do; recognise it first (such as by ocrmypdf)")
    yield Document(text, None, {name: value for name, value in said.items() if value}, notes=notes)


def _json_lines(path: Path, encoding: str | None) -> Iterator[Document]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            try:
                text, notes = _decoded(raw, encoding)
                record = json.loads(text)
            except (Unreadable, ValueError, RecursionError):
                record = None
            if isinstance(record, dict):
                yield Document("", None, _lowered(record), number, notes=notes)
            else:
                yield Document(line=number, fault="the line is not a JSON object")


READERS: Final[Mapping[str, Callable[[Path, str | None], Iterator[Document]]]] = {
    **dict.fromkeys((".txt", ".text"), _plain),
    **dict.fromkeys((".md", ".markdown"), _markdown),
    **dict.fromkeys((".html", ".htm", ".xhtml"), _html),
    ".pdf": _pdf,
    **dict.fromkeys((".jsonl", ".ndjson"), _json_lines),
}
"""By the ending of a file."""


def _decoded(raw: bytes, stated: str | None, declared: str | None = None) -> tuple[str, tuple[Note, ...]]:
    mark = next((name for start, name in BYTE_ORDER_MARKS.items() if raw.startswith(start)), None)
    for encoding in filter(None, (stated or mark, None if stated else "utf-8", None if stated else declared)):
        try:
            text = raw.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\0" not in text:
            return text, ()
    if stated is not None:
        raise Unreadable(f"the file is no {stated} text; correct documents.encoding")
    from charset_normalizer import from_bytes

    guess = None if b"\0" in raw else from_bytes(raw, cp_isolation=list(GUESSED)).best()
    if guess is None:
        raise Unreadable("the file is no text in any known encoding")
    return str(guess), (Note(f"not UTF-8: read as {guess.encoding}, a guess", "set documents.encoding"),)


def _some(text: str | None) -> str:
    if text is None or not text.strip():
        raise Unreadable("the file holds no text")
    return text


def _lowered(record: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in record.items() if value not in (None, "", [], {})}
