"""Every command of `strata`: one JSON document where it is asked for, and at any width no word broken or cut."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import typer
import yaml
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from benchmarks.init.__main__ import WRITERS
from strata.cli.app import app
from strata.data.history import DAY, History
from strata.data.schema import BRAND, TITLE
from strata.online.tokens import TokenFile
from strata.recommendation.loading import load_recommender
from strata.release.manifest import read_manifest, write_release
from strata.release.registry import Registry
from strata.storage import write_table, write_text
from tests.online.consumers.brokers import Broker, broker
from tests.online.servers import RedisServer, redis_server
from tests.strategies import N_ITEMS, N_USERS, TIME
from tests.tiny_recommender import write_tiny_release

__all__ = ["broker", "redis_server"]
FETCHING = {"data fetch", "model fetch"}
"""Commands that ask the package index unless what they fetch is there."""
TITLES = [
    "Mystery Science Theater 3000: The Movie",
    "Umbrellas of Cherbourg, The (Parapluies de Cherbourg, Les)",
    "Don't Be a Menace to South Central While Drinking Your Juice in the Hood",
    "Wallace & Gromit: The Best of Aardman Animation",
    "Crimson Tide [director's cut]",
    "Prisoner of the Mountains (Kavkazsky Plennik)",
    "Adventures of Priscilla, Queen of the Desert, The",
    "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb",
    "Star Trek III: The Search for Spock",
    "Cook the Thief His Wife & Her Lover, The",
    "Three Colors: Blue",
    "Snow White and the Seven Dwarfs",
]


def commands() -> dict[str, Any]:
    """Every command that runs, by its words."""

    def walk(command: Any, words: str) -> Iterator[tuple[str, Any]]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, f"{words} {name}".strip())
        if not hasattr(command, "commands"):
            yield words, command

    return dict(walk(typer.main.get_command(app), ""))


COMMANDS = commands()
DRAWING = sorted(words for words, command in COMMANDS.items() if any(p.name == "wide" for p in command.params))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny release with long titles, brands, a name that somebody gave, and a rise of one topic."""
    folder = tmp_path_factory.mktemp("tiny")
    weeks = TIME - np.arange(20) * 7 * DAY - DAY
    users = np.concatenate([np.repeat([0, 1], 40), [0, 0], np.repeat(np.arange(N_USERS), 3)])
    items = np.concatenate([np.tile(np.repeat([0, 1], 20), 2), [2, 2], np.repeat(3, 3 * N_USERS)])
    times = np.concatenate([np.tile(weeks, 4), weeks[:2], np.full(3 * N_USERS, TIME - 2 * DAY)])
    weights = np.where(items == 2, -1.0, 1.0)
    plain = write_tiny_release(
        folder, History.from_columns(users, items, times, weights, n_users=N_USERS, n_items=N_ITEMS)
    )
    topic = load_recommender(plain).levels("u0").points["topic_id"][0]
    name = "Extraordinarily long-winded interests in horticulture, [allotments] and the weather of gardens"
    line = {"time": "2026-01-02T00:00:00Z", "who": "anna", "user_id": "u0", "topic": topic}
    (folder / "said.jsonl").write_text(json.dumps({**line, "action": "rename", "value": name}) + "\n")
    brands = pl.Series(BRAND, [f"Bartholomew's Fine Gardening Implements and Sons No. {n}" for n in range(N_ITEMS)])
    table = pl.read_parquet(plain / "tables" / "items.parquet").with_columns(pl.Series(TITLE, TITLES), brands)
    write_table(table, folder / "items.parquet")
    parts = {path: plain / path for path in read_manifest(plain).files}
    parts |= {"tables/items.parquet": folder / "items.parquet", "corrections.jsonl": folder / "said.jsonl"}
    write_release(folder / "long", parts, versions={}, metrics={"strata": {"ndcg@10": 0.25, "recall@10": 0.5}})
    return folder / "long"


def shop() -> Path:
    """Settings for a database whose tables were taken once already, in the current folder."""
    with sqlite3.connect("shop.sqlite") as opened:
        opened.execute("CREATE TABLE ratings(user_id, item_id, behaviour, timestamp, value, text, dwell_s)")
        opened.execute(
            "INSERT INTO ratings VALUES ('user_id', 'item_id', 'behaviour', 'timestamp', 'value', 'text', 'dwell_s')"
        )
        opened.execute("INSERT INTO ratings VALUES ('u0', 'i09', 'rate', '2026-01-02', 4, 'Fine.', 3)")
    opened.close()
    source = {"folder": "sold", "database": "sqlite:///shop.sqlite", "interactions": {"table": "ratings"}}
    write_text(yaml.safe_dump({"source": source}), Path("shop.yaml"))
    assert run("data", "pull", "--params", "shop.yaml").exit_code == 0
    return Path("shop.yaml")


