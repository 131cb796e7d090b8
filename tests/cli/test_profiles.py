"""`strata user` shows a profile now, then and over time, and `strata correct` takes down what is wrong with it."""

import json
from contextlib import chdir
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from strata.cli.app import app
from strata.data.history import DAY, History, as_date
from strata.interests.corrections import Corrections
from strata.recommendation.loading import load_recommender
from strata.recommendation.request import ListRequest
from tests.generation.releases import release_written_at
from tests.generation.speaking import speaking
from tests.strategies import N_ITEMS, N_USERS, TIME
from tests.tiny_recommender import write_tiny_release


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """u0 chose an item of two kinds every week and disliked a third; u1 chose once; nothing is known of the others."""
    weeks = TIME - np.arange(20) * 7 * DAY - DAY
    users, items = np.repeat([0, 0, 0, 1], [20, 20, 2, 1]), np.repeat([0, 1, 2, 3], [20, 20, 2, 1])
    items[:40] += 3 * (np.arange(40) % 2)  # what is of one item alone is never core
    times, weights = np.concatenate([weeks, weeks, weeks[:2], weeks[:1]]), np.where(items == 2, -1.0, 1.0)
    history = History.from_columns(users, items, times, weights, n_users=N_USERS, n_items=N_ITEMS)
    return write_tiny_release(tmp_path_factory.mktemp("tiny"), history)


def strata(release: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--release", str(release)], env={"COLUMNS": "200"})


def test_a_profile_shows_its_levels_its_numbers_and_dislikes_apart(release: Path) -> None:
    shown = strata(release, "user", "u0").output
    recommender = load_recommender(release)
    levels, catalogue = recommender.levels("u0"), recommender.catalogue
    assert "Moves in: " in shown
    interests, dislikes = shown.split("Dislikes of user u0")
    for row in levels.points.iter_rows(named=True):
        assert f"  {row['share']:.0%}  {row['name']}  {row['topic_id']}\n" in interests
        assert f"       {row['because']}\n" in interests
        titles = [catalogue.title_of(item) for item in row["evidence"]]
        assert f"       read from {'; '.join(titles)}\n" in interests
    assert "\ncore\n" in interests, "a heading"
    assert "spoken against 2 times" in dislikes
    assert "travel piece 2" in dislikes
    assert "Recommended to user u0" in dislikes


def test_a_past_profile_is_of_its_day_without_recommendations(release: Path) -> None:
    day = as_date(TIME - 100 * DAY)
    shown = strata(release, "user", "u0", "--at", day).output
    assert f"Interests of user u0 on {day}" in shown
    assert "Dislikes" not in shown
    assert "Recommended" not in shown
    assert " of 20 weeks" not in shown


def test_a_day_before_the_first_event_is_refused_naming_it(release: Path) -> None:
    refused = strata(release, "user", "u1", "--at", "1970-01-02")
    assert refused.exit_code == 2
    assert f"user u1 has no event before 1970-01-02; the first is of {as_date(TIME - DAY)}" in refused.output
    assert "nor any later" in strata(release, "user", "u2", "--at", "1970-01-02").output
    assert "1998-13-45" in strata(release, "user", "u1", "--at", "1998-13-45").output


def test_a_course_is_a_letter_for_each_time_and_a_picture(release: Path, tmp_path: Path) -> None:
    picture = tmp_path / "timeline.svg"
    shown = strata(release, "user", "u0", "--timeline", "--steps", "10", "--picture", str(picture)).output
    timeline = load_recommender(release).timeline("u0", 10)
    for (key,), rows in timeline.group_by("key"):
        line = next(line for line in shown.splitlines() if key in line)
        assert "".join(tier[0] for tier in rows.sort("time")["tier"]) in line
    assert "10 times" in shown
    assert all(f">{name}<" in picture.read_text(encoding="utf-8") for name in timeline["name"])
    assert "no interest points" in strata(release, "user", "u2", "--timeline").output
    refused = strata(release, "user", "u0", "--picture", "timeline.bmp")
    assert refused.exit_code == 2
    assert ".svg or .png" in refused.output


def test_a_correction_is_taken_down_and_holds_where_its_file_is_read(release: Path, tmp_path: Path) -> None:
    file = tmp_path / "corrections" / "corrections.jsonl"
    point = load_recommender(release).levels("u0").points.row(0, named=True)
    topic = point["topic_id"]
    for arguments in (("rename", topic, "My [b]own[/b] garden"), ("pin", topic, "--note", "it is what I do")):
        done = strata(release, "correct", "u0", *arguments, "--by", "anna", "--file", str(file))
        assert done.exit_code == 0, done.output
        assert f"for user u0, the interest {point['name']}" in " ".join(done.output.split())
        assert "from the next refresh on" in " ".join(done.output.split())  # a long path breaks the line
    lines = Corrections.read(file).lines
    assert [(line.who, line.action, line.note) for line in lines] == [
        ("anna", "rename", ""), ("anna", "pin", "it is what I do")
    ]  # fmt: skip
    assert "My [b]own[/b] garden" in strata(release, "user", "u0", "--corrections", str(file)).output
    assert "My [b]own[/b] garden" not in strata(release, "user", "u0").output
    strata(release, "correct", "u0", "block", topic, "--by", "anna", "--file", str(file))
    blocked = load_recommender(release, file)
    mask = blocked.corrections.blocked_items("u0", blocked.themes)
    titles = blocked.catalogue.items.filter(pl.Series(mask))["title"].to_list()
    shown = strata(release, "recommend", "u0", "-k", "12", "--corrections", str(file)).output
    assert "piece" in shown
    assert titles
    assert not [line for line in shown.splitlines() if any(f"  {title}  i" in line for title in titles)]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("u9", "pin", "topic-1", "--by", "anna"), 1, "user 'u9' is not among the 4 users"),
        (("u0", "pin", "topic-99", "--by", "anna"), 1, "topic 'topic-99' is none of the"),
        (("u0", "love", "topic-1", "--by", "anna"), 2, "'pin', 'rename', 'reject', 'block' or 'undo'"),
        (("u0", "rename", "topic-1", "--by", "anna"), 2, "the new name, goes with the action rename"),
        (("u0", "pin", "topic-1", "--by", ""), 2, "who: String should have at least 1 character"),
        (("u0", "pin", "topic-1"), 2, "--by"),
    ],
)
def test_a_wrong_correction_is_refused_and_not_taken_down(release, tmp_path, arguments, status, said) -> None:
    file = tmp_path / "corrections.jsonl"
    refused = strata(release, "correct", *arguments, "--file", str(file))
    assert refused.exit_code == status
    assert said in refused.output
    assert not file.exists()


