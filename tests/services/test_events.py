"""Events, feedback, corrections and forgetting, with two workers: kept before the answer, seen in the next one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strata.language.opinions import things
from strata.recommendation.recommender import Recommender
from tests.services.serving import SERVICE, Server, serving

SEEN = {"user_id": "careful", "behaviour": "view", "item_id": "1"}


@pytest.fixture(scope="module")
def live(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose clock runs on from the end of the data, with two workers."""
    environment = {"STRATA_RELEASE": release, "STRATA_CLOCK": "data", "STRATA_WORKERS": "2"}
    with serving(tmp_path_factory.mktemp("live"), *SERVICE, environment=environment) as started:
        yield started


def post(live: Server, path: str, **body: Any) -> dict[str, Any]:
    answer = live.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(live: Server, user: str, **options: Any) -> list[str]:
    found = post(live, "/recommend", user_id=user, explain=False, **options)
    return [item["item_id"] for item in found["items"]]


def events(user: str, items: list[str], behaviour: str = "like") -> list[dict[str, Any]]:
    return [{"user_id": user, "item_id": item, "behaviour": behaviour, "event_id": f"{user}-{item}"} for item in items]


def test_a_stranger_gets_what_is_popular_and_is_known_after_one_event(live: Server, library: Recommender) -> None:
    found = post(live, "/recommend", user_id="stranger", k=3)
    assert (found["known"], found["fallback"], found["fallback_cause"]) == (False, True, "unknown_user")
    assert found["nothing_found"] is False
    item = library.catalogue.ids[0]
    kept = post(live, "/events", events=events("stranger", [item]))
    assert kept == {"new": 1, "known": 0, "unknown_items": 0, "future": 0}
    for _ in range(8):  # of both workers
        found = post(live, "/interests", user_id="stranger")
        assert found["known"]
        assert [point["tier"] for point in found["interests"]] == ["momentary"]
        assert found["interests"][0]["evidence"] == [item]


def test_the_next_list_goes_by_an_event(live: Server, library: Recommender) -> None:
    user = library.richest_user()
    before = listed(live, user, k=10)
    post(live, "/events", events=events(user, before[:2]))
    for _ in range(8):
        after = listed(live, user, k=10)
        assert not set(before[:2]) & set(after)
    assert after != before[2:] + after[-2:], "the list is in a new order, not merely shorter"


