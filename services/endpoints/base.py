"""What every request and answer of the API has: who is asked for, what is read, the stated fallback."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, PrivateAttr, Tag, model_validator
from pydantic_core import PydanticCustomError

from services.errors import naming
from services.fields import Text, Time, UserId
from strata.data.filters import Filters
from strata.data.schema import Behaviour
from strata.fields import Id, Request, absent, one_of
from strata.interests.lately import NOTHING_LATELY, Lately
from strata.interests.query_users import PastChoice, QueryUser
from strata.language.opinions import Opinion, things
from strata.online.records import Record
from strata.recommendation.recommender import Recommender

WHO = ("user_id", "history", "text", "bio")
WORDS = ("text", "bio")
LATEST = 4_102_444_800.0
"""The year 2100: later times are slips of the pen, and tables of dates end somewhere."""
PROFILED, CHOICES = 2.0, 700
"""What profiling costs, and choices that cost as much as a list of ten; both measured on MovieLens-100K."""
NO_VECTORS = np.zeros((0, 0), np.float32)
Cause = Literal["time_out", "encoder_unavailable", "unknown_user"]


class Answer(BaseModel):
    """What all answers say."""

    release: str = Field(description="Id of the release that answered; the whole answer is of this one.")
    known: bool = Field(True, description="False where nobody knows the user_id: the answer is as for anybody new.")
    fallback: bool = Field(False, description="Whether the stated fallback answers: windowed popularity.")
    fallback_cause: Cause | None = None


class Question(Request):
    """A checked request, and how a release answers it: no transport here."""

    empty: ClassVar[type[Answer]] = Answer
    """The answer of the fallback where nothing popular could stand in."""

    def reads(self, release: Recommender) -> list[str]:  # noqa: ARG002
        """What its language model is to read: nothing for known users and items."""
        return []

    @property
    def must_read(self) -> bool:
        """Whether there is no answer but the fallback where texts cannot be read."""
        return True

    @property
    def cost(self) -> float:
        """How many times the work of ten items for a known user it is, about."""
        return 1.0

    def to_log(self, answer: Any, now: float) -> list[Record]:  # noqa: ARG002
        """What the journal keeps of the answer: nothing, unless a user was shown a list."""
        return []

    def to_keep(self, answer: Any, now: float) -> list[Record]:  # noqa: ARG002
        """What the journal keeps before the answer is sent: nothing, unless somebody asked for it."""
        return []

    @abstractmethod
    def answer(self, release: Recommender, vectors: np.ndarray) -> Answer:
        """The release's answer; `vectors` (n, d) are of what it `reads`. Raises ApiError for unknown ids."""

    def fallback(self, release: Recommender, cause: Cause) -> Answer:
        """The stated fallback."""
        return self.empty(release=release.manifest.id, fallback=True, fallback_cause=cause)


class Event(Request):
    """An item that a visitor chose."""

    item_id: Id
    behaviour: Behaviour | None = Field(None, description="What they did; a dislike speaks against the item.")
    value: float | None = Field(None, description="Of a rating, on the scale of the data; a low one speaks against it.")
    timestamp: Time | None = Field(None, description="When, with time zone (RFC 3339); clamped to 1970–2100.")


def _form(value: Any) -> str:
    return "‹one›" if isinstance(value, str) else "‹many›" if isinstance(value, list) else "‹event›"


HistoryEntry = Annotated[
    Annotated[Id, Tag("‹one›")] | Annotated[Event, Tag("‹event›")],
    Discriminator(_form, custom_error_type="history", custom_error_message="an entry is an item id or an event"),
]
Texts = Annotated[
    Annotated[Text, Tag("‹one›")] | Annotated[list[Text], Field(min_length=1, max_length=16), Tag("‹many›")],
    Discriminator(_form, custom_error_type="text", custom_error_message="text is a string or a list of strings"),
]


def _one_of_who(schema: dict[str, Any]) -> None:
    """Say in the schema what `Whose` checks, and that words have no time."""
    of_now = ("at",) if "at" in schema["properties"] else ()
    alone = absent(*WORDS)
    schema.update(one_of(
        ("user_id", alone), ("history", alone), ("text", absent("bio", *of_now)), ("bio", absent(*of_now))
    ))  # fmt: skip


