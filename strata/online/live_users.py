"""Users as they are just now: what the release knows of them, and what the journal has had since."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Final, Generic, TypeVar

from strata.interests.correction_file import Correction
from strata.interests.lately import NOTHING_LATELY, Lately, Saying
from strata.interests.query_users import PastChoice, QueryUser
from strata.online.erasures import erased
from strata.online.journal import Journal
from strata.online.records import STATE, Kind, Record
from strata.recommendation.people import joined
from strata.recommendation.recommender import Recommender

T = TypeVar("T")
EVENTS: Final[tuple[Kind, ...]] = ("event",)
KEPT = 10_000
"""Users whose state is kept in memory; any other is made anew, in some milliseconds."""


@dataclass(frozen=True)
class State:
    """What a user's state was made of: the release, and the places of the latest item, record and erasure."""

    release: str
    items: int
    last: int
    erasure: int


class Latest(Generic[T]):
    """What was made of each user last, of at most so many users; used by many threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[str, tuple[object, T]] = OrderedDict()
        self._lock = Lock()

    def of(self, user_id: str, key: object, make: Callable[[], T]) -> T:
        """What was made of a user, made anew unless it was of the same `key`."""
        with self._lock:
            found = self._kept.get(user_id)
            if found is not None and found[0] == key:
                self._kept.move_to_end(user_id)
                return found[1]
        made = make()
        with self._lock:
            self._kept[user_id] = key, made
            self._kept.move_to_end(user_id)
            if len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return made

    def let_go(self, of: Callable[[str], bool]) -> None:
        """Keep nothing of these users."""
        with self._lock:
            for user in [user for user in self._kept if of(user)]:
                del self._kept[user]


class LiveUsers:
    """Users of a release and of the journal, by the same rules as those of the release alone."""

    def __init__(self, journal: Journal, most: int = KEPT) -> None:
        """`most`: users kept in memory."""
        self.journal = journal
        self._name = journal.facts().name
        self._persons: Latest[QueryUser | None] = Latest(most)
        self._sayings: Latest[list[Saying]] = Latest(most)
        self._erased: tuple[int, dict[str, int]] = (0, {})
        self._forgotten: tuple[object, frozenset[str]] = (None, frozenset())

    def whose(
        self,
        release: Recommender,
        user_id: str,
        session: Sequence[PastChoice] = (),
        said: Lately = NOTHING_LATELY,
    ) -> str | QueryUser | None:
        """As `People.whose`. Raises StoreUnavailable."""
        state = self.state(release, user_id)
        known = user_id in release.users and state.erasure <= self.drained(release)
        if state.last <= self.drained(release) and not session:
            return user_id if known else None
        join = partial(self._joined, release, user_id, session, said, known=known)
        # A person without the words that somebody said, as the encoder did not read them, is another one.
        person = join() if session else self._persons.of(user_id, (state, said.said if said else ()), join)
        return person if person is not None or not known else user_id

    def lately(self, release: Recommender, user_id: str) -> Lately:
        """As `People.lately`. Raises StoreUnavailable."""
        drained, last = self.drained(release), self.journal.last(user_id)
        if last <= drained:
            return NOTHING_LATELY
        read = partial(self._said_since, user_id, drained)
        sayings, new_users = self._sayings.of(user_id, (drained, last), read), release.new_users
        if not sayings:
            return NOTHING_LATELY
        now = max(each.at for each in sayings) if release.clock is None else release.clock()
        return Lately.of(sayings, new_users.weights, new_users.settings, now)

    def _said_since(self, user_id: str, place: int) -> list[Saying]:
        """What a user's events without an item say since a place."""
        return [
            Saying(each.record.body["text"], each.record.body["behaviour"], each.record.at)
            for each in self.journal.of_user(user_id, place, EVENTS)
            if each.record.body.get("item_id") is None and each.record.body.get("text")
        ]

    def state(self, release: Recommender, user_id: str) -> State:
        """What an answer about a user depends on beside the request."""
        erasure = self._erasures().get(self._hash(user_id), 0)
        return State(release.manifest.id, release.items_upto, self.journal.last(user_id), erasure)

    def drained(self, release: Recommender) -> int:
        """The place up to which a release has the journal's records."""
        return release.drained.get(self._name, 0)

    def forget(self, user_id: str, at: float) -> int:
        """Forget a user here and in the journal; other processes notice by the erasure. Returns how many records went.

        Raises StoreUnavailable.
        """
        gone = self.journal.forget(user_id, at)
        self._let_go(lambda user: user == user_id)
        return gone

    def forgotten(self, release: Recommender) -> frozenset[str]:
        """Users of a release who were forgotten since it was made. Raises StoreUnavailable."""
        places, drained = self._erasures(), self.drained(release)
        key = release.manifest.id, self._erased[0]
        if self._forgotten[0] != key:
            since = {user for user, place in places.items() if place > drained}
            gone = frozenset(user for user in release.users if self._hash(user) in since) if since else frozenset()
            self._forgotten = key, gone
        return self._forgotten[1]

    def _joined(
        self,
        release: Recommender,
        user_id: str,
        session: Sequence[PastChoice] = (),
        said: Lately = NOTHING_LATELY,
        *,
        known: bool,
    ) -> QueryUser | None:
        """The user with all since the release; None where none of it is of its items or topics."""
        records = [kept.record for kept in self.journal.of_user(user_id, self.drained(release), STATE)]
        choices = [*_choices(release, records), *session]
        lines = [Correction.model_validate_json(record.text) for record in records if record.kind == "correction"]
        if not choices and not lines and not said:
            return None
        person = joined(release, user_id, choices, lines, said, known=known)
        return person if choices or lines or person.lately else None

    def _let_go(self, of: Callable[[str], bool]) -> None:
        for kept in (self._persons, self._sayings):
            kept.let_go(of)

    def _hash(self, user_id: str) -> str:
        return erased(user_id, self._name)

    def _erasures(self) -> dict[str, int]:
        """The place of the latest erasure by the hash of its user."""
        last = self.journal.last_of_kind("erasure")
        upto, places = self._erased
        if last > upto:
            new = {kept.record.id: kept.place for kept in self.journal.of_kind(["erasure"], upto)}
            places = {**places, **new}
            self._let_go(lambda user: self._hash(user) in new)  # a forgotten user's state stays in no process
            self._erased = last, places
        return places


def _choices(release: Recommender, records: Sequence[Record]) -> list[PastChoice]:
    """Events on items of the release, by time; those on one that it lacks wait for a refresh."""
    events = [record for record in records if record.kind == "event"]
    events = [event for event in events if event.body.get("item_id") in release.catalogue]
    events.sort(key=lambda event: event.at)
    return [
        PastChoice(event.body["item_id"], event.body["behaviour"], event.at, event.body.get("value"))
        for event in events
    ]
