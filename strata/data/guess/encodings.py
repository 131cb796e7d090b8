"""Guesses the encoding of text from its bytes."""

import codecs
import re
from statistics import mean

from charset_normalizer import from_bytes

from strata.data.sources.streams import MARKS

_RUN = re.compile(rb"[\x80-\xff]+")
_LOOKED_AT = 1 << 18


def encoding(content: bytes) -> tuple[str | None, bool, str]:
    """Encoding as `encoding` takes it (null: UTF-8), whether that is sure, and why."""
    if content[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        return "utf-32", True, "it begins with UTF-32's mark"
    if content[:2] in MARKS:
        return "utf-16", True, "it begins with UTF-16's mark"
    for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if content[:200:2].count(0) + content[1:200:2].count(0) and content[place:2_000:2].count(0) > 0.4 * len(
            content[place:2_000:2]
        ):
            return name, True, "every second byte is 0, as in UTF-16 without a mark"
    runs = _RUN.findall(content)
    if not runs:
        return None, True, "all characters are ASCII"
    whole = content.decode("utf-8", "replace")
    # A block may be cut within a character, and some files hold a few damaged ones.
    damaged, others = whole.count("\ufffd"), sum(char > "\x7f" and char != "\ufffd" for char in whole)
    if others and (damaged <= 2 or damaged * 20 < others):
        return None, True, "its characters are UTF-8"
    pieces = b" ".join(line for line in content.split(b"\n") if _RUN.search(line))[:_LOOKED_AT]
    best = from_bytes(pieces).best()
    found = best.encoding if best else "cp1252"
    if mean(map(len, runs)) < 1.5:  # lone accents among ASCII letters, as the West of Europe writes
        western = "cp1252" if re.search(rb"[\x80-\x9f]", content) else "latin-1"
        letters = [char for char in content.decode(western, "replace") if char > "\x7f"]
        usual = sum(char in _WESTERN for char in letters) / len(letters)
        # Where Central Europe's encoding reads the same letters, it does not matter which of the two it is.
        central = [char for char in content.decode("cp1250", "replace") if char > "\x7f"]
        differ = sum(a != b for a, b in zip(letters, central, strict=False)) / len(letters)
        sure = usual > 0.9 and (differ < 0.2 or found in _ALIKE)
        return western, sure, f"lone accented letters among ASCII, {usual:.0%} of them Western"
    name = "gb18030" if found in ("gb2312", "gbk", "gb18030") else found
    return name, False, "what its characters look like"


_ALIKE = ("latin_1", "cp1252", "iso8859_15", "iso8859_9", "cp1254")
_WESTERN = "éèêëàâäáãåçñöôóòõøüûúùíìîïßæœÉÈÀÂÄÁÃÅÇÑÖÔÓØÜÛÚÍÎÆ«»“”‘’–—…°·¡¿®©™£€´`ªº½ \x0a"
