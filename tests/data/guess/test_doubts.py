"""What files leave open is asked about, with the setting that answers it; what they tell is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from strata.data.guess.plan import Plan, guess
from strata.data.guess.trial import trial
from strata.data.schema import BEHAVIOURS
from strata.data.sources.adapters import SourceSettings, read_source
from strata.errors import SettingsError, SourceError
from tests.data.sources.true_formats import workbook


def rows(count: int, line: str, **values: list[Any]) -> str:
    """Lines of a log: `{u}` and `{i}` are ids, `{n}` counts, other names run through their values."""
    lines = (
        line.format(
            u=n % 7 + 1, i=n * n % 23 + 100, n=n, **{name: each[n % len(each)] for name, each in values.items()}
        )
        for n in range(count)
    )
    return "\n".join(lines) + "\n"


def of(folder: Path, answers: dict[tuple[str, ...], Any] | None = None, **files: str) -> Plan:
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8")
    return guess([folder], answers or {}, {})


def unsure(plan: Plan) -> list[str]:
    return [each.path for each in plan.unsure]


def test_days_and_months_that_no_value_tells_apart_are_asked(tmp_path: Path) -> None:
    log = "customer_id,sku,order_date\n" + rows(60, "{u},{i},{a:02}/{b:02}/2020", a=[*range(1, 13)], b=[5, 7, 11, 2, 9])
    plan = of(tmp_path, orders__csv=log)
    assert unsure(plan) == ["interactions.time_format.timestamp"]
    assert {plan.unsure[0].value, *plan.unsure[0].choices} == {"%d/%m/%Y", "%m/%d/%Y"}
    told = of(tmp_path, {("interactions", "time_format", "timestamp"): "%m/%d/%Y"})
    assert unsure(told) == []
    assert told.source["interactions"]["time_format"] == {"timestamp": "%m/%d/%Y"}


@pytest.mark.parametrize(("day", "form"), [("{a:02}/01/2020", "%d/%m/%Y"), ("01/{a:02}/2020", "%m/%d/%Y")])
def test_one_impossible_value_tells_them_apart(day: str, form: str, tmp_path: Path) -> None:
    log = "customer_id,sku,order_date\n" + rows(60, f"{{u}},{{i}},{day}", a=[1, 2, 3, 4, 25])
    assert of(tmp_path, orders__csv=log).source["interactions"]["time_format"] == {"timestamp": form}


def test_the_end_of_a_large_file_is_looked_at(tmp_path: Path) -> None:
    early = rows(20_000, "{u},{i},0{a}/01/2020," + "x" * 1_000, a=[1, 2, 3])
    late = rows(100, "{u},{i},31/01/2020,x")
    plan = of(tmp_path, orders__csv=f"customer_id,sku,order_date,note\n{early}{late}")
    assert not plan.tables["interactions"].whole
    assert plan.source["interactions"]["time_format"] == {"timestamp": "%d/%m/%Y"}
    assert "interactions.time_format.timestamp" not in unsure(plan)


def test_numbers_of_users_and_items_without_a_header_are_not_told_apart(tmp_path: Path) -> None:
    log = rows(80, "{u},{i},{r},13000{n:05}", r=[1, 2, 3, 4, 5])
    plan = of(tmp_path, log__csv=log)
    assert unsure(plan) == ["interactions.columns.user_id", "interactions.columns.item_id"]


def test_ids_that_stand_in_the_items_tell(tmp_path: Path) -> None:
    items = "id,title\n" + "".join(f"{i},Film number {i}\n" for i in range(100, 123))
    log = rows(80, "{u},{i},{r},13000{n:05}", r=[1, 2, 3, 4, 5])
    plan = of(tmp_path, log__csv=log, movies__csv=items)
    assert unsure(plan) == []
    assert plan.source["items"]["columns"] == {"item_id": "id", "title": "title"}


def test_documents_that_the_log_names_by_their_paths_are_its_items(tmp_path: Path) -> None:
    inside = [f"{kind}/{n:02}.{form}" for kind in ("sea", "hill") for n, form in enumerate(("md", "txt", "html") * 4)]
    for place, name in enumerate(inside):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"Text {place}\n\nOf a day.", encoding="utf-8")
    log = "reader,document,read_at\n" + rows(80, "{u},{d},2024-05-01 10:00:{a}", d=[*inside, "gone.md"], a=[10, 20])
    plan = of(tmp_path, reads__csv=log)
    assert unsure(plan) == []
    assert plan.source == {
        "documents": {},
        "interactions": {
            "file": "reads.csv",
            "columns": {"user_id": "reader", "item_id": "document", "timestamp": "read_at"},
            "constants": {"behaviour": "view"},
        },
    }
    assert plan.papers is not None
    assert list(plan.papers.files) == sorted(inside)
    assert plan.unused == {}
    tried = trial(plan.tables, plan.source, {"weights": dict.fromkeys(BEHAVIOURS, 1.0)})
    assert (tried.faults, tried.stop, tried.refused["interactions"]) == ({}, None, {})


def test_a_folder_of_documents_alone_is_told_where_it_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="12 documents such as note00.md: docs/data.md"):
        of(tmp_path, **{f"note{n:02}__md": "# A note" for n in range(12)})


def test_tables_whose_endings_are_those_of_documents_are_tables(tmp_path: Path) -> None:
    line = '{{"user_id": "u{u}", "item_id": "i{i}", "stars": {s}, "date": "2024-05-0{s}"}}'
    parts = {f"review-{n:02}__jsonl": rows(20, line, s=[1, 2, 3, 4, 5]) for n in range(12)}
    plan = of(tmp_path, **parts)
    assert plan.papers is None
    assert len(plan.tables["interactions"].paths) == 12


def test_ratings_to_ten_that_lie_as_those_of_movielens_are_known_by_their_form(tmp_path: Path) -> None:
    films = "".join(f"{i}::Film number {i} (1990)::Comedy|Drama\n" for i in range(100, 123))
    log = rows(600, "{u}::{i}::{r}::13000{n:05}", r=[*range(1, 11)])
    plan = of(tmp_path, ratings__dat=log, movies__dat=films)
    assert unsure(plan) == []
    assert plan.cleaning["rating"] == {"lowest": 1, "highest": 10, "neutral": 5.5}


def test_an_unknown_name_of_a_behaviour_is_asked_about(tmp_path: Path) -> None:
    log = "user_id,item_id,event,ts\n" + rows(60, "{u},{i},{e},13000{n:05}", e=["view", "view", "cart", "wiggle"])
    plan = of(tmp_path, events__csv=log)
    assert unsure(plan) == ["interactions.behaviours.wiggle"]
    assert plan.source["interactions"]["behaviours"] == {"cart": "add-to-cart", "wiggle": None}


@pytest.mark.parametrize(
    ("values", "scale", "asked"),
    [
        ([1, 2, 3, 4, 5], (1, 5), False),
        ([1, 2, 3, 4], (1, 5), True),
        ([2, 4, 5, 7, 8, 9, 10], (1, 10), False),
        ([2, 4, 5, 7, 8], (1, 10), True),
        ([*range(101)], (0, 100), False),
        ([0, 1], (0, 1), True),
    ],
)
def test_a_scale_is_concluded_from_its_ends_or_asked(
    values: list[int], scale: tuple[int, int], asked: bool, tmp_path: Path
) -> None:
    log = "user_id,item_id,rating,ts\n" + rows(303, "{u},{i},{r},13000{n:05}", r=values)
    plan = of(tmp_path, ratings__csv=log)
    assert (plan.cleaning["rating"]["lowest"], plan.cleaning["rating"]["highest"]) == scale
    assert bool(unsure(plan)) == asked


def test_zeros_that_are_a_mass_of_their_own_are_no_ratings(tmp_path: Path) -> None:
    many = "user_id,item_id,rating,ts\n" + rows(240, "{u},{i},{r},13000{n:05}", r=[0, 0, 0, 0, 0, 1, 2, 3, 4, 5])
    plan = of(tmp_path, ratings__csv=many)
    assert plan.source["interactions"]["unrated"] == {0: "view"}
    assert unsure(plan) == []
    few = "user_id,item_id,rating,ts\n" + rows(240, "{u},{i},{r},13000{n:05}", r=[0, 1, 2, 3, 4, 5])
    assert "interactions.unrated" in unsure(of(tmp_path, ratings__csv=few))
    for said in ({}, None, "refuse"):  # whatever is answered
        plan = of(tmp_path, {("interactions", "unrated"): said})
        assert plan.cleaning["rating"]["lowest"] == 0
        assert unsure(plan) == []


def test_without_known_names_everything_is_asked(tmp_path: Path) -> None:
    plan = of(tmp_path, a__csv="c1,c2,c3\n" + rows(60, "{u},{i},2020-01-0{d}", d=[1, 2, 3]))
    asked = unsure(plan)
    assert {"interactions.columns.user_id", "interactions.columns.item_id", "interactions.columns.timestamp"} <= {
        *asked
    }


def test_a_column_of_times_with_an_odd_name_is_no_data_without_times(tmp_path: Path) -> None:
    plan = of(
        tmp_path, ratings__csv="user_id,movie_id,rating,noted\n" + rows(60, "{u},{i},{r},2020-01-0{r}", r=[1, 3, 5])
    )
    assert unsure(plan) == ["interactions.columns.timestamp"]
    assert plan.source["interactions"]["columns"]["timestamp"] == "noted"


def test_an_order_number_is_offered_as_time(tmp_path: Path) -> None:
    plan = of(tmp_path, orders__csv="user_id,product_id,order_number\n" + rows(60, "{u},{i},{n}"))
    assert unsure(plan) == ["interactions.columns.timestamp"]
    assert plan.source["interactions"]["time"] == "order"
    none = of(tmp_path, {("interactions", "columns", "timestamp"): None})
    assert none.source["interactions"]["time"] == "none"


def test_a_day_and_its_clock_in_two_columns_are_one_time(tmp_path: Path) -> None:
    log = "user_id,item_id,rating,date,time\n" + rows(60, "{u},{i},{r},{d}/02/2020,0{r}:30", r=[1, 3, 5], d=[1, 14, 28])
    settings = of(tmp_path, ratings__csv=log).source["interactions"]
    assert settings["columns"]["timestamp"] == ["date", "time"]
    assert settings["time_format"] == {"timestamp": "%d/%m/%Y %H:%M"}


@pytest.mark.parametrize(
    ("header", "line", "columns", "form"),
    [
        ("day,month,year", "{a},{b},2009", ["year", "month", "day"], "%Y %m %d"),
        ("Year,Month,Day", "2009,{c},{a}", ["Year", "Month", "Day"], "%Y %B %d"),
        (
            "date_day,date_month,date_year,date_hour,date_minute,date_second",
            "{a},{b},2006,{b},{a},5",
            ["date_year", "date_month", "date_day", "date_hour", "date_minute", "date_second"],
            "%Y %m %d %H %M %S",
        ),
    ],
)
def test_parts_of_a_time_in_columns_of_their_own_are_one_time(
    header: str, line: str, columns: list[str], form: str, tmp_path: Path
) -> None:
    several = {"a": [1, 14, 28, 9], "b": [11, 2, 5], "c": ["Jan", "Oct", "May"]}
    plan = of(
        tmp_path, ratings__csv=f"userID,itemID,rating,{header}\n" + rows(60, f"{{u}},{{i}},{{n}},{line}", **several)
    )
    settings = plan.source["interactions"]
    assert (settings["columns"]["timestamp"], settings["time_format"]) == (columns, {"timestamp": form})
    assert not {"interactions.columns.timestamp", "interactions.time"} & set(unsure(plan))
    read = read_source(SourceSettings(folder=tmp_path, **plan.source)).interactions.rows["timestamp"]
    assert read.null_count() == 0
    assert read.dt.day()[:4].to_list() == several["a"]


@pytest.mark.parametrize("header", ["birth year,birth month,birth day", "year,month,week"])
def test_other_days_than_those_of_events_are_no_parts_of_their_time(header: str, tmp_path: Path) -> None:
    log = f"user_id,item_id,rating,{header}\n" + rows(60, "{u},{i},{r},1990,{m},{d}", r=[1, 5], m=[1, 11], d=[3, 25])
    columns = of(tmp_path, ratings__csv=log).source["interactions"]["columns"]
    assert not isinstance(columns.get("timestamp"), list)


@pytest.mark.parametrize("indent", [None, 1])
def test_rows_that_an_object_holds_are_found(indent: int | None, tmp_path: Path) -> None:
    bought = [{"customer_id": n % 7, "sku": n % 11, "order_date": f"2020-01-{n % 28 + 1:02}"} for n in range(60)]
    page = {"status": "ok", "page": {"of": [1, 2], "rows": bought}}
    plan = of(tmp_path, orders__json=json.dumps(page, indent=indent))
    assert plan.source["interactions"]["records"] == "page.rows"
    assert unsure(plan) == []
    assert read_source(SourceSettings(folder=tmp_path, **plan.source)).interactions.height == 60


def test_a_decimal_comma_is_seen(tmp_path: Path) -> None:
    log = "user_id;item_id;rating;date\n" + rows(60, "{u};{i};{r};2020-01-02", r=["1,5", "3,0", "5,0", "4,5"])
    settings = of(tmp_path, ratings__csv=log).source["interactions"]
    assert (settings["delimiter"], settings["decimal"], settings["columns"]["value"]) == (";", ",", "rating")


def test_ids_of_two_files_that_differ_by_zeros_meet_as_numbers(tmp_path: Path) -> None:
    items = "article_id,title\n" + "".join(f"{i:010},Sock number {i}\n" for i in range(100, 123))
    plan = of(
        tmp_path,
        articles__csv=items,
        transactions__csv="customer_id,article_id,t_dat\n" + rows(60, "{u},{i},2020-01-02"),
    )
    assert plan.source["interactions"]["number_ids"] is plan.source["items"]["number_ids"] is True


def test_what_changes_with_a_row_tells_nothing_of_its_item(tmp_path: Path) -> None:
    log = "user_id,item_id,rating,ts,title\n" + rows(90, "{u},{i},{r},13000{n:05},My verdict no. {n}", r=[1, 3, 5])
    assert "items" not in of(tmp_path, reviews__csv=log).source


def test_objects_in_cells_are_looked_into(tmp_path: Path) -> None:
    line = '{{"user": {{"id": "u{u}"}}, "item_id": "{i}", "time": "2020-01-02", "rating": {{"overall": {r}}}}}'
    settings = of(tmp_path, log__jsonl=rows(60, line, r=[1, 2, 3, 4, 5])).source["interactions"]
    assert settings["columns"] == {
        "user_id": "user.id", "item_id": "item_id", "timestamp": "time", "value": "rating.overall"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "text", "asked"),
    [
        ("utf-8", "Café ñandú", False),
        ("latin-1", "Bücher für Männer é", False),
        ("gb18030", "中文书名很多字", True),
    ],
)
def test_encodings_are_told_or_asked(encoding: str, text: str, asked: bool, tmp_path: Path) -> None:
    items = "item_id,title\n" + "".join(f"{i},{text} {i}\n" for i in range(100, 123))
    (tmp_path / "items.csv").write_bytes(items.encode(encoding))
    plan = of(tmp_path, ratings__csv="user_id,item_id,rating,date\n" + rows(60, "{u},{i},{r},2020-01-02", r=[1, 3, 5]))
    assert ("items.encoding" in unsure(plan)) == asked
    if not asked:
        assert plan.source["items"].get("encoding", "utf-8") == encoding


def test_two_logs_of_one_kind_are_not_chosen_between(tmp_path: Path) -> None:
    log = "user_id,item_id,rating,ts\n" + rows(60, "{u},{i},{r},13000{n:05}", r=[1, 3, 5])
    plan = of(tmp_path, train__csv=log, test__csv=log)
    assert unsure(plan) == ["interactions.file"]


def test_files_that_hold_nothing_of_use_are_told_with_their_columns(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no file looks like interactions.*numbers\.csv: a, b"):
        of(tmp_path, numbers__csv="a,b\n1.5,2.5\n2.5,3.5\n")
    with pytest.raises(SourceError, match="does not exist"):
        guess([tmp_path / "nothing.csv"], {}, {})


def test_codes_of_behaviours_are_asked_about_one_by_one(tmp_path: Path) -> None:
    log = "user_id,item_id,behavior_type,ts\n" + rows(60, "{u},{i},{c},13000{n:05}", c=[1, 1, 2, 3])
    plan = of(tmp_path, buys__csv=log)
    assert plan.source["interactions"]["columns"]["behaviour"] == "behavior_type"
    assert {*unsure(plan)} == {f"interactions.behaviours.{code}" for code in (1, 2, 3)}


def test_rows_that_say_whether_they_were_clicked_are_not_all_clicks(tmp_path: Path) -> None:
    plan = of(tmp_path, clicks__csv="user_id,item_id,click,ts\n" + rows(60, "{u},{i},{c},13000{n:05}", c=[0, 0, 1]))
    assert unsure(plan) == ["interactions.constants.behaviour"]
    assert "value" not in plan.source["interactions"]["columns"]


@pytest.mark.parametrize(
    ("name", "cells"), [("rating", ["5 stars", "1 star"]), ("timestamp", ["2014-12-06 02", "2014-12-07 03"])]
)
def test_a_known_name_with_values_of_no_known_form_is_asked_about(name: str, cells: list[str], tmp_path: Path) -> None:
    log = f"user_id,item_id,{name},comment\n" + rows(60, "{u},{i},{c},words", c=cells)
    ours = {"rating": "value"}.get(name, name)
    plan = of(tmp_path, reviews__csv=log)
    found = next(each for each in plan.unsure if each.path == f"interactions.columns.{ours}")
    assert found.value is None
    assert repr(cells[0]) in found.why


LIBRARY = {
    "loans__csv": "reader;book;when;what\n"
    + rows(80, "r{u};{i:04};{d}/11/2024 10:15;{w}", d=[13, 14, 25], w=["borrowed", "reserved"]),
    "books__csv": "number;name;shelf\n" + "".join(f"{n:04};Book {n} of the sea;Nature\n" for n in range(100, 123)),
}
"""Files whose columns have names of their own."""


def test_a_file_that_holds_the_ids_of_the_log_is_offered_as_its_items(tmp_path: Path) -> None:
    plan = of(tmp_path, **LIBRARY)
    assert plan.tables["items"].file == "books.csv"
    assert plan.source["items"]["columns"] == {"item_id": "number", "title": "name"}
    assert "items.file" in unsure(plan)
    assert "items" not in of(tmp_path, {("items", "file"): None}).source


def test_a_few_words_of_no_known_name_may_be_behaviours(tmp_path: Path) -> None:
    asked = ["columns.behaviour", "behaviours.borrowed", "behaviours.reserved"]
    plan = of(tmp_path, **LIBRARY)
    assert set(unsure(plan)) >= {f"interactions.{each}" for each in asked}
    told = {("interactions", "columns", "behaviour"): None, ("interactions", "constants", "behaviour"): "purchase"}
    assert of(tmp_path, told).source["interactions"]["constants"] == {"behaviour": "purchase"}


LOG = "user_id,item_id,rating,ts\n" + rows(80, "{u},{i},{r},13000{n:05}", r=[1, 2, 3, 4, 5])


def catalogue(column: str, *cells: str) -> str:
    lines = [f"{i},Film number {i},{cells[i % len(cells)]}" for i in range(100, 123)]
    return "\n".join([f"item_id,title,{column}", *lines]) + "\n"


def test_cells_whose_every_quotation_mark_is_doubled_are_quoted(tmp_path: Path) -> None:
    listed = catalogue("genres", '"[""Drama"", ""Sea""]"', '"[""War"", ""Sea""]"')
    plan = of(tmp_path, ratings__csv=LOG, movies__csv=listed)
    assert unsure(plan) == []
    assert "quoted" not in plan.source["items"]


@pytest.mark.parametrize(
    ("cells", "separator", "asked"),
    [
        (["Drama::Sea", "War::Sea", "Drama"], "::", False),
        (["Drama~Sea", "War~Sea", "Drama"], "~", False),
        (["Drama · Sea", "War · Sea", "Drama"], " · ", False),
        (["[Drama|Sea]", "[War|Sea]", "[Drama]"], "|", False),
        (["Drama - Sea", "War - Sea", "Drama"], " - ", True),
        (["Drama & Sea", "War & Sea", "Drama"], " & ", True),
        (["Food & Drink", "Health & Beauty", "Toys"], None, False),
        (["Science Fiction", "Science", "Drama"], None, False),
        (["Science Fiction", "Historical Fiction", "Science Podcasts"], None, False),
        (["#drama#sea", "#war#sea", "#drama"], "#", False),
        (["#drama #sea", "#war #sea", "#drama"], "#", False),
        (["Drama Sea", "Sea War", "War Drama"], " ", True),
        (["C#", "F#", "C# Java"], None, False),
    ],
)
def test_what_divides_categories_is_concluded_or_asked(
    cells: list[str], separator: str | None, asked: bool, tmp_path: Path
) -> None:
    plan = of(tmp_path, ratings__csv=LOG, movies__csv=catalogue("genres", *cells))
    assert plan.source["items"].get("separator") == separator
    assert unsure(plan) == ["items.separator"] * asked


def test_categories_and_tags_may_be_divided_by_different_marks(tmp_path: Path) -> None:
    listed = catalogue("genres,tags", '"Drama, Sea",#a#b', '"War, Sea",#c#b', "Drama,#a")
    plan = of(tmp_path, ratings__csv=LOG, movies__csv=listed)
    assert plan.source["items"]["separator"] == {"categories": ", ", "tags": "#"}
    items = read_source(SourceSettings(folder=tmp_path, **plan.source)).items.rows
    assert items.select("categories", "tags").row(0) == (["War", "Sea"], ["c", "b"])
    told = of(tmp_path, {("items", "separator"): ","})
    assert told.source["items"]["separator"] == ","


def test_numbered_columns_are_one_list(tmp_path: Path) -> None:
    plan = of(
        tmp_path, ratings__csv=LOG, movies__csv=catalogue("genre_1,genre_2,tag1,tag2", "Drama,Sea,a,b", "War,,,c")
    )
    assert plan.source["items"]["columns"]["categories"] == ["genre_1", "genre_2"]
    assert plan.source["items"]["columns"]["tags"] == ["tag1", "tag2"]


@pytest.mark.parametrize(("yes", "no"), [("Y", "N"), ("yes", "no"), ("x", ""), ("1", "0")])
def test_flags_of_any_words_may_be_categories(yes: str, no: str, tmp_path: Path) -> None:
    cells = [f"{yes},{no},{yes},{no}", f"{no},{yes},{no},{yes}"]
    plan = of(tmp_path, ratings__csv=LOG, movies__csv=catalogue("Drama,Sea,War,Comedy", *cells))
    assert plan.source["items"]["flags"] == {"categories": ["Drama", "Sea", "War", "Comedy"]}
    assert unsure(plan) == ["items.flags.categories"]


@pytest.mark.parametrize(
    ("prices", "settings", "asked"),
    [
        (["34.750", "12.500", "9.250"], {"thousands": ".", "decimal": ","}, True),
        (['"34,750"', '"12,500"', '"9,250"'], {"thousands": ","}, False),
        (['"2,750"', '"1,500"', '"9,250"'], {"thousands": ","}, True),
        (["1'250.50", "12.00"], {"thousands": "'"}, False),
        (["34.75", "12.5", "9.25"], {}, False),
        (["0.125", "0.250", "1.500"], {}, False),
    ],
)
def test_groups_of_thousands_are_concluded_or_asked(
    prices: list[str], settings: dict[str, str], asked: bool, tmp_path: Path
) -> None:
    plan = of(tmp_path, ratings__csv=LOG, movies__csv=catalogue("price", *prices))
    assert {k: v for k, v in plan.source["items"].items() if k in ("thousands", "decimal")} == settings
    assert unsure(plan) == ["items.thousands"] * asked


@pytest.mark.parametrize("nobody", ["(null)", "anonymous", "#N/A", "-"])
def test_whether_an_id_is_nobody_is_asked(nobody: str, tmp_path: Path) -> None:
    plan = of(tmp_path, ratings__csv=LOG + f"{nobody},100,3,1300000000\n" * 2)
    assert unsure(plan) == ["interactions.missing"]
    assert plan.source["interactions"]["missing"][-1] == nobody
    assert unsure(of(tmp_path, {("interactions", "missing"): []}, ratings__csv=LOG)) == []


@pytest.mark.parametrize("mark", [" ", "~", "#"])
def test_rare_delimiters_are_found_where_no_usual_one_is(mark: str, tmp_path: Path) -> None:
    plan = of(tmp_path, ratings__csv=LOG.replace(",", mark))
    assert plan.source["interactions"]["delimiter"] == mark
    assert unsure(plan) == []


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_text_of_wide_characters_without_a_mark_is_known(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_bytes(LOG.encode(encoding))
    plan = guess([tmp_path], {}, {})
    assert plan.source["interactions"]["encoding"] == encoding
    assert unsure(plan) == []


def test_ticks_that_count_from_the_year_1_are_asked_about(tmp_path: Path) -> None:
    log = "user_id,item_id,rating,ts\n" + rows(80, "{u},{i},{r},63713434380000{n:04}", r=[1, 2, 3, 4, 5])
    assert unsure(of(tmp_path, ratings__csv=log)) == ["interactions.time_unit.timestamp"]


def test_quotation_marks_around_several_lines_are_seen(tmp_path: Path) -> None:
    note = '"line one\nline ""two"""'
    log = "user_id,item_id,rating,ts,text\n" + rows(80, f"{{u}},{{i}},{{r}},13000{{n:05}},{note}", r=[1, 2, 3, 4, 5])
    plan = of(tmp_path, reviews__csv=log)
    assert unsure(plan) == []
    assert "quoted" not in plan.source["interactions"]


