"""The HTTP API over the library, with limits, time-outs, a marked fallback, and release swaps without restart."""

import asyncio
import sys
from functools import partial
from typing import Annotated, Final

import bentoml
from fastapi import FastAPI, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services import errors, own_folder
from services.answering import Answering
from services.answers import ANSWERS
from services.bodies import StrictRoute
from services.description import operation
from services.encoder import Encoder
from services.endpoints import registry
from services.endpoints.base import Question
from services.endpoints.chat import Chat, ChatRequest
from services.endpoints.corrections import Corrected, CorrectionRequest
from services.endpoints.events import EventsRequest, FeedbackRequest, Kept
from services.endpoints.items import ItemFacts, ItemsKept, ItemsRequest, item_facts
from services.endpoints.listing import (
    Attributes,
    CategoryPage,
    From,
    Ids,
    ItemPage,
    Most,
    UserPage,
    Word,
    theme_map,
    wanted_attributes,
)
from services.endpoints.lists import Items, RankRequest, RecommendRequest
from services.endpoints.many import ManyItems, ManyRequest
from services.endpoints.near import SearchRequest, SimilarItemsRequest
from services.endpoints.own_data import Forgotten, OwnData, own_data
from services.endpoints.profiles import Interests, InterestsRequest
from services.endpoints.registry import ChangeRequest, ReleaseList
from services.endpoints.trends import Brands, BrandsRequest, HotTopics, HotTopicsRequest
from services.endpoints.users import Audience, AudienceRequest, SimilarUsers, SimilarUsersRequest
from services.errors import ApiError, log_without_values, responses
from services.fields import UserId
from services.health import HEALTH, Check, NotReady, State
from services.items import ItemsNow
from services.layers import protect
from services.online import Online
from services.pages import add_pages
from services.releases import Releases, give_back_memory
from services.settings import ServiceSettings
from services.texts import EncoderUnavailable, Texts
from services.tokens import must_have
from strata.conversation.sessions import Sessions
from strata.errors import SettingsError
from strata.interests.pictures import ThemeMap
from strata.recommendation.recommender import Recommender as Release

VERSION = "1.0.0"
ABOUT = """Named, tiered, explained interests and recommendations from them.

Every error is `{"error": {"code", "message", "field", "remedy"}}`. Where an answer takes too long, or texts cannot be
read, the stated fallback answers: windowed popularity that passes the filters, with `fallback: true` and its cause.
Every path but `/livez` and `/readyz` needs a token, `Authorization: Bearer`, with the scope that it names.
"""
ItemId = Annotated[str, Path(min_length=1, max_length=256, description="An item's id.")]
WhichUser = Annotated[UserId, Path(description="A user's id.")]

app = FastAPI(
    title="Strata", version=VERSION, description=ABOUT, docs_url=None, redoc_url=None, redirect_slashes=False,
    generate_unique_id_function=operation,
)  # fmt: skip
errors.install(app)
app.router.route_class = StrictRoute
ANY = (422, 504)
THREADS: Final = [{"name": "OMP_NUM_THREADS", "value": "1"}, {"name": "OMP_WAIT_POLICY", "value": "PASSIVE"}]
"""Otherwise BLAS and OpenMP use all cores for each request, and requests compete. It is read once, when NumPy loads.

BentoML sets it before a worker starts, unless the operator has. The encoder's worker gets it too, but there torch is
set to the release's `encoder.threads`; of these the idle ones sleep, and do not spin on the cores of those that answer.
"""


class Status(BaseModel):
    """The release that serves, and the one that should but was refused."""

    release: str
    refused: str | None
    refused_because: str | None
    shadow: str | None = Field(None, description="The release that answers beside it, unseen.")
    shadow_refused_because: str | None = None


