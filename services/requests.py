"""Request models: strict types, no unknown fields, finite numbers, bounded lists and texts."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from services.fields import Text, Time
from strata.data.filters import Filters
from strata.data.schema import Behaviour
from strata.fields import Id, K, Request, needs
from strata.recommendation.business_rules import Boosts, BusinessRules
from strata.recommendation.request import ListRequest, TierMix

WHO = ("user_id", "history", "text", "bio")
WORDS = ("text", "bio")
WHAT = ("item_id", "text")


class Event(Request):
    """An item that a visitor chose."""

    item_id: Id
    behaviour: Behaviour | None = Field(None, description="What they did; a dislike speaks against the item.")
    timestamp: Time | None = Field(None, description="When, with time zone (RFC 3339); clamped to 1970–2100.")


def _form(value: Any) -> str:
    return "‹one›" if isinstance(value, str) else "‹many›" if isinstance(value, list) else "‹event›"


HistoryEntry = Annotated[Annotated[Id, Tag("‹one›")] | Annotated[Event, Tag("‹event›")], Discriminator(_form)]
Texts = Annotated[
    Annotated[Text, Tag("‹one›")] | Annotated[list[Text], Field(min_length=1, max_length=16), Tag("‹many›")],
    Discriminator(_form),
]


def _one_of_who(schema: dict[str, Any]) -> None:
    """Put into the schema what `Whose` checks, and that `text` and `bio` allow no `at`."""
    needs(schema, "oneOf", WHO)
    if "at" in schema["properties"]:
        words = {"anyOf": [{"required": [name]} for name in WORDS]}
        schema.update({"if": words, "then": {"properties": {"at": {"type": "null"}}}})


def _one_given(model: Request, names: tuple[str, ...]) -> None:
    given = [name for name in names if name in model.model_fields_set]
    if len(given) != 1:
        parts = {"names": ", ".join(names), "found": " and ".join(given) or "none"}
        raise PydanticCustomError("one_of", "give exactly one of {names}; found {found}", parts)


class Whose(Request):
    """Exactly one of: a user of the release, a visitor's history, what somebody wishes for, or says of themselves."""

    model_config = ConfigDict(json_schema_extra=_one_of_who)

    user_id: Id = Field(None, description="A user of the release.")
    history: list[HistoryEntry] = Field(
        None,
        min_length=1,
        max_length=1_000,
        description="A visitor's choices in time order: item ids, or events; one without time follows the one before.",
    )
    text: Texts = Field(None, description="What somebody wishes for just now: one text or up to 16.")
    bio: Text = Field(None, description="What somebody new says of themselves, as in a profile or a sign-up form.")

    @model_validator(mode="after")
    def _one_of_four(self) -> Self:
        _one_given(self, WHO)
        return self

    @property
    def texts(self) -> list[str]:
        """Texts for the language model to encode; none for known users and items."""
        if self.bio is not None:
            return [self.bio]
        return [self.text] if isinstance(self.text, str) else self.text or []


def _examples(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra=lambda schema: schema.update(examples=list(examples)))


def _examples_of_one(*examples: dict[str, Any]) -> ConfigDict:
    def add(schema: dict[str, Any]) -> None:
        _one_of_who(schema)
        schema["examples"] = list(examples)

    return ConfigDict(json_schema_extra=add)


class RecommendRequest(ListRequest, Whose):
    """Items for somebody."""

    model_config = _examples_of_one(
        {"user_id": "10", "k": 3},
        {"history": ["1", "50", "172"], "k": 3, "filters": {"categories": ["Sci-Fi"]}},
        {"text": "slow films about space and loneliness", "k": 3},
        {"bio": "Retired engineer, two grandchildren, loves the sea", "k": 3},
        {"user_id": "10", "k": 3, "tier_mix": {"momentary": 3}, "exclude_seen": False, "explain": False},
        {"user_id": "10", "k": 5, "diversity": 0.3, "calibration": 0.2},
        {
            "user_id": "10",
            "k": 5,
            "rules": {
                "boosts": [{"newer_than_days": 365, "times": 1.5}],
                "caps": {"theme": 2},
                "must_include": {"1": {"worst": 3}},
            },
        },
    )


