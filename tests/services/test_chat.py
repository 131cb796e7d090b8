"""Conversations over HTTP: turns, sessions that go on, forgetting, and what is refused."""

import pytest

from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from tests.services.serving import Server

pytestmark = pytest.mark.slow


def say(server: Server, text: str, **more: object) -> dict:
    answer = server.post("/chat", json={"say": text, **more})
    assert answer.status_code == 200, answer.text
    assert not answer.json()["fallback"], answer.json()["fallback_cause"]
    return answer.json()


def ids(answer: dict) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


def genres(library: Recommender, answer: dict) -> list[set[str]]:
    rows = [library.catalogue.row(item_id) for item_id in ids(answer)]
    return [set(library.catalogue.items["categories"][row].to_list()) for row in rows]


def test_the_list_follows_what_is_said_over_turns(server: Server, library: Recommender) -> None:
    first = say(server, "hello")
    assert not first["changed"]
    wanted = say(server, "I'd like some comedies", session_id=first["session_id"])
    assert wanted["session_id"] == first["session_id"]
    assert wanted["wants"] == ["comedies"]
    assert all("Comedy" in kinds for kinds in genres(library, wanted))
    refused = say(server, "but no romance", session_id=first["session_id"])
    assert refused["unwants"] == ["romance"]
    assert all("Comedy" in kinds and "Romance" not in kinds for kinds in genres(library, refused))
    without = say(server, "not the first one", session_id=first["session_id"])
    assert ids(refused)[0] not in ids(without)
    why = say(server, "why the second?", session_id=first["session_id"])
    assert why["why"]["item_id"] == ids(without)[1] == ids(why)[1]
    assert why["why"]["reason"]["text"]
    assert ids(say(server, "start over", session_id=first["session_id"])) == ids(first)


def test_a_known_user_starts_from_their_own_list_and_chinese_is_answered_in_chinese(
    server: Server, library: Recommender
) -> None:
    user = library.richest_user()
    first = say(server, "你好", user_id=user)
    assert ids(first) == [each.item_id for each in library.recommend(user, ListRequest())]
    assert "列表" in first["says"]
    comedies = say(server, "想看喜剧", session_id=first["session_id"])
    assert all("Comedy" in kinds for kinds in genres(library, comedies))
    seen = {library.catalogue.ids[item] for item in library.user(user).seen}
    assert not seen & set(ids(comedies))


def test_a_turn_counts_for_the_profile_only_if_it_is_to_be_remembered(server: Server) -> None:
    forgotten = say(server, "comedies please", user_id="talker")
    assert not server.post("/interests", json={"user_id": "talker"}).json()["known"]
    say(server, "dramas please", session_id=forgotten["session_id"], remember=True)
    found = server.post("/interests", json={"user_id": "talker"}).json()
    assert found["known"]
    assert [each["about"] for each in found["for"]] == ["dramas"]


def test_what_is_not_of_the_catalogue_leaves_the_list(server: Server) -> None:
    first = say(server, "westerns please")
    odd = say(server, "where is my parcel?", session_id=first["session_id"])
    assert ids(odd) == ids(first)
    assert "Nothing in this catalogue" in odd["says"]


def test_a_forgotten_conversation_is_unknown_and_said_so(server: Server) -> None:
    session = say(server, "westerns please")["session_id"]
    assert server.delete(f"/chat/{session}").status_code == 204
    for id in (session, "never-there"):
        answer = server.post("/chat", json={"say": "more", "session_id": id})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_session")
        assert answer.json()["error"]["field"] == "session_id"


def test_somebody_new_may_talk_and_a_late_user_is_refused(server: Server, library: Recommender) -> None:
    nobody = server.post("/chat", json={"say": "comedies", "user_id": "nobody at all"})
    assert nobody.json()["items"]
    session = say(server, "hi")["session_id"]
    late = server.post("/chat", json={"say": "hi", "session_id": session, "user_id": library.richest_user()})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "user_is_set")