@pytest.mark.parametrize(("mark", "end"), [(",", ""), (" ", " "), (";", "")])
def test_lines_that_are_baskets_are_told_where_it_is_explained(mark: str, end: str, tmp_path: Path) -> None:
    things = ["milk", "rolls", "fruit", "soda", "beef", "39", "48"]
    lines = (mark.join(things[(n * k) % 7] for k in range(1, n % 5 + 2)) + end for n in range(90))
    with pytest.raises(SourceError, match=r"its lines are lists divided by .*docs/data.md says under Baskets"):
        of(tmp_path, groceries__csv="\n".join(lines))


def test_a_mark_in_every_title_is_no_delimiter_where_the_header_lacks_it(tmp_path: Path) -> None:
    titles = "item_id,title\n" + "".join(f"{i},Salt &amp; Sea {i}\n" for i in range(100, 123))
    plan = of(tmp_path, ratings__csv=LOG, movies__csv=titles)
    assert unsure(plan) == []
    assert "delimiter" not in plan.source["items"]


def test_a_title_above_the_header_is_no_header(tmp_path: Path) -> None:
    plan = of(tmp_path, ratings__csv="Export of ratings,,,\n" + LOG)
    assert unsure(plan) == []
    assert plan.source["interactions"]["skip_lines"] == 1


