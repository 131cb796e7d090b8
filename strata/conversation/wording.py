"""What is said of a list in one sentence, in the language of the turn; a generator may say it better."""

from dataclasses import dataclass
from typing import Final, Literal

from strata.conversation.talk import Talk
from strata.language.cues import HAN
from strata.language.years import Years

Language = Literal["en", "zh"]
MOST: Final = 3
"""Wishes that are repeated, the latest."""
WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "courtesy": "The list stays as it is; say what you would like more or less of.",
        "nothing_found": "Nothing in this catalogue is about that, so the list stays as it is.",
        "no_place": "The list has {n} places.",
        "why": "{title}: {reason}.",
        "why_not_known": "{title} is here because it is popular these days.",
        "for": "with {things}", "against": "without {things}", "like": "like {title}",
        "from": "from {first} on", "until": "up to {last}", "years": "of {first} to {last}", "year": "of {first}",
        "list": "Here is a list {parts}.", "plain": "Here is what fits best.",
        "nothing_left": "Nothing is left {parts}.",
        "and": " and ", "comma": ", ",
    },
    "zh": {
        "courtesy": "列表不变；想多看或少看什么，请告诉我。",
        "nothing_found": "目录里没有相关内容，列表不变。",
        "no_place": "列表只有{n}项。",
        "why": "《{title}》：{reason}。",
        "why_not_known": "《{title}》近来很受欢迎。",
        "for": "要{things}", "against": "不要{things}", "like": "类似《{title}》",
        "from": "{first}年以后", "until": "{last}年以前", "years": "{first}到{last}年", "year": "{first}年",
        "list": "为你换了一份列表：{parts}。", "plain": "这是最合适的列表。",
        "nothing_left": "没有符合的内容：{parts}。",
        "and": "、", "comma": "，",
    },
}  # fmt: skip


def language_of_turn(text: str) -> Language:
    """Chinese where there is a Chinese character, else English."""
    return "zh" if HAN.search(text) else "en"


@dataclass(frozen=True)
class Told:
    """Sentences in one language."""

    language: Language

    def courtesy(self) -> str:
        """Of a turn that asks for nothing."""
        return self._words["courtesy"]

    def nothing_found(self) -> str:
        """Of a wish for what the catalogue does not have."""
        return self._words["nothing_found"]

    def no_such_place(self, n: int) -> str:
        """Of a place beyond the list's end."""
        return self._words["no_place"].format(n=n)

    def why(self, title: str, reason: str) -> str:
        """Of an item and its reason."""
        name = "why" if reason else "why_not_known"
        return self._words[name].format(title=title, reason=reason)

    def of(self, talk: Talk, like: str, *, found: bool) -> str:
        """Of a list by all that it goes by."""
        words = self._words
        parts = [words["like"].format(title=like)] if like else []
        for kind, wanted in (("for", True), ("against", False)):
            things = [each.opinion.about for each in talk.said if (each.opinion.polarity != "against") == wanted]
            if things and not (like and wanted):
                parts.append(words[kind].format(things=words["and"].join(dict.fromkeys(things[-MOST:]))))
        parts += self._years(talk.years)
        if not found:
            return words["nothing_left"].format(parts=words["comma"].join(parts))
        return words["list"].format(parts=words["comma"].join(parts)) if parts else words["plain"]

    def _years(self, years: Years) -> list[str]:
        if years.first is not None and years.last is not None:
            name = "year" if years.first == years.last else "years"
        elif years:
            name = "from" if years.first is not None else "until"
        else:
            return []
        return [self._words[name].format(first=years.first, last=years.last)]

    @property
    def _words(self) -> dict[str, str]:
        return WORDS[self.language]
