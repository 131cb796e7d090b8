"""/chat: one turn of a conversation; the list follows what is wanted and what is not."""

from collections.abc import Callable
from typing import Self

import numpy as np
from pydantic import Field, PrivateAttr

from services.endpoints.base import Answer, Cause, Question, examples
from services.endpoints.lists import Item, popular
from services.errors import ApiError
from services.fields import Text, UserId
from strata.conversation.replying import Turn, reply
from strata.conversation.sessions import Sessions, TurnTaken, UnknownSession
from strata.conversation.talk import Talk
from strata.fields import K
from strata.interests.lately import NOTHING_LATELY, Lately
from strata.online.records import Record
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest

BEGIN = "leave session_id out: a new conversation begins"


class Chat(Answer):
    """What a turn is answered with."""

    session_id: str | None = Field(description="Send it with the next turn; null where the fallback answers.")
    says: str = Field(description="One sentence of the list, in the language of the turn.")
    items: list[Item]
    changed: bool = Field(description="Whether the list is another than before.")
    wants: list[str] = Field(description="What the list goes by, in the person's own words.")
    unwants: list[str] = Field(description="What it leaves out.")
    why: Item | None = Field(None, description="The item that was asked about, with its reason.")


class ChatRequest(Question):
    """One turn. It begins a conversation, or goes on with that of `session_id`."""

    model_config = examples(
        {"say": "I hate horror, show me comedies from the eighties", "k": 3},
        {"say": "something like Toy Story but newer", "k": 3},
        {"say": "想看西部片", "user_id": "10", "k": 3, "remember": True},
    )

    say: Text
    session_id: str | None = Field(None, min_length=1, max_length=64, description="Null begins a conversation.")
    user_id: UserId | None = Field(None, description="The user who talks; of the first turn alone.")
    k: K = 10
    remember: bool = Field(
        False,
        description="Whether what the turn wants or refuses counts for the user from now on, as a search would; of "
        "nobody in particular nothing is kept.",
    )
    _sessions: Sessions = PrivateAttr()
    _said: str = PrivateAttr()
    _turns: int = PrivateAttr(0)
    _talk: Talk = PrivateAttr(Talk())
    _turn: Turn = PrivateAttr()
    _lately: Lately = PrivateAttr(NOTHING_LATELY)
    _says_something: bool = PrivateAttr(default=False)

    def kept_in(self, sessions: Sessions, cleaned: Callable[[str], str]) -> Self:
        """The request, to be answered with conversations kept there; `cleaned` gives a text as it may be kept."""
        self._sessions, self._said = sessions, cleaned(self.say)
        return self

    def reads(self, release: Recommender) -> list[str]:
        """What each opinion of the turn is about and, of a conversation that an earlier release read, the others."""
        self._turns, self._talk = self._before(release)
        self._turn = Turn.read(self._said, release)
        before = [] if self._talk.release == release.manifest.id else [each.opinion for each in self._talk.said]
        self._lately = NOTHING_LATELY if self._talk.user is None else release.lately(self._talk.user)
        new_users = release.new_users
        return [*self._turn.to_read(release), *new_users.to_read(before), *new_users.to_read(self._lately.opinions)]

    def answer(self, release: Recommender, vectors: np.ndarray) -> Chat:
        """The list after this turn, which is kept."""
        own, talk, elsewhere = len(self._turn.opinions), self._talk, len(vectors) - len(self._lately.said)
        if talk.release != release.manifest.id:
            talk = talk.read_anew(release.manifest.id, vectors[own:elsewhere])
        lately = self._lately.read(vectors[elsewhere:])
        found = reply(talk, self._turn, vectors[:own], release, self.k, lately)
        self._says_something = found.talk.said != talk.said
        state = found.talk.as_json()
        if self.session_id is None:
            id = self._sessions.start(state)
        else:
            id = self.session_id
            try:
                self._sessions.go_on(id, self._turns, state)
            except TurnTaken as error:
                raise ApiError(409, str(error), code="turn_taken", field="session_id", remedy="send it again") from None
        return Chat(
            release=release.manifest.id,
            session_id=id,
            says=found.says,
            items=[Item.model_validate(each) for each in found.items],
            changed=found.changed,
            wants=found.wants,
            unwants=found.unwants,
            why=None if found.why is None else Item.model_validate(found.why),
        )

    def to_keep(self, answer: Chat, now: float) -> list[Record]:
        """The turn as a search of the user, where they agreed to that and it wants or refuses something."""
        if not self.remember or self._talk.user is None or not self._says_something:
            return []
        id = f"chat-{answer.session_id}-{self._turns + 1}"
        return [Record("event", id, self._talk.user, now, {"behaviour": "search", "text": self._said})]

    def fallback(self, release: Recommender, cause: Cause) -> Chat:
        """What is popular; the conversation stays as it was."""
        listed = popular(release, release.filled(ListRequest(k=self.k)), release.admitted(), cause)
        told = {"says": "", "changed": False, "wants": [], "unwants": []}
        return Chat(**{**listed.model_dump(include={"release", "items", "fallback", "fallback_cause"}), **told},
                    session_id=self.session_id)  # fmt: skip

    def _before(self, release: Recommender) -> tuple[int, Talk]:
        """Turns so far, and the conversation after them."""
        if self.session_id is None:
            return 0, Talk(self.user_id)
        if self.user_id is not None:
            message = "a conversation keeps the user of its first turn"
            raise ApiError(409, message, code="user_is_set", field="user_id", remedy="leave user_id out")
        try:
            turns, state = self._sessions.read(self.session_id)
        except UnknownSession as error:
            raise ApiError(404, str(error), code="unknown_session", field="session_id", remedy=BEGIN) from None
        return turns, Talk.of_json(state)
