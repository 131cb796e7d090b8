"""What happens while a release serves changes a user's interests at once, by the rules of the release itself."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strata.data.history import DAY, History, as_date
from strata.embeddings.vectors import unit
from strata.interests.corrections import Corrections
from strata.interests.query_users import PastChoice, QueryUser
from strata.interests.refinding import meant_by
from strata.online.live_users import LiveUsers
from strata.online.records import Record
from strata.online.sqlite import SqliteJournal
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from tests.strategies import N_ITEMS, N_USERS, TIME, USER_IDS
from tests.tiny_recommender import PROFILER, tiny_recommender

Event = tuple[str, str, float, str]
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([*USER_IDS[:2], "new"]),
        st.sampled_from([f"i{n:02d}" for n in range(N_ITEMS)]),
        st.integers(1, 50).map(float),
        st.sampled_from(["like", "dislike"]),
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def base() -> Recommender:
    """u0 likes gardens, u1 music; the others did nothing."""
    users, items = np.array([0, 0, 0, 0, 1, 1, 1]), np.array([0, 3, 6, 9, 1, 4, 7])
    times = TIME - np.array([200, 150, 90, 3, 100, 60, 2]) * DAY
    history = History.from_columns(users, items, times, np.ones(7), n_users=N_USERS, n_items=N_ITEMS)
    return tiny_recommender(history)


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    return SqliteJournal(tmp_path / "journal.sqlite")


def joined(base: Recommender, journal: SqliteJournal) -> Recommender:
    return replace(base, people=LiveUsers(journal))


def sent(*events: Event) -> list[Record]:
    return [
        Record("event", f"e{n}", user, TIME + days * DAY, {"item_id": item, "behaviour": behaviour})
        for n, (user, item, days, behaviour) in enumerate(events)
    ]


def test_without_events_a_user_is_as_in_the_release(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    assert live.whose("u0") == "u0"
    nobody = live.person(live.whose("nobody"))
    assert nobody.unknown
    assert nobody.profiles.table.is_empty()
    popular = live.recommend(live.whose("nobody"), ListRequest(k=3))
    assert [item.reason.generator for item in popular if item.reason] == ["popular"] * 3


def test_an_event_makes_an_interest_of_now_at_once(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    before = live.interests(live.whose("u0"))
    journal.append(sent(("u0", "i02", 1, "like"), ("u0", "i05", 1, "like")))
    after = live.interests(live.whose("u0"))
    travel = set(after["name"]) - set(before["name"])
    assert len(travel) == 1
    (tier,) = after.filter(after["name"].is_in(travel))["tier"]
    assert tier == "momentary"


def test_what_is_hidden_is_in_no_list_from_the_next_request_on(base: Recommender, journal: SqliteJournal) -> None:
    live, request = joined(base, journal), ListRequest(k=12, exclude_seen=False)
    first = live.recommend(live.whose("u0"), request)[0].item_id
    journal.append(sent(("u0", first, 1, "dislike")))
    assert first not in [item.item_id for item in live.recommend(live.whose("u0"), request)]


@settings(max_examples=15, deadline=None)
@given(EVENTS)
def test_events_one_by_one_lead_to_what_all_at_once_lead_to(base: Recommender, tmp_path_factory, events) -> None:  # noqa: ANN001
    """Nothing is lost or doubled by what was asked in between, nor by what a process keeps in memory."""
    folder = tmp_path_factory.mktemp("journals")
    steps, whole = SqliteJournal(folder / "steps.sqlite"), SqliteJournal(folder / "whole.sqlite")
    asked, fresh = joined(base, steps), joined(base, whole)
    for record in sent(*events):
        steps.append([record])
        steps.append([record])
        asked.recommend(asked.whose(str(record.user_id)))
    whole.append(sent(*events))
    for user in ("u0", "u1", "new"):
        one, other = (live.person(live.whose(user)) for live in (asked, fresh))
        assert one.profiles.table.equals(other.profiles.table)
        assert asked.recommend(asked.whose(user)) == fresh.recommend(fresh.whose(user))


def test_a_new_user_has_the_interests_of_a_visitor_with_the_same_history(
    base: Recommender, journal: SqliteJournal
) -> None:
    live = joined(base, journal)
    journal.append(sent(("new", "i01", 1, "like"), ("new", "i04", 2, "like")))
    found = live.interests(live.whose("new")).drop("user_id")
    picks = [PastChoice("i01", "like", TIME + DAY), PastChoice("i04", "like", TIME + 2 * DAY)]
    visitor = base.interests(base.new_users.from_choices(picks)).drop("user_id")
    assert found.equals(visitor)


def test_what_a_release_has_already_counts_once(base: Recommender, journal: SqliteJournal) -> None:
    journal.append(sent(("u0", "i02", 1, "like")))
    drained = replace(joined(base, journal), drained={journal.facts().name: journal.position()})
    assert drained.whose("u0") == "u0"
    journal.append([replace(sent(("u0", "i05", 2, "like"))[0], id="later")])
    person = drained.person(drained.whose("u0"))
    assert len(person.history) == len(base.history.of_users(0, 1)) + 1


def test_a_session_counts_for_its_request_alone(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    journal.append(sent(("u0", "i02", 1, "like")))
    before = live.recommend(live.whose("u0"))
    session = live.person(live.whose("u0", [PastChoice("i05", "like")]))
    assert len(session.history) == len(live.person(live.whose("u0")).history) + 1
    assert live.recommend(live.whose("u0")) == before
    alone = base.person(base.whose("u1", [PastChoice("i05", "like")]))
    assert len(alone.history) == len(base.history.of_users(1, 2)) + 1


def test_a_correction_holds_at_once_and_can_be_undone(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    point = live.levels("u0").points.row(0, named=True)
    topic = point["topic_id"]
    meant = meant_by(topic, PROFILER.themes, PROFILER.catalogue, PROFILER.space).model_dump()
    said = {"time": datetime(2026, 1, 1, tzinfo=UTC).isoformat(), "who": "u0", "user_id": "u0", "meant": meant}

    def correct(id: str, action: str, **more: str) -> QueryUser:
        body = {**said, "topic": topic, "action": action, "value": None, "note": "", **more}
        journal.append([Record("correction", id, "u0", TIME, body)])
        return live.person(live.whose("u0"))

    renamed = correct("c1", "rename", value="Beds of roses")
    assert "Beds of roses" in renamed.profiles.table["name"].to_list()
    rejected = correct("c2", "reject")
    assert "Beds of roses" not in rejected.profiles.table["name"].to_list()
    undone = correct("c3", "undo")
    assert undone.profiles.table["name"].to_list() == base.interests("u0")["name"].to_list()


def test_a_forgotten_user_is_unknown_to_every_process_at_once(base: Recommender, journal: SqliteJournal) -> None:
    one, other = joined(base, journal), joined(base, SqliteJournal(journal.file))
    journal.append(sent(("u0", "i02", 1, "like"), ("u1", "i02", 1, "like")))
    kept = [live.person(live.whose("u1")).profiles.table for live in (one, other)]
    assert isinstance(one.whose("u0"), QueryUser)
    assert isinstance(one.people, LiveUsers)
    assert one.people.forget("u0", TIME) == 1
    for live, before in zip((one, other), kept, strict=True):
        assert live.person(live.whose("u0")).unknown
        assert live.person(live.whose("u1")).profiles.table.equals(before)
    journal.append([replace(sent(("u0", "i05", 2, "like"))[0], id="again")])
    again = other.person(other.whose("u0"))
    assert again.history.items.tolist() == [5], "who comes back begins anew"


def test_corrections_of_the_release_hold_beside_later_ones(base: Recommender, journal: SqliteJournal) -> None:
    assert base.corrections == Corrections()
    journal.append(sent(("u0", "i99", 1, "like")))
    assert joined(base, journal).whose("u0") == "u0", "an item that the release lacks waits for a refresh"


def written(text: str, days: float, behaviour: str = "search", user: str = "u0", n: int = 0) -> Record:
    return Record("event", f"w{n}", user, TIME + days * DAY, {"behaviour": behaviour, "text": text})


def heard(live: Recommender, user: str) -> QueryUser:
    """A user with what they wrote lately, read as lying where the travel items do."""
    said = live.lately(user)
    travel = unit(live.texts.vectors(np.array([2, 5, 8, 11])).mean(0)[None])
    return live.person(live.whose(user, said=said.read(np.repeat(travel, len(said.opinions), axis=0))))


def test_a_search_makes_an_interest_of_now_beside_those_of_events(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    before = live.interests("u0")
    journal.append([written("show me travel", 1)])
    after = live.interests(heard(live, "u0"))
    (new,) = after.filter(~after["name"].is_in(before["name"].implode())).to_dicts()
    assert (new["name"], new["tier"], new["stated"], new["evidence"]) == ("Travel", "momentary", False, [])
    assert new["because"] == f"said in words, last on {as_date(TIME + DAY)}"
    assert after["share"].sum() == pytest.approx(1, abs=1e-5)
    assert after["point"].to_list() == list(range(len(after)))
    assert len(set(after["name"])) == len(after)
    assert heard(live, "u0") is heard(live, "u0"), "nothing happened, so nobody is profiled anew"
    listed = live.recommend(heard(live, "u0"), ListRequest(k=12, exclude_seen=False))
    places = [int(item.item_id[1:]) % 3 for item in listed]
    unheard = [int(item.item_id[1:]) % 3 for item in live.recommend("u0", ListRequest(k=12, exclude_seen=False))]
    assert np.mean(np.flatnonzero(np.array(places) == 2)) < np.mean(np.flatnonzero(np.array(unheard) == 2))


def test_words_add_to_the_interest_that_is_there(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    journal.append([*sent(("u0", "i02", 1, "like"), ("u0", "i05", 1, "like"))])
    before = live.interests(live.whose("u0"))
    journal.append([written("travel", 1), written("more travel please", 1, "ask", n=1)])
    after = live.interests(heard(live, "u0"))
    assert after["name"].sort().to_list() == before["name"].sort().to_list()
    travel = [table.filter(table["topic"] == 3)["share"].item() for table in (before, after)]
    assert travel[1] > travel[0]


def test_what_is_spoken_against_in_words_is_kept_out(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    journal.append([written("I hate travel", 1, "comment")])
    person = heard(live, "u0")
    assert {2, 5, 8, 11} <= set(person.rejected.tolist())
    assert "Travel" in live.levels(person).dislikes["name"].to_list()
    listed = live.recommend(person, ListRequest(k=12, exclude_seen=False))
    assert not {"i02", "i05", "i08", "i11"} & {item.item_id for item in listed}


def test_words_that_are_old_unread_or_of_nothing_change_nothing(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    journal.append([written("travel", -60, n=1), written("thank you very much", 1, n=2)])
    assert all("travel" not in each.about for each in live.lately("u0").opinions)
    journal.append([written("travel", 2, n=3)])
    unread = live.whose("u0", said=live.lately("u0"))
    assert unread == live.whose("u0") == "u0"
    journal.append([written("zxqv", 1, "search", "nobody", 4)])
    far = live.lately("nobody").read(-unit(live.texts.vectors(np.arange(12)).mean(0)[None]))
    assert live.person(live.whose("nobody", said=far)).unknown
    journal.append([written("zxqv", 1, "search", "u1", 5)])
    assert live.whose("u1", said=replace(far, said=live.lately("u1").said)) == "u1"


def test_a_later_word_ends_an_earlier_one_that_says_the_opposite(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    journal.append([written("I hate travel", 1, "comment"), written("I love travel", 2, "comment", n=1)])
    loves = heard(live, "u0")
    assert [(each.opinion.about, each.wanted) for each in loves.lately] == [("travel", True)]
    assert not {2, 5, 8, 11} & set(loves.rejected.tolist())
    assert loves.asked == ()  # who comments asks for nothing
    journal.append([written("no travel", 3, n=2)])
    hates = heard(live, "u0")
    assert [(each.opinion.about, each.wanted) for each in hates.lately] == [("travel", False)]
    assert "Travel" not in live.interests(hates)["name"].to_list()


def test_words_said_twice_in_one_text_count_once(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    journal.append([written("travel. travel. travel.", 1, user="once"), written("travel", 1, user="thrice", n=9)])
    once, thrice = (heard(live, user) for user in ("once", "thrice"))
    assert live.interests(once)["strength"].to_list() == live.interests(thrice)["strength"].to_list()


def test_a_topic_that_is_rejected_gets_no_place_by_words(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    journal.append([written("travel", 1)])
    assert heard(live, "u0").asked
    for action in ("reject", "block"):
        line = {"time": "2026-01-02T00:00:00Z", "who": "u0", "user_id": "u0", "topic": "topic-4", "action": action}
        journal.append([Record("correction", action, "u0", TIME, line)])
        person = heard(live, "u0")
        assert person.asked == ()
        assert "Travel" not in live.interests(person)["name"].to_list()


def test_pages_of_a_list_with_words_hold_each_item_once(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    journal.append([written("travel", 1)])
    person = heard(live, "u0")
    whole = [item.item_id for item in live.recommend(person, ListRequest(k=12, exclude_seen=False))]
    pages = [live.recommend(person, ListRequest(k=1, offset=n, exclude_seen=False))[0].item_id for n in range(12)]
    assert pages == whole


def test_a_newcomer_is_known_by_a_search_alone(base: Recommender, journal: SqliteJournal) -> None:
    live = joined(base, journal)
    journal.append([written("travel", 1, user="new")])
    person = heard(live, "new")
    assert not person.unknown
    assert live.interests(person)["name"].to_list() == ["Travel"]
    assert int(live.recommend(person, ListRequest(k=1))[0].item_id[1:]) % 3 == 2
    journal.forget("new", TIME)
    assert heard(live, "new").unknown