class RankRequest(Whose):
    """The caller's items in the order of somebody's interests."""

    model_config = _examples_of_one(
        {"user_id": "10", "item_ids": ["1", "50", "2"]},
        {"user_id": "10", "item_ids": ["1", "50", "2"], "rules": {"boosts": [{"chosen_by_at_most": 50, "plus": 0.5}]}},
    )

    item_ids: list[Id] = Field(
        min_length=1,
        max_length=1_000,
        description="All of them are ranked, each once.",
        json_schema_extra={"uniqueItems": True},
    )
    tier_mix: TierMix | None = None
    rules: Boosts | None = Field(None, description="Of the rules only boosts: all items named are there.")
    explain: bool = Field(True, description="Whether each item comes with its reason.")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.item_ids)) != len(self.item_ids):
            raise PydanticCustomError("item_ids", "item_ids names an item twice")
        return self

    @property
    def options(self) -> ListRequest:
        """The options as the library's list request."""
        named = {} if self.rules is None else {name: getattr(self.rules, name) for name in self.rules.model_fields_set}
        return ListRequest(tier_mix=self.tier_mix, rules=BusinessRules(**named), explain=self.explain)


class InterestsRequest(Whose):
    """Somebody's interest points by tier, and the levels above them."""

    model_config = _examples_of_one(
        {"user_id": "10"},
        {"user_id": "10", "at": "1998-01-01T00:00:00Z"},
        {"text": ["I love westerns", "anything with dinosaurs"]},
        {"bio": "Student of film, writes about silent comedies"},
    )

    at: Time | None = Field(
        None, description="As of then: nothing later counts. With time zone (RFC 3339); clamped to 1970–2100."
    )

    @model_validator(mode="after")
    def _words_are_of_now(self) -> Self:
        if self.at is not None and self.texts:
            raise PydanticCustomError("at", "at goes with user_id or history: what is said, is said now")
        return self


class SimilarItemsRequest(Request):
    """Items like an item."""

    model_config = _examples({"item_id": "50", "k": 3})

    item_id: Id
    k: K = 10
    filters: Filters = Filters()


class SearchRequest(Request):
    """Items for a text."""

    model_config = _examples({"text": "space opera", "k": 3})

    text: Text
    k: K = 10
    filters: Filters = Filters()

    @property
    def texts(self) -> list[str]:
        """What is to be read by the language model."""
        return [self.text]


class HotTopicsRequest(Whose):
    """What is on the rise among somebody's interests."""

    model_config = _examples_of_one({"user_id": "10", "k": 3}, {"history": ["1", "50", "172"], "k": 3})

    k: K = 10
    filters: Filters = Filters()


class BrandsRequest(Whose):
    """Brands, creators or shops that somebody may want to follow."""

    model_config = _examples_of_one({"user_id": "10", "k": 3}, {"text": "slow films about space", "k": 3})

    k: K = 10
    filters: Filters = Filters()


class SimilarUsersRequest(Whose):
    """Users like somebody."""

    model_config = _examples_of_one({"user_id": "10", "k": 3}, {"text": "slow films about space", "k": 3})

    k: K = 10


def _one_of_what(schema: dict[str, Any]) -> None:
    needs(schema, "oneOf", WHAT)
    schema["examples"] = [{"item_id": "50", "k": 3}, {"text": "a festival of silent films", "k": 3}]


class AudienceRequest(Request):
    """Users whom an item or a text concerns: exactly one of the two."""

    model_config = ConfigDict(json_schema_extra=_one_of_what)

    item_id: Id = Field(None, description="An item of the release; who had it, or blocked its topic, is left out.")
    text: Text = Field(None, description="What it is about: an advert, an event, an item to come.")
    k: K = 10

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        _one_given(self, WHAT)
        return self

    @property
    def texts(self) -> list[str]:
        """What is to be read by the language model."""
        return [] if self.text is None else [self.text]