def test_a_correction_says_what_it_meant_and_is_reported_where_that_is_gone(release: Path, tmp_path: Path) -> None:
    file = tmp_path / "corrections.jsonl"
    recommender = load_recommender(release)
    point = recommender.levels("u0").points.row(0, named=True)
    by = ("--by", "anna", "--file", str(file))
    assert strata(release, "correct", "u0", "pin", point["topic_id"], *by).exit_code == 0
    (line,) = Corrections.read(file).lines
    assert line.meant is not None
    assert line.meant.name == point["name"]
    assert set(point["evidence"]) & set(line.meant.items)
    assert "Lost" not in strata(release, "user", "u0", "--corrections", str(file)).output
    elsewhere = {f"{item}-elsewhere": title for item, title in line.meant.items.items()}
    meant = line.meant.model_copy(update={"name": "Kites", "items": elsewhere})
    file.write_text(line.model_copy(update={"meant": meant}).model_dump_json() + "\n", encoding="utf-8")
    shown = " ".join(strata(release, "user", "u0", "--corrections", str(file)).output.split())
    assert f"the correction pin {point['topic_id']} of user u0 no longer finds its interest (was Kites: " in shown
    assert "pinned on" not in shown
    assert load_recommender(release, file).lost_corrections("u1") == []
    lost = f"{point['topic_id']} (Kites)"
    assert lost in shown
    refused = strata(release, "correct", "u0", "pin", lost, *by)
    assert refused.exit_code == 1, "what is lost can only be ended"
    assert strata(release, "correct", "u0", "undo", lost, *by).exit_code == 0
    assert load_recommender(release, file).lost_corrections() == []


def test_a_release_replays_the_corrections_it_was_made_with(release: Path, tmp_path: Path) -> None:
    history = load_recommender(release).history
    topic = load_recommender(release).levels("u0").points["topic_id"][0]
    # as they were before they said what they meant
    line = f'{{"time":"2026-01-02T00:00:00Z","who":"anna","user_id":"u0","topic":"{topic}","action":"reject"}}\n'
    replayed = load_recommender(write_tiny_release(tmp_path, history, line))
    assert topic not in replayed.levels("u0").points["topic_ids"].explode().to_list()
    assert replayed.interests("u1").equals(load_recommender(release).interests("u1"))


@pytest.mark.parametrize("name", ["lists.parquet", "lists.csv"])
def test_the_lists_of_all_are_written_into_a_file(release: Path, tmp_path: Path, name: str) -> None:
    done = strata(release, "recommend-all", str(tmp_path / name), "-k", "3", "--more", "momentary=2")
    assert f"{name}: 12 rows for 4 users" in done.output
    read = pl.read_parquet if name.endswith("parquet") else pl.read_csv
    found = read(tmp_path / name)
    alone = load_recommender(release).recommend("u0", ListRequest(k=3, tier_mix={"momentary": 2.0}))
    assert found.filter(user_id="u0").rows() == [
        ("u0", place, item.item_id, item.score) for place, item in enumerate(alone, 1)
    ]
    refused = strata(release, "recommend-all", str(tmp_path / "lists.xlsx"))
    assert refused.exit_code == 2
    assert ".parquet or .csv" in refused.output


def test_a_summary_is_the_generators_where_it_is_asked_for(tmp_path: Path) -> None:
    with speaking(lambda body: "Loves garden pieces.") as speaker:
        of = ["--release", str(release_written_at(speaker.url, tmp_path)), "--json"]
        params = tmp_path / "release" / "params.yaml"
        with chdir(tmp_path):
            Path("params.yaml").write_bytes(params.read_bytes())
            plain = json.loads(CliRunner().invoke(app, ["user", "u0", *of]).stdout)["summary"]
            assert not speaker.bodies
            asked = json.loads(CliRunner().invoke(app, ["user", "u0", "--generate", *of]).stdout)["summary"]
    assert plain.startswith("Comes back to Music")
    assert asked == "Loves garden pieces."
