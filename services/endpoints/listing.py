"""GET /items, /categories and /users: what a release has, page by page, for consoles and for finding ids."""

import hashlib
from collections import Counter
from typing import Annotated, Any, Self

import numpy as np
import polars as pl
from fastapi import Query
from pydantic import BaseModel, Field

from services.errors import ApiError, naming
from services.releases import folder_of
from services.settings import ServiceSettings
from strata.data.schema import ATTRIBUTES, CATEGORIES, ITEM, PROFILE_TEXT, TITLE, USER, USER_ROW, Tier
from strata.errors import ReleaseError, UnknownId
from strata.interests.pictures import ThemeMap
from strata.online.live_users import LiveUsers
from strata.recommendation.recommender import Recommender
from strata.release.layout import Part
from strata.release.manifest import read_manifest

MAP = f"{Part.PICTURES}/themes.json"

From = Annotated[int, Query(ge=0, le=1_000_000_000, description="Entries before the first that is shown.")]
Most = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Word = Annotated[str | None, Query(min_length=1, max_length=200)]
MOST_IDS = 200
Ids = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=256)]] | None,
    Query(max_length=MOST_IDS, description="Just these, in this order; unknown ones are left out."),
]

Attributes = Annotated[
    list[Annotated[str, Field(max_length=600, pattern="^[^:]+:")]] | None,
    Query(max_length=10, description="KEY:VALUE; of several all must hold."),
]


class Page(BaseModel):
    """A part of what there is."""

    release: str = Field(description="Id of the release that answered.")
    total: int = Field(description="Of all pages.")
    offset: int


class ListedItem(BaseModel):
    """An item of the catalogue."""

    item_id: str
    title: str
    categories: list[str]
    chosen_by: int = Field(description="Users who chose it, of those that the release was made from.")
    available: bool = Field(description="Whether it may be recommended just now.")


class ItemPage(Page):
    """Items, most chosen first."""

    items: list[ListedItem]

    @classmethod
    def of(
        cls, release: Recommender, offset: int, most: int, *, ids: list[str] | None, category: str | None,
        title: str | None,
    ) -> Self:  # fmt: skip
        """The page of the items that the filters leave. Raises ApiError for an unknown category."""
        catalogue = release.catalogue
        if ids is not None:
            rows = np.array([catalogue.row(each) for each in ids if each in catalogue], np.int64)
        else:
            rows = np.argsort(-release.list_builder.chosen_by, kind="stable")
        if category is not None:
            with naming("category"):
                if category not in catalogue.categories:
                    raise UnknownId(f"no item has the category '{category}'")
            rows = rows[catalogue.in_categories([category])[rows]]
        if title is not None:
            found = catalogue.items[TITLE].fill_null(catalogue.items[ITEM]).str.to_lowercase()
            rows = rows[found.str.contains(title.lower(), literal=True).to_numpy()[rows]]
        there, chosen = release.admitted(), release.list_builder.chosen_by
        shown = rows[offset : offset + most]
        categories = catalogue.items[CATEGORIES].gather(shown).to_list()
        items = [
            ListedItem(
                item_id=str(catalogue.ids[row]), title=catalogue.titles[row], categories=named or [],
                chosen_by=int(chosen[row]), available=bool(there[row]),
            )
            for row, named in zip(shown.tolist(), categories, strict=True)
        ]  # fmt: skip
        return cls(release=release.manifest.id, total=len(rows), offset=offset, items=items)


class ListedCategory(BaseModel):
    """A category as the items have it."""

    name: str
    items: int


class CategoryPage(Page):
    """Categories, largest first."""

    categories: list[ListedCategory]

    @classmethod
    def of(cls, release: Recommender, offset: int, most: int) -> Self:
        """The page."""
        counted = Counter(release.catalogue.items[CATEGORIES].explode().drop_nulls().to_list())
        ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        listed = [ListedCategory(name=name, items=items) for name, items in ordered[offset : offset + most]]
        return cls(release=release.manifest.id, total=len(ordered), offset=offset, categories=listed)


class ListedUser(BaseModel):
    """A user of the release."""

    user_id: str
    events: int = Field(description="That the release was made from.")
    interests: dict[Tier, int] = Field(description="Interest points by tier.")
    attributes: dict[str, str] = Field(description="As the data has them.")
    profile_text: str | None


class UserPage(Page):
    """Users by id. Who came since the release was made is not among them."""

    users: list[ListedUser]

    @classmethod
    def of(cls, release: Recommender, known: LiveUsers, offset: int, most: int, attributes: dict[str, str]) -> Self:
        """The page of the users who have these attributes. Nobody is on it who was forgotten."""
        accounts = release.accounts.with_row_index(USER_ROW)
        for key, value in attributes.items():
            pair = (pl.element().struct.field("key") == key) & (pl.element().struct.field("value") == value)
            accounts = accounts.filter(pl.col(ATTRIBUTES).list.eval(pair).list.any().fill_null(value=False))
        forgotten = known.forgotten(release)
        if forgotten:
            accounts = accounts.filter(~pl.col(USER).is_in(list(forgotten)))
        shown = [_listed(release, account) for account in accounts[offset : offset + most].iter_rows(named=True)]
        return cls(release=release.manifest.id, total=len(accounts), offset=offset, users=shown)


def _listed(release: Recommender, account: dict[str, Any]) -> ListedUser:
    row = account[USER_ROW]
    mine = release.history.of(row)
    return ListedUser(
        user_id=account[USER],
        events=mine.stop - mine.start,
        interests=dict(Counter(release.profiles.table["tier"][release.profiles.of(row)].to_list())),
        attributes={pair["key"]: pair["value"] for pair in account[ATTRIBUTES] or []},
        profile_text=account[PROFILE_TEXT],
    )


def wanted_attributes(pairs: list[str] | None) -> dict[str, str]:
    """Key → value of `KEY:VALUE`."""
    return {key: value for key, _, value in (pair.partition(":") for pair in pairs or [])}


def theme_map(release: str, settings: ServiceSettings) -> ThemeMap:
    """The map that a release has, if it is still the one that was released. Raises ApiError where it is not."""
    try:
        folder = folder_of(release, settings)
        manifest, content = read_manifest(folder), (folder / MAP).read_bytes()
        if (manifest.id, manifest.files.get(MAP)) != (release, hashlib.sha256(content).hexdigest()):
            raise ReleaseError(f"release {release}: {MAP} is not the file that was released")
        return ThemeMap.model_validate_json(content)
    except (OSError, ReleaseError, ValueError):
        raise ApiError(404, "this release has no map", code="no_map", remedy="make a release anew") from None