def test_items_within_objects_are_read_from_the_log(tmp_path: Path) -> None:
    lines = [
        {
            "user": {"id": n % 7},
            "item": {"id": n * n % 23, "title": f"Film number {n * n % 23}"},
            "ts": 1_300_000_000 + n,
        }
        for n in range(60)
    ]
    (tmp_path / "views.jsonl").write_text("\n".join(map(json.dumps, lines)))
    plan = guess([tmp_path], {}, {})
    assert unsure(plan) == []
    assert plan.source["items"]["columns"] == {"item_id": "item.id", "title": "item.title"}
    read = read_source(SourceSettings.model_validate({"folder": tmp_path, **plan.source}))
    assert dict(read.items.rows.select("item_id", "title").rows()) == {
        str(n * n % 23): f"Film number {n * n % 23}" for n in range(23)
    }


def test_sheets_of_a_workbook_are_tables_of_their_own(tmp_path: Path) -> None:
    films = [("item_id", "title"), *((i, f"Film number {i}") for i in range(100, 123))]
    log = [("user_id", "item_id", "rating", "ts"),
           *((n % 7 + 1, n * n % 23 + 100, n % 5 + 1, 1_300_000_000 + n) for n in range(80))]  # fmt: skip
    workbook(tmp_path / "shop.xlsx", {"films": films, "rated": log, "notes": [("a", "b"), (1, 2)]})
    plan = guess([tmp_path], {}, {})
    assert unsure(plan) == []
    assert (plan.source["interactions"]["sheet"], plan.source["items"]["sheet"]) == ("rated", "films")
    assert list(plan.unused) == ["shop.xlsx, sheet notes"]
    workbook(tmp_path / "shop.xlsx", {"2020": log, "2021": log, "films": films})
    asked = guess([tmp_path], {}, {})
    assert unsure(asked) == ["interactions.sheet"]
    told = guess([tmp_path], {("interactions", "sheet"): "2021"}, {})
    assert unsure(told) == []
    assert (told.source["interactions"]["sheet"], told.source["items"]["sheet"]) == ("2021", "films")


