"""POST /items and GET /items/{id}: items that come, change or go while a release serves, and what is known of one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from services.endpoints.base import examples
from services.endpoints.events import EventId, new_id
from services.endpoints.lists import InferredClass
from services.errors import unknown
from services.fields import Time
from strata.data.schema import ATTRIBUTES, CREATED, ITEM
from strata.errors import UnknownId
from strata.fields import Id, Request
from strata.online.item_records import GONE, LONGEST
from strata.online.live_items import LiveItems
from strata.online.records import Accepted, Record
from strata.recommendation.recommender import Recommender

MOST = 200
Label = Annotated[str, Field(min_length=1, max_length=256)]
Labels = Annotated[list[Label], Field(max_length=100)]
EARLIEST, LATEST = datetime(1000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class SentItem(Request):
    """An item as it is from now on: what is left out, it does not have. Texts are cleaned as the pipeline does."""

    item_id: Id
    title: Annotated[str, Field(max_length=2_000)] | None = Field(None, description="Without any text the id stands.")
    description: Annotated[str, Field(max_length=LONGEST)] | None = None
    categories: Labels = Field([], description="From broad to narrow.")
    tags: Labels = []
    brand: Label | None = Field(None, description="Its maker, creator or shop.")
    price: Annotated[float, Field(ge=0, le=1e12)] | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")] | None = Field(
        None, description="Its code, such as en; null: as its text tells."
    )
    created_at: Time | None = Field(
        None, description="From when on it is there, with time zone (RFC 3339), clamped to 1000–2100; null: from now."
    )
    attributes: Annotated[dict[Label, Annotated[str, Field(max_length=2_000)]], Field(max_length=100)] = {}
    change_id: EventId | None = None

    def record(self, now: float) -> Record:
        """As the journal keeps it."""
        body = self.model_dump(exclude={"change_id", CREATED}, exclude_none=True, exclude_defaults=True)
        if self.created_at is not None:
            body[CREATED] = _clamped(self.created_at).isoformat()
        return Record("item", self.change_id or new_id(), None, now, body)


class ItemsRequest(Request):
    """Items that come or change, in order, and then ids of items that go."""

    model_config = examples(
        {"items": [{"item_id": "n1", "title": "Voyage to Saturn", "categories": ["Sci-Fi"], "change_id": "c1"}]},
        {"remove": ["n1"]},
    )

    items: list[SentItem] = Field([], max_length=MOST)
    remove: list[Id] = Field([], max_length=MOST, description="They are in no answer from now on.")

    def records(self, now: float) -> list[Record]:
        """As the journal keeps them."""
        gone = [Record("item", new_id(), None, now, {ITEM: item_id, GONE: True}) for item_id in self.remove]
        return [*(item.record(now) for item in self.items), *gone]


class ItemsKept(BaseModel):
    """What was kept; it is on disk, and all answers from now on go by it."""

    new: int = Field(description="Changes that are new.")
    known: int = Field(description="Changes that were there already, by their ids.")
    waiting: int = Field(description="Items whose texts nobody could read yet: they come when the encoder answers.")
    unknown: int = Field(description="Of the items to remove, those that nobody knows.")

    @classmethod
    def of(cls, request: ItemsRequest, accepted: Sequence[Accepted], items: LiveItems, release: Recommender) -> Self:
        """The answer to what the journal accepted."""
        new, catalogue = sum(each.new for each in accepted), items.served(release).catalogue
        late = items.upto(release) < max((each.place for each in accepted), default=0)
        sent = {item.item_id for item in request.items}
        return cls(
            new=new,
            known=len(accepted) - new,
            waiting=len(sent if late else sent & items.waiting(release).keys()),
            unknown=sum(item_id not in catalogue for item_id in request.remove),
        )


class ItemFacts(BaseModel):
    """What is known of an item."""

    release: str = Field(description="Id of the release that answered.")
    item_id: str
    title: str
    description: str | None
    categories: list[str]
    tags: list[str]
    brand: str | None
    price: float | None
    language: str | None
    created_at: datetime | None
    removed_at: datetime | None
    attributes: dict[str, str]
    inferred: list[InferredClass] = Field(description="Categories and tags that a model filled in.")
    available: bool = Field(description="Whether it may be recommended just now.")
    since_release: bool = Field(description="Whether it came after the release was made.")
    chosen_by: int = Field(description="Users who chose it, of those that the release was made from.")
    topic_id: str
    topic: str


def item_facts(release: Recommender, item_id: str) -> ItemFacts:
    """What is known of an item. Raises ApiError for an unknown one."""
    try:
        row = release.catalogue.row(item_id)
    except UnknownId as error:
        raise unknown(ITEM, str(error)) from None
    told: dict[str, Any] = release.catalogue.items.row(row, named=True)
    topic = release.themes.at("topic").row(int(release.themes.of_item[row, 0]), named=True)
    told |= {
        ATTRIBUTES: {pair["key"]: pair["value"] for pair in told[ATTRIBUTES] or []},
        "title": release.catalogue.titles[row],
        "categories": told["categories"] or [],
        "tags": told["tags"] or [],
    }
    return ItemFacts(
        release=release.manifest.id,
        **{name: told[name] for name in ItemFacts.model_fields.keys() & told.keys()},
        inferred=[InferredClass.model_validate(each) for each in release.inferred.of(item_id)],
        available=bool(release.admitted()[row]),
        since_release=release.plain is not None and item_id not in release.plain.catalogue,
        chosen_by=int(release.list_builder.chosen_by[row]),
        topic_id=topic["id"],
        topic=topic["name"],
    )


def _clamped(time: datetime) -> datetime:
    if time.year < EARLIEST.year:
        return EARLIEST
    return LATEST if time.year >= LATEST.year else time.astimezone(UTC)