@pytest.fixture
def arguments(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_server: RedisServer, broker: Broker
) -> dict[str, list[str]]:
    """What each command needs in order to say something."""
    data = Path("data").absolute() if Path("data/movielens-100k").exists() else tmp_path
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_bytes((release / "params.yaml").read_bytes())
    write_release(Path("other"), {"a.txt": Path("params.yaml")}, versions={}, metrics={})
    Path("shop").mkdir()
    WRITERS["retailrocket"](Path("shop"))
    registry, of = Registry(Path("releases")), ["--release", str(release)]
    ids = [registry.add(folder) for folder in (Path("other"), release)]
    for each in ids:
        registry.promote(each)
    TokenFile(Path("tokens.jsonl")).create("web", ["read", "write"])
    broker.send("of-a-command", '{"user_id": "u0", "item_id": "i09", "behaviour": "view"}')
    return {
        "user": ["u0", *of],
        "recommend": ["u0", *of],
        "correct": ["u0", "pin", "topic-1", "--by", "anna", *of],
        "recommend-all": ["lists.csv", *of],
        "similar-users": ["u0", *of],
        "audience": ["i09", *of],
        "hot-topics": ["u0", *of],
        "brands": ["u2", *of],
        "search": ["like [director's cut]", *of],
        "themes": ["--level", "topic", *of],
        "data list": [],
        "data fetch": ["movielens-100k", "--folder", str(data)],
        "data use": ["stack-exchange"],
        "data pull": ["--params", str(shop())],
        "consume redis": [redis_server.url, "of-a-command", "--journal", "journal.sqlite", "--once"],
        "consume kafka": [broker.servers, "of-a-command", "--journal", "journal.sqlite", "--once"],
        "init": ["shop", "--dry-run"],
        "model list": [],
        "model fetch": ["all-minilm-l6-v2"],
        "model use": ["multilingual-e5-small"],
        "release list": [],
        "release add": [str(release)],
        "release promote": ids[:1],
        "release rollback": [],
        "release shadow": ids[:1],
        "token create": ["shop", "--scope", "read", "--file", "tokens.jsonl"],
        "token list": ["--file", "tokens.jsonl"],
        "token revoke": ["web", "--file", "tokens.jsonl"],
        "doctor": [],
        "next": [],
    }


def run(*arguments: str, columns: int = 80) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": str(columns)})


def document(printed: str) -> Any:
    """The one JSON document that was printed; NaN and Infinity, which JSON has not, are refused."""
    return json.loads(printed, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def told(content: Any) -> Iterator[str]:
    """What a document calls things and why it holds them."""
    if isinstance(content, list):
        for inner in content:
            yield from told(inner)
    elif isinstance(content, dict):
        yield from (content[field] for field in ("name", "because", "text", "what") if content.get(field))
        yield from told([*content.values()])


def assert_fits(arguments: list[str], columns: int) -> None:
    """Wrapped, the same words come in the same order as where there is room for everything."""
    shown = run(*arguments, columns=columns).stdout
    assert shown.split() == run(*arguments, columns=2_000).stdout.split()
    assert [line for line in shown.splitlines() if cell_len(line) > columns or line.endswith(" ")] == []


@pytest.mark.parametrize(
    "words", [pytest.param(words, marks=[pytest.mark.slow] * (words in FETCHING)) for words in COMMANDS]
)
def test_every_command_prints_one_json_document(words: str, arguments: dict[str, list[str]]) -> None:
    assert words in arguments, f"say above how to run `strata {words}`"
    done = run(*words.split(), *arguments[words], "--json")
    content = document(done.stdout)
    assert content
    assert done.exit_code == (0 if content.get("sound", True) else 1), done.output


@pytest.mark.parametrize("words", DRAWING)
def test_people_read_what_the_document_says(words: str, arguments: dict[str, list[str]]) -> None:
    said = list(told(document(run(*words.split(), *arguments[words], "--json").stdout)))
    assert said or words == "release list"
    wide = run(*words.split(), *arguments[words], "--wide").stdout
    assert [text for text in said if text not in wide] == []


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("words", DRAWING)
def test_no_word_is_broken_or_cut_at_any_width(words: str, columns: int, arguments: dict[str, list[str]]) -> None:
    assert_fits([*words.split(), *arguments[words]], columns)


def test_a_wide_table_has_each_row_on_one_line(arguments: dict[str, list[str]]) -> None:
    title, header, *rows = run("recommend", *arguments["recommend"], "--wide").stdout.splitlines()
    items = document(run("recommend", *arguments["recommend"], "--json").stdout)["items"]
    assert title == "Recommended to user u0"
    assert header.split() == ["place", "item", "id", "because"]
    assert len(rows) == len(items) > 3
    for line, item in zip(rows, items, strict=True):
        assert line.index(item["title"]) == header.index("item")
        assert line.endswith(f"{item['item_id']}  {item['reason']['text']}")


def test_an_error_is_one_line_beside_an_empty_document(arguments: dict[str, list[str]]) -> None:
    refused = run("user", "nobody", *arguments["user"][1:], "--json")
    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith("UnknownId: user 'nobody' is not among the 4 users")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.slow
def test_real_films_fit_into_80_columns(release_folder: Path) -> None:
    of = ["--release", str(release_folder)]
    user = load_recommender(release_folder).richest_user()
    for command in ("user", "recommend", "similar-users", "hot-topics"):
        assert_fits([command, user, *of], 80)
    assert_fits(["user", user, "--timeline", *of], 80)
    assert_fits(["themes", "--level", "topic", *of], 80)
    assert_fits(["audience", "50", *of], 80)
    spoken = ["audience", "--text", "space opera [for] children", *of]
    assert_fits(spoken, 80)
    assert document(run(*spoken, "--json").stdout)["text"] == "space opera [for] children"