def test_an_event_sent_again_changes_nothing_and_another_under_its_id_is_refused(live: Server) -> None:
    sent = events("repeated", ["1"])
    assert post(live, "/events", events=sent)["new"] == 1
    assert post(live, "/events", events=sent) == {"new": 0, "known": 1, "unknown_items": 0, "future": 0}
    answer = live.post("/events", json={"events": [{**sent[0], "behaviour": "dislike"}]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "id_taken")


def test_an_event_from_a_time_to_come_is_of_now_and_said_so(live: Server) -> None:
    sent = [{"user_id": "early", "item_id": "1", "behaviour": "like", "timestamp": "2090-01-01T00:00:00Z"}]
    assert post(live, "/events", events=sent)["future"] == 1
    (point,) = post(live, "/interests", user_id="early")["interests"]
    assert point["last_seen"] < "2000"


def test_what_is_hidden_never_comes_back(live: Server, library: Recommender) -> None:
    user = library.richest_user()
    first = listed(live, user, k=5, exclude_seen=False)[0]
    post(live, "/feedback", feedback=[{"user_id": user, "reaction": "hidden", "item_id": first}])
    for _ in range(4):
        assert first not in listed(live, user, k=100, exclude_seen=False)
    found = post(live, "/feedback", feedback=[{"user_id": user, "reaction": "liked", "item_id": "no such item"}])
    assert found["unknown_items"] == 1


def test_a_correction_holds_from_the_next_request_on(live: Server, library: Recommender) -> None:
    user = library.richest_user()
    point = post(live, "/interests", user_id=user)["interests"][0]
    said = {"user_id": user, "topic_id": point["topic_id"], "by": "the user"}
    done = post(live, "/corrections", action="rename", value="Nights at the drive-in", **said)
    assert done["new"] == 1
    for _ in range(4):
        names = [each["name"] for each in post(live, "/interests", user_id=user)["interests"]]
        assert "Nights at the drive-in" in names
    post(live, "/corrections", action="undo", **said)
    assert point["name"] in [each["name"] for each in post(live, "/interests", user_id=user)["interests"]]
    answer = live.post("/corrections", json={**said, "topic_id": "topic-no", "action": "pin"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (404, "topic_id")


def test_a_session_of_the_moment_beside_a_known_user(live: Server, library: Recommender) -> None:
    user = library.richest_user()
    plain, items = listed(live, user), listed(live, user, k=100)[-3:]
    session = post(live, "/recommend", user_id=user, history=items, explain=False)
    assert [item["item_id"] for item in session["items"]] != plain
    assert listed(live, user) == plain, "nothing of the session is kept"


def test_a_search_without_an_item_counts_at_once(live: Server, library: Recommender) -> None:
    labels = library.new_users.reader.words.vocabulary.labels
    label = labels.sort(labels["items"].list.len())["label"][-1]
    for user in ("somebody who searched", list(library.users)[5]):
        before = post(live, "/interests", user_id=user)["interests"]
        post(live, "/events", events=[{"user_id": user, "behaviour": "search", "text": f"show me {label}"}])
        for _ in range(4):  # of both workers
            found = post(live, "/interests", user_id=user)
            assert found["known"]
            assert [each["about"] for each in found["for"]] == [label]
            topic = found["for"][0]["topic_id"]
            (point,) = [each for each in found["interests"] if topic in each["topic_ids"]]
            same = [each for each in before if each["topic_id"] == point["topic_id"]]
            assert point["share"] > same[0]["share"] if same else point["because"].startswith("said in words")
            answer = post(live, "/recommend", user_id=user, k=3)
            assert answer["known"]
            assert not answer["fallback"]


def test_a_title_that_is_searched_is_of_its_own_topic_and_its_refusal_keeps_out_no_other(
    live: Server, library: Recommender
) -> None:
    words, themes = library.new_users.reader.words, library.themes
    for title in library.catalogue.titles:
        said = things([title])
        named = [words.named(each.about) for each in said]
        whole = len(said) == 1 and said[0].about == title and words.is_sign(title, named[0])
        if whole and not named[0].labels and len(items := named[0].items) == 1:
            break
    topic = themes.at("topic")["id"][int(themes.of_item[items[0], 0])]
    post(live, "/events", events=[{"user_id": "fan", "behaviour": "search", "text": title}])
    (heard,) = post(live, "/interests", user_id="fan")["for"]
    assert heard["topic_id"] == topic
    post(live, "/events", events=[{"user_id": "foe", "behaviour": "comment", "text": f"no {title} please"}])
    out = set(listed(live, "nobody at all", k=200)) - set(listed(live, "foe", k=200))
    assert out <= {str(library.catalogue.ids[items[0]])} | set(listed(live, "nobody at all", k=200)[150:])


def test_words_count_in_every_answer_about_a_user(live: Server, library: Recommender) -> None:
    labels = library.new_users.reader.words.vocabulary.labels
    label = labels.sort(labels["items"].list.len())["label"][-1]
    post(live, "/events", events=[{"user_id": "a/b", "behaviour": "search", "text": f"no {label}"}])
    alone = post(live, "/recommend", user_id="a/b", k=20)["items"]
    (one,) = post(live, "/recommend/batch", user_ids=["a/b"], k=20)["lists"]
    assert one["known"]
    assert one["items"] == alone
    carrying = {str(library.catalogue.ids[row]) for row in labels["items"][-1] if labels["label"][-1] == label}
    talk = post(live, "/chat", say="hello", user_id="a/b", k=20)
    assert not carrying & {item["item_id"] for item in talk["items"]}
    known = live.get("/users/a%2Fb").json()["interests"]
    assert known["against"] == post(live, "/interests", user_id="a/b")["against"] != []
    topic = known["dislikes"][0]["topic_id"]
    done = post(live, "/corrections", user_id="a/b", action="pin", topic_id=topic, by="the user")
    assert done["new"] == 1
    assert live.delete("/users/a%2Fb").json()["records"] >= 2
    assert not post(live, "/interests", user_id="a/b")["known"]
    again = live.post("/chat", json={"say": "hello", "session_id": talk["session_id"]})
    assert again.status_code == 404, "who is forgotten talks no more"


def test_all_that_is_known_of_a_user_can_be_read_and_forgotten(live: Server, library: Recommender) -> None:
    user = list(library.users)[7]
    post(live, "/events", events=[{"user_id": user, "behaviour": "search", "text": "a word like quixotryly"}])
    answer = live.get(f"/users/{user}")
    assert answer.status_code == 200
    data = answer.json()
    row = library.users[user]
    assert len(data["events"]) == len(library.history.of_users(row, row + 1))
    assert data["since"][-1]["text"] == "a word like quixotryly"
    gone = live.delete(f"/users/{user}").json()
    assert gone["in_release"]
    assert gone["records"] >= 1
    for _ in range(8):
        assert live.get(f"/users/{user}").status_code == 404
        assert not post(live, "/recommend", user_id=user)["known"]


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"user_id": "a", "behaviour": "view"}, "events[0]"),
        ({"user_id": "a", "behaviour": "buy", "item_id": "1"}, "events[0].behaviour"),
        ({**SEEN, "timestamp": "2020-01-01T00:00:00"}, "events[0].timestamp"),
        ({"user_id": "", "behaviour": "view", "item_id": "1"}, "events[0].user_id"),
    ],
)  # fmt: skip
def test_a_wrong_event_is_refused_by_its_field_and_nothing_is_kept(live: Server, event: dict, field: str) -> None:
    answer = live.post("/events", json={"events": [event, SEEN]})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert live.get("/users/careful").status_code == 404


