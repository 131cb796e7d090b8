"""`strata init` writes settings that are sure, asks about the others, and leaves alone what a person changed."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from benchmarks.init.__main__ import WRITERS
from strata.cli.app import app
from strata.data.sources.adapters import SourceSettings, read_source

PARAMS = Path("params.yaml").read_text(encoding="utf-8")
AMBIGUOUS = "customer_id,sku,order_date\n" + "".join(f"{n % 7},{n % 23},0{n % 9 + 1}/05/2020\n" for n in range(60))


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's root with params.yaml, and films.org: a folder elsewhere with MovieLens ratings."""
    root, films = tmp_path / "project", tmp_path / "films"
    root.mkdir()
    films.mkdir()
    WRITERS["movielens-latest-small"](films)
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    monkeypatch.chdir(root)
    return root


def init(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, ["init", *arguments], input=answers, env={"COLUMNS": "80"})


def settings() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    return found


def test_sure_settings_are_written_and_files_are_placed() -> None:
    done = init("../films", "--yes")
    assert done.exit_code == 0, done.output
    assert settings()["source"] == {
        "folder": "data/films",
        "interactions": {
            "file": "ratings.csv",
            "columns": {"user_id": "userId", "item_id": "movieId", "timestamp": "timestamp", "value": "rating"},
            "constants": {"behaviour": "rate"},
            "time_unit": {"timestamp": "s"},
        },
        "items": {
            "file": "movies.csv",
            "columns": {"item_id": "movieId", "title": "title", "categories": "genres"},
            "separator": "|",
            "missing": ["NULL", "\\N", "nan", "NaN", "None", "null", "NA", "(no genres listed)"],
        },
    }
    assert settings()["cleaning"]["rating"].items() >= {"lowest": 0.5, "highest": 5.0, "neutral": 2.5}.items()
    text = Path("params.yaml").read_text(encoding="utf-8")
    assert text[text.index("\nsplit:") :] == PARAMS[PARAMS.index("\nsplit:") :]
    assert "# A rating's weight runs from -1 to 1" in text
    assert Path("data/films/ratings.csv").samefile("../films/ratings.csv")
    assert not Path("data/films/links.csv").exists()
    assert "Next: dvc repro" in done.output


def test_again_nothing_changes_and_a_persons_changes_stay() -> None:
    init("../films", "--yes")
    written = Path("params.yaml").read_text(encoding="utf-8")
    assert "params.yaml: nothing changed" in init("../films", "--yes").output
    assert Path("params.yaml").read_text(encoding="utf-8") == written
    edited = written.replace("title: title", "title: title  # mine").replace("categories: genres", "tags: genres")
    Path("params.yaml").write_text(edited, encoding="utf-8")
    done = init("../films", "--yes")
    assert Path("params.yaml").read_text(encoding="utf-8") == edited
    assert "kept as you changed it: source.items.columns.tags: genres" in done.output
    more = init("../films", "--yes", "--set", "interactions.missing=[x]")
    assert "1 settings written" in more.output
    assert settings()["source"]["interactions"]["missing"] == ["x"]
    assert settings()["source"]["items"]["columns"] == {"item_id": "movieId", "title": "title", "tags": "genres"}


def test_with_yes_what_is_unsure_ends_with_two_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(AMBIGUOUS)
    refused = init(str(tmp_path / "orders.csv"), "--yes")
    assert refused.exit_code == 2
    assert "interactions.time_format.timestamp: no value tells day from month" in refused.output
    assert Path("params.yaml").read_text(encoding="utf-8") == PARAMS
    assert [each.name for each in Path().iterdir()] == ["params.yaml"]


