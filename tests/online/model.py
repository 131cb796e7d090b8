"""What a journal must hold after any acts, told by a list: the store is compared with it after each act."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from strata.errors import Conflict
from strata.online.erasures import erased
from strata.online.journal import Journal
from strata.online.keeping import PASSING
from strata.online.records import KINDS, STATE, Accepted, Kept, Record
from tests.online.stores import Store

USERS = ["ann", "bob", "Ω'\"\n\\ 用户", "nul\0nul"]
BODIES = [{}, {"n": 1}, {"n": 1.5, "text": "ü\0'\" \\ 文 🙂"}, {"deep": {"b": [1, None, True], "a": "x" * 9_000}}]

records = st.builds(
    Record,
    st.sampled_from([kind for kind in KINDS if kind != "erasure"]),
    st.sampled_from(["1", "2", "3", "é", "a\0b", "'; drop table records"]),
    st.one_of(st.none(), st.sampled_from(USERS)),
    st.floats(-1e10, 1e10),
    st.sampled_from(BODIES),
)


class JournalModel(RuleBasedStateMachine):
    """Acts on a journal; `places` are those the store gave, all else is the model's own."""

    store: Store

    @initialize()
    def open(self) -> None:
        self.journal: Journal = self.store.open()
        self.kept: list[Kept] = []
        self.highest = self.drained = 0
        self.first = self.journal.facts()
        assert len(self.first.name) >= 16

    @rule(batch=st.lists(records, max_size=5))
    def append(self, batch: list[Record]) -> None:
        known = {(kept.record.kind, kept.record.id): kept for kept in self.kept}
        new: dict[tuple[str, str], Record] = {}
        differing = set()
        for record in batch:
            key = (record.kind, record.id)
            there = known[key].record if key in known else new.setdefault(key, record)
            if there.digest != record.digest:
                differing.add(record.id)
        if differing:
            with pytest.raises(Conflict) as caught:
                self.journal.append(batch)
            assert all(repr(id) in str(caught.value) for id in differing)
            return
        given = {}
        for record, accepted in zip(batch, self.journal.append(batch), strict=True):
            key = (record.kind, record.id)
            if key in known:
                assert accepted == Accepted(known[key].place, False)
            elif key in given:
                assert accepted == Accepted(given[key], False)
            else:
                assert accepted.new
                assert accepted.place > self.highest
                given[key] = self.highest = accepted.place
                self.kept.append(Kept(accepted.place, record))

    @rule(user=st.sampled_from(USERS), at=st.floats(0, 1e10))
    def forget(self, user: str, at: float) -> None:
        theirs = [kept for kept in self.kept if kept.record.user_id == user]
        name = erased(user, self.first.name)
        assert self.journal.forget(user, at) == len(theirs)
        self.kept = [kept for kept in self.kept if kept not in theirs and kept.record.id != name]
        (erasure,) = self.journal.of_kind(["erasure"], self.highest)
        assert erasure.record == Record("erasure", name, None, at)
        self.highest = erasure.place
        self.kept.append(erasure)

    @rule(since=st.floats(-1e10, 1e10))
    def retain(self, since: float) -> None:
        old = [kept for kept in self.kept if kept.record.kind in PASSING and kept.record.at < since]
        assert self.journal.retain(since) == len(old)
        self.kept = [kept for kept in self.kept if kept not in old]

    @rule(place=st.integers(0, 20))
    def drain(self, place: int) -> None:
        self.journal.drain(place)
        self.drained = max(self.drained, place)

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.journal = self.store.open()

    @invariant()
    def holds_the_same(self) -> None:
        if not hasattr(self, "journal"):
            return
        facts = self.journal.facts()
        assert (facts.name, facts.began) == (self.first.name, self.first.began)
        assert facts.drained == self.drained
        assert self.journal.position() == max((kept.place for kept in self.kept), default=0)
        middle = self.kept[len(self.kept) // 2].place if self.kept else 0
        for kinds in (KINDS, ("event", "item"), ("erasure",), ()):
            for after in (0, middle, self.highest):
                expected = [kept for kept in self.kept if kept.record.kind in kinds and kept.place > after]
                assert self.journal.of_kind(kinds, after) == expected
                assert self.journal.of_kind(kinds, after, 2) == expected[:2]
        for kind in KINDS:
            places = [kept.place for kept in self.kept if kept.record.kind == kind]
            assert self.journal.last_of_kind(kind) == max(places, default=0)
        for user in USERS:
            theirs = [kept for kept in self.kept if kept.record.user_id == user]
            of_state = [kept.place for kept in theirs if kept.record.kind in STATE]
            assert self.journal.last(user) == max(of_state, default=0)
            assert self.journal.of_user(user) == theirs
            assert self.journal.of_user(user, middle) == [kept for kept in theirs if kept.place > middle]
            assert self.journal.of_user(user, 0, ["event", "shown"]) == [
                kept for kept in theirs if kept.record.kind in ("event", "shown")
            ]

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