def test_an_answer_is_sent_again_until_something_happens_to_its_user(live: Server, library: Recommender) -> None:
    user, other = list(library.users)[20:22]
    asked = {"user_id": user, "k": 5}
    first = post(live, "/recommend", **asked)
    hits = live.metric("strata_answers_from_memory_total", outcome="hit")
    for _ in range(8):
        assert post(live, "/recommend", **asked) == first
    assert live.metric("strata_answers_from_memory_total", outcome="hit") > hits
    post(live, "/events", events=events(other, ["1"]))
    assert post(live, "/recommend", **asked) == first
    post(live, "/events", events=events(user, [first["items"][0]["item_id"]]))
    for _ in range(8):
        assert post(live, "/recommend", **asked) != first


def test_a_list_is_kept_with_its_places_and_what_came_of_it(live: Server, library: Recommender) -> None:
    user = list(library.users)[30]
    found = post(live, "/recommend", user_id=user, k=3, offset=2)
    item = found["items"][0]["item_id"]
    told = [
        {"user_id": user, "reaction": "clicked", "item_id": item, "list_id": found["list_id"]},
        {"user_id": user, "reaction": "satisfied", "value": 4, "list_id": found["list_id"]},
    ]
    assert post(live, "/feedback", feedback=told)["new"] == 2
    wanted = {"shown", "event", "satisfied"}
    since = live.wait(f"/users/{user}", lambda answer: {each["kind"] for each in answer.json()["since"]} == wanted)
    shown = {each["kind"]: each for each in since.json()["since"]}
    assert {each["list_id"] for each in shown.values()} == {found["list_id"]}
    assert [place[:3] for place in shown["shown"]["items"]] == [
        [each["item_id"], place, 1.0] for place, each in enumerate(found["items"], 3)
    ]
    assert shown["shown"]["release"] == found["release"]