@pytest.mark.parametrize(
    ("answers", "form"), [("1\ny\n", "%d/%m/%Y"), ("2\ny\n", "%m/%d/%Y"), ("%m/%d/%Y\n\n", "%m/%d/%Y")]
)
def test_only_what_is_unsure_is_asked(answers: str, form: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(AMBIGUOUS)
    done = init(str(tmp_path / "orders.csv"), answers=answers)
    assert done.exit_code == 0, done.output
    assert settings()["source"]["interactions"]["time_format"] == {"timestamp": form}


@pytest.mark.parametrize(
    ("answers", "user", "item"),
    [("a\na\na\npurchase\ny\n", "1", "3"), ("2\n3\n1\npurchase\ny\n", "3", "1"), ("\nb\n1\npurchase\ny\n", "3", "1")],
)
def test_a_column_that_is_called_by_its_number_is_no_place_in_the_list(
    answers: str, user: str, item: str, tmp_path: Path
) -> None:
    rows = "".join(f"{n % 17},{n % 28 + 1:02}-05-2015,{('milk', 'rolls', 'fruit')[n % 3]} {n % 7}\n" for n in range(90))
    (tmp_path / "groceries.csv").write_text(rows)
    done = init(str(tmp_path / "groceries.csv"), answers=answers)
    assert done.exit_code == 0, done.output
    assert settings()["source"]["interactions"]["columns"] == {"timestamp": "2", "user_id": user, "item_id": item}


def test_of_two_logs_the_one_that_is_answered_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    for name, first in (("ratings.csv", 1), ("reviews.csv", 500)):
        rows = "".join(f"{n % 7},{n % 23 + first},{n % 5 + 1},13000{n:05}\n" for n in range(90))
        (folder / name).write_text(f"user_id,item_id,rating,timestamp\n{rows}")
    for answer, file in (("1", "reviews.csv"), ("2", "ratings.csv")):
        done = init(str(folder), "--name", f"two-{answer}", answers=f"{answer}\ny\n")
        assert done.exit_code == 0, done.output
        assert settings()["source"]["interactions"]["file"] == file
        assert Path(f"data/two-{answer}", file).is_file()


def test_who_does_not_confirm_writes_nothing() -> None:
    assert init("../films", answers="n\n").exit_code == 1
    assert Path("params.yaml").read_text(encoding="utf-8") == PARAMS


def test_flags_answer_instead(tmp_path: Path) -> None:
    log = "who,what,did,stars,when\n" + "".join(
        f"{n % 7},{n % 23},{'ab'[n % 2]},{n % 4},13000{n:05}\n" for n in range(90)
    )
    (tmp_path / "log.txt").write_text(log)
    done = init(
        str(tmp_path / "log.txt"), "--yes", "--name", "mine", "--interactions", str(tmp_path / "log.txt"),
        "--column", "user_id=who", "--column", "item_id=what", "--column", "behaviour=did", "--column", "value=stars",
        "--column", "timestamp=when", "--behaviour", "a=rate", "--behaviour", "b=", "--rating", "0,3",
        "--set", "interactions.unrated={}",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = settings()["source"]["interactions"]
    assert found["columns"] == {
        "user_id": "who",
        "item_id": "what",
        "behaviour": "did",
        "value": "stars",
        "timestamp": "when",
    }
    assert found["behaviours"] == {"a": "rate", "b": None}
    assert found["time_unit"] == {"timestamp": "s"}
    assert settings()["cleaning"]["rating"].items() >= {"lowest": 0.0, "highest": 3.0, "neutral": 1.5}.items()


def test_a_file_of_another_content_is_never_replaced() -> None:
    Path("data/films").mkdir(parents=True)
    Path("data/films/movies.csv").write_text("mine")
    refused = init("../films", "--yes")
    assert refused.exit_code == 1
    assert "is another file" in refused.output
    assert Path("params.yaml").read_text(encoding="utf-8") == PARAMS
    assert Path("data/films/movies.csv").read_text() == "mine"


def test_files_within_data_stay_where_they_are() -> None:
    Path("data/own/deep").mkdir(parents=True)
    WRITERS["taobao"](Path("data/own/deep"))
    assert init("data/own", "--yes").exit_code == 0
    assert settings()["source"]["folder"] == "data/own/deep"
    assert [each.name for each in Path("data").iterdir()] == ["own"]


def test_what_would_be_refused_is_shown(tmp_path: Path) -> None:
    ratings = Path("../films/ratings.csv")
    ratings.write_text(ratings.read_text() + "7,999999,4.0,1300000000\n")
    shown = init("../films", "--dry-run")
    assert shown.exit_code == 0
    assert "item_id is not in items: 1 of 601" in shown.output
    assert Path("params.yaml").read_text(encoding="utf-8") == PARAMS


def test_what_would_stop_a_run_is_said_beforehand() -> None:
    movies = Path("../films/movies.csv")
    movies.write_text("\n".join(movies.read_text().splitlines()[:60]) + "\n")
    shown = init("../films", "--dry-run")
    assert "a run would stop" in " ".join(shown.output.split())


def test_a_folder_of_documents_is_placed_with_the_paths_that_the_log_names() -> None:
    letters = Path("../letters")
    names = [f"{place}/{n}.md" for place in ("north", "south") for n in range(8)]
    for name in names:
        (letters / name).parent.mkdir(parents=True, exist_ok=True)
        (letters / name).write_text(f"# Letter {name}\n\nWords.", encoding="utf-8")
    rows = "".join(f"u{n % 5},{names[n * n % 16]},2024-03-{n % 28 + 1:02}\n" for n in range(60))
    (letters / "reads.csv").write_text(f"reader,document,read_at\n{rows}", encoding="utf-8")
    done = init("../letters", "--yes")
    assert done.exit_code == 0, done.output
    assert "16 documents linked or copied" in done.output
    source = settings()["source"]
    assert (source["folder"], source["documents"], "items" in source) == ("data/letters", {}, False)
    assert read_source(SourceSettings.model_validate(source)).items.rows["item_id"].to_list() == names
    assert init("data/letters", "--yes").exit_code == 0
    assert settings()["source"] == source


def test_a_chinese_catalogue_gets_the_model_that_reads_it_once(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    goods = ["龙井绿茶", "正山小种红茶", "手冲咖啡壶", "不锈钢炒锅", "儿童绘本套装", "户外露营帐篷", "无线蓝牙耳机"]
    titles = [f"{goods[n % 7]} 第{n}款" for n in range(23)]
    rows = "".join(f"{n},{title},{'茶具' if n % 2 else '家居'}\n" for n, title in enumerate(titles))
    (shop / "items.csv").write_text("item_id,title,categories\n" + rows, encoding="utf-8")
    events = "".join(f"{n % 7},{n % 23},2024-01-{n % 28 + 1:02} 10:00:00,view\n" for n in range(120))
    (shop / "events.csv").write_text("user_id,item_id,timestamp,behaviour\n" + events, encoding="utf-8")
    done = init(str(shop), "--yes")
    assert done.exit_code == 0, done.output
    assert "items are not in English" in done.output
    assert settings()["encoder"]["base"] == "multilingual-e5-small"
    text = Path("params.yaml").read_text(encoding="utf-8")
    Path("params.yaml").write_text(text.replace("multilingual-e5-small  #", "all-minilm-l6-v2  #"), encoding="utf-8")
    assert init("data/shop", "--yes").exit_code == 0
    assert settings()["encoder"]["base"] == "all-minilm-l6-v2"