@pytest.mark.parametrize("ending", ["parquet", "xlsx"])
def test_a_file_that_is_not_what_its_ending_says_is_told(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"ratings.{ending}").write_text(LOG)
    with pytest.raises(SourceError, match=r"ratings\.\w+ is not a readable (Parquet file|workbook)"):
        guess([tmp_path], {}, {})


def test_a_matrix_of_users_and_items_is_asked_about(tmp_path: Path) -> None:
    header = ",".join(["user_id", *(f"i{n}" for n in range(9))])
    lines = [",".join([str(user), *(str((user * n) % 5 or "") for n in range(9))]) for user in range(30)]
    plan = of(tmp_path, ratings__csv="\n".join([header, *lines]) + "\n")
    assert {"interactions.file", "interactions.columns.item_id"} <= {*unsure(plan)}


def test_orders_that_did_not_come_about_are_asked_about(tmp_path: Path) -> None:
    log = "customer_id,product_id,order_date,status\n" + rows(
        80, "{u},{i},2020-01-{d},{s}", d=[11, 12, 29], s=["paid", "sent", "cancelled"]
    )
    plan = of(tmp_path, orders__csv=log)
    assert unsure(plan) == ["interactions.columns.behaviour"]
    assert plan.source["interactions"]["behaviours"] == {"cancelled": None, "paid": "purchase", "sent": "purchase"}
    every = of(tmp_path, {("interactions", "columns", "behaviour"): None}, orders__csv=log)
    assert unsure(every) == []
    assert every.source["interactions"]["constants"] == {"behaviour": "purchase"}


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (("items", "columns", "title"), "nope", "items.columns.title: films.csv has no column nope; it has id, name"),
        (("interactions", "columns", "user_id"), ["user_id", "item_id"], "an id is one column"),
        (("items", "columns", "tags"), {"a": "b"}, "items.columns.tags: films.csv has no column"),
    ],
)
def test_an_answer_that_names_no_column_is_refused_with_those_there_are(
    ours: tuple[str, ...], theirs: Any, told: str, tmp_path: Path
) -> None:
    log = "user_id,item_id,ts\n" + rows(60, "{u},{i},13000{n:05}")
    films = "id,name,place,mood\n" + "".join(f"{n},Film {n},by the sea,calm\n" for n in range(100, 123))
    with pytest.raises(SettingsError, match=told):
        of(tmp_path, {ours: theirs}, log__csv=log, films__csv=films)
    plan = of(tmp_path, {("items", "columns", "categories"): ["place", "mood"]})
    assert plan.source["items"]["columns"]["categories"] == ["place", "mood"]