def one_given(model: Request, names: tuple[str, ...], beside: Mapping[str, str] = MappingProxyType({})) -> None:
    """Refuse a request unless it has exactly one of these fields; `beside`: the other that a field may come with."""
    given = [name for name in names if getattr(model, name) is not None]
    given = [name for name in given if name not in {beside.get(each) for each in given}]
    if len(given) != 1:
        parts = {"names": ", ".join(names), "found": " and ".join(given) or "none"}
        raise PydanticCustomError("one_of", "give exactly one of {names}; found {found}", parts)


class Whose(Question):
    """Exactly one of: a user of the release, a visitor's history, what somebody wishes for, or says of themselves."""

    model_config = ConfigDict(json_schema_extra=_one_of_who)

    user_id: UserId | None = Field(
        None,
        description="A user, with all that /events told of them; a history beside it is the session of the moment.",
    )
    history: list[HistoryEntry] | None = Field(
        None,
        min_length=1,
        max_length=1_000,
        description="A visitor's choices in time order: item ids, or events; one without time follows the one before.",
    )
    text: Texts | None = Field(None, description="What somebody wishes for just now: one text or up to 16.")
    bio: Text | None = Field(
        None, description="What somebody new says of themselves, as in a profile or a sign-up form."
    )

    _lately: Lately = PrivateAttr(NOTHING_LATELY)

    @model_validator(mode="after")
    def _one_of_four(self) -> Self:
        one_given(self, WHO, beside={"user_id": "history"})
        return self

    @property
    def words(self) -> list[str]:
        """What is said: nothing for known users and histories."""
        if self.bio is not None:
            return [self.bio]
        return [self.text] if isinstance(self.text, str) else self.text or []

    @cached_property
    def said(self) -> list[Opinion]:
        """The opinions in the words, read once for a request."""
        return things(self.words)

    @property
    def cost(self) -> float:
        """A history has to be profiled."""
        return 1.0 + (PROFILED + len(self.history) / CHOICES if self.history else 0.0)

    @property
    def _choices(self) -> list[PastChoice]:
        return [_past_choice(entry) for entry in self.history or []]

    def reads(self, release: Recommender) -> list[str]:
        """What each opinion is about: of the words, or of what a user searched for or wrote lately."""
        if self.user_id is not None:
            self._lately = release.lately(self.user_id)
            return release.new_users.to_read(self._lately.opinions) if self._lately.said else []
        return release.new_users.to_read(self.said)

    @property
    def must_read(self) -> bool:
        """A user is known without what they wrote lately."""
        return self.user_id is None

    def whose(self, release: Recommender, vectors: np.ndarray) -> str | QueryUser:
        """The id of a user of the release, or somebody it does not know; `vectors` (n, d) of the texts."""
        if self.user_id is not None:
            with naming("history"):
                return release.whose(self.user_id, self._choices, self._lately.read(vectors))
        if self.history is not None:
            with naming("history"):
                return release.new_users.from_choices(self._choices)
        return release.new_users.from_opinions(self.said, vectors, query=self.bio is None)


def standing(whose: str | QueryUser) -> dict[str, Any]:
    """What an answer says where nobody knows the user: `known`, and why it is the fallback's."""
    if isinstance(whose, QueryUser) and whose.unknown:
        return {"known": False, "fallback": True, "fallback_cause": "unknown_user"}
    return {}


def nothing_found(whose: str | QueryUser) -> bool:
    """Whether somebody's words say nothing of the catalogue."""
    return isinstance(whose, QueryUser) and whose.nothing_found


def examples(*given: dict[str, Any], **conditions: Any) -> ConfigDict:
    """A model's configuration with examples in its schema, and what else a validator checks."""
    return ConfigDict(json_schema_extra=lambda schema: schema.update(examples=list(given), **conditions))


def examples_of_one(*given: dict[str, Any]) -> ConfigDict:
    """The same for a `Whose`."""

    def add(schema: dict[str, Any]) -> None:
        _one_of_who(schema)
        schema["examples"] = list(given)

    return ConfigDict(json_schema_extra=add)


def seconds(time: datetime) -> float:
    """Since 1970, clamped to 1970 … LATEST."""
    return min(max(time.timestamp(), 0.0), LATEST)


def admitted(release: Recommender, filters: Filters) -> np.ndarray:
    """Items that filters admit: bool (n_items,). Raises ApiError for unknown ids."""
    with naming("filters.exclude_items"):
        return release.admitted(filters)


def _past_choice(entry: str | Event) -> PastChoice:
    if isinstance(entry, str):
        return PastChoice(entry)
    when = None if entry.timestamp is None else seconds(entry.timestamp)
    return PastChoice(entry.item_id, entry.behaviour, when, entry.value)
