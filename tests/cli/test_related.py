"""`strata similar-users`, `audience`, `hot-topics` and `brands` show what the library answers, each with its reason."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from strata.cli.app import app
from strata.data.history import DAY, History
from strata.recommendation.loading import load_recommender
from strata.recommendation.request import ListRequest
from tests.strategies import N_ITEMS, N_USERS, TIME
from tests.tiny_recommender import write_tiny_release


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """u0 and u1 like gardens; everybody has lately chosen one item about them."""
    users = np.array([0, 0, 1, 1, *np.repeat(np.arange(N_USERS), 3)])
    items = np.array([0, 6, 0, 9, *[3, 3, 3] * N_USERS])
    times = np.append(np.full(4, TIME - 60 * DAY), np.full(3 * N_USERS, TIME - 2 * DAY))
    history = History.from_columns(users, items, times, np.ones(len(users)), n_users=N_USERS, n_items=N_ITEMS)
    return write_tiny_release(tmp_path_factory.mktemp("tiny"), history)


def strata(release: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--release", str(release)], env={"COLUMNS": "300"})


def test_similar_users_are_shown_with_what_is_shared(release: Path) -> None:
    shown = strata(release, "similar-users", "u0", "-k", "1").output
    (expected,) = load_recommender(release).similar_users("u0", 1)
    assert f"  {expected.similarity:.2f}  {expected.user_id}\n" in shown
    assert expected.text in shown


def test_the_audience_of_an_item_is_shown_by_its_title(release: Path) -> None:
    shown = strata(release, "audience", "i06").output
    assert "Audience of garden piece 6" in shown
    expected = load_recommender(release).audience("i06")
    assert expected
    assert all(f"  {member.user_id}  {member.tier}\n" in shown and member.text in shown for member in expected)
    assert "  u0  " not in shown, "u0 has had it"


@pytest.mark.slow
def test_a_text_is_read_by_the_releases_own_model(release_folder: Path) -> None:
    shown = strata(release_folder, "audience", "--text", "space opera [for] children", "-k", "3").output
    assert "Audience of 'space opera [for] children'" in shown
    assert shown.count("Fits their") == 3


def test_hot_topics_and_brands_are_shown_or_none_found(release: Path) -> None:
    hot = load_recommender(release).hot_topics("u0")
    shown = strata(release, "hot-topics", "u0").output
    assert hot
    assert all(topic.text in shown for topic in hot)
    assert strata(release, "brands", "u0").output == "Brands for user u0: none found.\n"  # the catalogue names none


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("similar-users", "u9"), 1, "user 'u9' is not among the 4 users"),
        (("hot-topics", "u9"), 1, "user 'u9' is not among the 4 users"),
        (("audience", "gone"), 1, "item 'gone' is not among the 12 items"),
        (("audience",), 2, "name an item, or say with --text"),
        (("audience", "i06", "--text", "x"), 2, "name an item, or say with --text"),
        (("brands", "u0", "-k", "0"), 2, "-k"),
        (("recommend", "u0", "--diversity", "2"), 2, "--diversity"),
        (("recommend", "u0", "--offset", "1001"), 2, "--offset"),
    ],
)
def test_wrong_questions_are_refused(release: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    refused = strata(release, *arguments)
    assert refused.exit_code == status
    assert said in refused.output


def test_page_two_goes_on_where_page_one_ends(release: Path) -> None:
    whole = load_recommender(release).recommend("u0", ListRequest(k=6))
    shown = strata(release, "recommend", "u0", "-k", "3", "--offset", "3").output
    places = [shown.index(f"  {item.title}  {item.item_id}\n") for item in whole[3:]]
    assert places == sorted(places)
    assert not any(f"  {item.item_id}\n" in shown for item in whole[:3])
    numbers = [line.split()[0] for line in shown.splitlines() if any(f"  {item.item_id}" in line for item in whole)]
    assert numbers == ["4", "5", "6"]
    assert "comes after the offset" in strata(release, "recommend", "u0", "--offset", "1000").output


def test_recommendations_can_be_varied(release: Path) -> None:
    shown = strata(release, "recommend", "u0", "-k", "3", "--diversity", "1", "--calibration", "0.2").output
    expected = load_recommender(release).recommend("u0", ListRequest(k=3, diversity=1.0, calibration=0.2))
    places = [shown.index(f"  {item.title}  {item.item_id}\n") for item in expected]
    assert places == sorted(places)