@bentoml.service(
    name="recommender",
    workers=ServiceSettings.from_environment().workers,
    envs=THREADS,
    traffic={"timeout": 60},
    logging={"access": {"enabled": False}},  # it costs a tenth of all lists: see logs.Logged
    tracing={"excluded_urls": ".*"},  # nothing collects spans, and making them takes a tenth of a request
    metrics={"enabled": False},  # BentoML's have a label for any path a caller sends: see metrics.Metered
    runner_probe={"enabled": False},  # without the encoder, known users are still answered
)
@bentoml.asgi_app(app)
class Recommender:
    """Recommendations, rankings and interests of known users and visitors."""

    encoder = bentoml.depends(Encoder, url=ServiceSettings.from_environment().encoder_url)

    def __init__(self) -> None:
        self.settings = ServiceSettings.from_environment()
        self.online = Online(self.settings)
        self.releases = Releases(self.settings, self.online.joined)
        self.releases.start()
        self._sessions = Sessions(self.settings.sessions, self.settings.session_seconds)
        self._complete = False
        self._texts = Texts(self.encoder, self.settings.encoder_time_out)
        self._items = ItemsNow(self.online.items, self._texts, self.settings.time_out / 2)
        self.answering = Answering(self.settings, self.online, self._texts, self._items, self._state)
        ANSWERS.state, ANSWERS.seconds = self._state, self.settings.remember_seconds
        ANSWERS.local = self.online.journal.local
        HEALTH.seconds, self.checks = self.settings.health_seconds, HEALTH.checks
        HEALTH.lag = self.online.lag
        self.checks[:] = [
            Check("release", self._check_release),
            Check("encoder", self._check_encoder),
            Check("journal", self.online.journal.check),
        ]

    @bentoml.on_deployment
    @staticmethod
    def look_around() -> None:
        """Before any worker starts: stop where none could serve."""
        folder = ServiceSettings.from_environment().metrics
        try:
            own_folder.check(folder)
            own_folder.give_back(folder)
        except SettingsError as error:
            sys.exit(f"SettingsError: {error}")

    @bentoml.on_startup
    async def begin(self) -> None:
        """Start waiting for the encoder and following the registry's pointer, in the background."""
        self._following = asyncio.create_task(self._follow())
        self._watching = asyncio.create_task(HEALTH.watch())

    @bentoml.on_shutdown
    async def end(self) -> None:
        """Stop following."""
        self._following.cancel()
        self._watching.cancel()

    async def __is_ready__(self) -> bool:
        return HEALTH.ready

    def _check_release(self) -> None:
        if self.releases.live is None:
            raise NotReady("no verified release is loaded")
        if not self._complete:
            raise NotReady("the encoder has not loaded the model of the release yet")

    async def _check_encoder(self) -> None:
        if self.releases.live is not None:
            await self._texts.check(self.releases.live.manifest.id)

    @app.post("/recommend", response_model=Items, responses=responses(404, *ANY))
    async def recommend(self, request: RecommendRequest) -> Response:
        """Items for a user, a visitor's history or a text, best first, each with its reason."""
        return await self._answer("/recommend", request)

    @app.post("/recommend/batch", response_model=ManyItems, responses=responses(404, *ANY))
    async def recommend_batch(self, request: ManyRequest) -> Response:
        """Lists for up to 100 users at once, all of one release: for mails and pages made in advance."""
        return await self._answer("/recommend/batch", request)

    @app.post("/rank", response_model=Items, responses=responses(404, *ANY))
    async def rank(self, request: RankRequest) -> Response:
        """All the items the caller names, in the order of somebody's interests."""
        return await self._answer("/rank", request)

    @app.post("/interests", response_model=Interests, responses=responses(404, *ANY))
    async def interests(self, request: InterestsRequest) -> Response:
        """Somebody's interests on three levels, with the numbers behind them, now or as of a time."""
        return await self._answer("/interests", request)

    @app.post("/similar_items", response_model=Items, responses=responses(404, *ANY))
    async def similar_items(self, request: SimilarItemsRequest) -> Response:
        """The items nearest to an item; scores are cosines."""
        return await self._answer("/similar_items", request)

    @app.post("/search", response_model=Items, responses=responses(404, *ANY))
    async def search(self, request: SearchRequest) -> Response:
        """Items for a text: by its words, by what they mean, and like what it names."""
        return await self._answer("/search", request)

    @app.post("/chat", response_model=Chat, responses=responses(404, 409, 507, *ANY))
    async def chat(self, request: ChatRequest, http: Request) -> Response:
        """One turn of a conversation: what is wanted and what is not, places of the list, years, why."""
        if request.remember:
            must_have("write", http.scope)
        return await self._answer("/chat", request.kept_in(self._sessions, self.online.cleaned))

    @app.delete("/chat/{session_id}", status_code=204, responses=responses())
    async def forget(self, session_id: str) -> None:
        """Forget a conversation; nothing is said of whether there was one."""
        await asyncio.to_thread(self._sessions.forget, session_id)

    @app.post("/hot_topics", response_model=HotTopics, responses=responses(404, *ANY))
    async def hot_topics(self, request: HotTopicsRequest) -> Response:
        """Topics on the rise within the themes of somebody's interests, with the items that lead them."""
        return await self._answer("/hot_topics", request)

    @app.post("/brands", response_model=Brands, responses=responses(404, *ANY))
    async def brands(self, request: BrandsRequest) -> Response:
        """Brands, creators or shops to follow: near to somebody's interests, and new to them."""
        return await self._answer("/brands", request)

    @app.post("/similar_users", response_model=SimilarUsers, responses=responses(404, *ANY))
    async def similar_users(self, request: SimilarUsersRequest) -> Response:
        """Users whose interests are likest, and the interests they share. For analysts: it names other users."""
        return await self._answer("/similar_users", request)

    @app.post("/audience", response_model=Audience, responses=responses(404, *ANY))
    async def audience(self, request: AudienceRequest) -> Response:
        """Users whom an item or a text concerns most, and why. For analysts: it names users."""
        return await self._answer("/audience", request)

    @app.post("/events", responses=responses(409, 507, *ANY))
    async def events(self, request: EventsRequest) -> Kept:
        """Keep what people did, before this is answered; the next request goes by it."""
        release = await self._items.current(self._live())
        now = await self.online.now(release)
        return Kept.of(await self.online.keep(request.records(now)), **request.told(release, now))

    @app.post("/items", responses=responses(409, 507, *ANY))
    async def items(self, request: ItemsRequest) -> ItemsKept:
        """Keep items that come, change or go: from the next answer on they are recommended by their texts, or gone."""
        release = self._live()
        accepted = await self.online.keep(request.records(await self.online.now(release)))
        if accepted:
            await self._items.catch_up(release, max(each.place for each in accepted))
        return ItemsKept.of(request, accepted, self.online.items, release)

    @app.get("/items", responses=responses(404, *ANY))
    async def list_items(
        self, offset: From = 0, limit: Most = 50, ids: Ids = None, category: Word = None, title: Word = None
    ) -> ItemPage:
        """The catalogue, most chosen first: all of it, a category, titles with some letters, or just these ids."""
        work = partial(ItemPage.of, ids=ids, category=category, title=title)
        return await self.online.read(work, await self._items.current(self._live()), offset, limit)

    @app.get("/categories", responses=responses(*ANY))
    async def list_categories(self, offset: From = 0, limit: Most = 50) -> CategoryPage:
        """The categories of the items, largest first."""
        return await self.online.read(CategoryPage.of, await self._items.current(self._live()), offset, limit)

    @app.get("/map", responses=responses(404, *ANY))
    async def topic_map(self) -> ThemeMap:
        """The catalogue's themes and topics as a map: places and sizes to draw it by."""
        return await self.online.read(theme_map, self._live().manifest.id, self.settings)

    @app.get("/items/{item_id:path}", responses=responses(404, *ANY))
    async def item(self, item_id: ItemId) -> ItemFacts:
        """What is known of an item."""
        return await self.online.read(item_facts, await self._items.current(self._live()), item_id)

    @app.post("/feedback", responses=responses(409, 507, *ANY))
    async def feedback(self, request: FeedbackRequest) -> Kept:
        """Keep how people took what they were shown; likes, dislikes and what was hidden count at once."""
        release = await self._items.current(self._live())
        return Kept.of(await self.online.keep(request.records(await self.online.now(release))), **request.told(release))

    @app.post("/corrections", responses=responses(404, 409, 507, *ANY))
    async def corrections(self, request: CorrectionRequest) -> Corrected:
        """Keep what somebody says of a profile; it holds from the next request on, in any later release."""
        release = await self._items.current(self._live())
        records = await self.online.read(request.records, release, await self.online.now(release))
        kept = Kept.of(await self.online.keep(records))
        return Corrected(new=kept.new, known=kept.known, topic=request.topic_name(release))

    @app.get("/users", responses=responses(*ANY))
    async def list_users(self, offset: From = 0, limit: Most = 50, attribute: Attributes = None) -> UserPage:
        """The users of the release by id, all or those with some attributes."""
        release, wanted = await self._items.current(self._live()), wanted_attributes(attribute)
        return await self.online.read(UserPage.of, release, self.online.users, offset, limit, wanted)

    @app.get("/users/{user_id:path}", responses=responses(404, *ANY))
    async def user(self, user_id: WhichUser) -> OwnData:
        """All that is known of a user."""
        release, asked = await self._items.current(self._live()), InterestsRequest(user_id=user_id)
        vectors = await self.answering.read("/users/{user_id}", asked, release)
        return await self.online.read(own_data, release, self.online.journal, asked, vectors)

    @app.delete("/users/{user_id:path}", responses=responses(*ANY))
    async def forget_user(self, user_id: WhichUser) -> Forgotten:
        """Forget a user: nothing is answered of them from now on, and the next release is made without them."""
        release = self._live()
        gone = await self.online.read(self.online.users.forget, user_id, await self.online.now(release))
        await asyncio.to_thread(self._sessions.forget_user, user_id)
        return Forgotten(records=gone, in_release=user_id in release.users)

    @app.get("/release", responses=responses())
    async def release(self) -> Status:
        """Which release serves, and why a newer one does not."""
        refused, shadow = self.releases.refused, self.answering.shadow
        return Status(
            release=self._live().manifest.id,
            refused=refused and refused.release,
            refused_because=refused and refused.reason,
            shadow=shadow.live and shadow.live.manifest.id,
            shadow_refused_because=shadow.refused and shadow.refused.reason,
        )

    @app.get("/releases", responses=responses(409))
    async def list_releases(self) -> ReleaseList:
        """The releases of the registry with their metrics, side by side."""
        return await asyncio.to_thread(registry.listed, registry.registry(self.settings))

    @app.post("/releases/promote", responses=responses(409, *ANY))
    async def promote(self, request: ChangeRequest) -> ReleaseList:
        """Verify a release of the registry and have it serve, as `strata release promote` does."""
        return await asyncio.to_thread(registry.promoted, registry.registry(self.settings), request.release)

    @app.post("/releases/rollback", responses=responses(409))
    async def roll_back(self) -> ReleaseList:
        """Have the release serve again that served before."""
        return await asyncio.to_thread(registry.rolled_back, registry.registry(self.settings))

    @app.post("/releases/shadow", responses=responses(409, *ANY))
    async def shadow(self, request: ChangeRequest) -> ReleaseList:
        """Have a release answer beside the current one; its answers go to nobody, and how they differ is counted."""
        return await asyncio.to_thread(registry.shadowed, registry.registry(self.settings), request.release)

    @app.delete("/releases/shadow", responses=responses(409))
    async def end_shadow(self) -> ReleaseList:
        """Have no release answer in the shadow."""
        return await asyncio.to_thread(registry.shadowed, registry.registry(self.settings), None)

    @app.get("/health", responses=responses())
    async def health(self) -> State:
        """How the worker that answers is: its parts, the release, and for how long events have waited."""
        live, refused = self.releases.live, self.releases.refused
        return HEALTH.state(
            release=None if live is None else live.manifest.id,
            refused=None if refused is None else refused.release,
            because=None if refused is None else refused.reason,
        )

    def _live(self) -> Release:
        if self.releases.live is None:
            reason = self.releases.refused.reason if self.releases.refused else "no release is loaded"
            raise ApiError(503, reason)
        return self.releases.live

    def _state(self, user_id: str | None) -> object:
        """What an answer depends on beside its request. Raises StoreUnavailable."""
        live = self.releases.live
        if live is None or not self.settings.remember_seconds:
            return None
        items = self.online.items.last(), self.online.items.version
        return self.releases.swaps, items, None if user_id is None else self.online.users.state(live, user_id)

    async def _answer(self, endpoint: str, request: Question) -> Response:
        return await self.answering.answer(endpoint, request, self._live())

    async def _follow(self) -> None:
        """Load the next release beside the current one, have its model loaded by the encoder, swap."""
        while True:
            try:
                following = await asyncio.to_thread(self.releases.next)
                if following is None and not self._complete:
                    following = self.releases.live
                if following is not None:
                    await self._texts.read(following.manifest.id, ["ready"])
                    await self._items.keep_up(following)
                    self.releases.swap(following)
                    self._complete = True
                    await asyncio.to_thread(give_back_memory)
                elif self.releases.live is not None:
                    await self._items.keep_up(self.releases.live)
                    await asyncio.to_thread(self.answering.shadow.follow)
            except EncoderUnavailable:
                self.releases.refuse(following.manifest.id, "the encoder does not answer or cannot load its model")
            except Exception as error:  # the loop must never end
                log_without_values(error)
            await asyncio.sleep(self.settings.poll_seconds)


add_pages(app)
protect(Recommender, app)
