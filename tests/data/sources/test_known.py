"""Known data sets: files of their true format become the right tables by their preset, nothing lost in silence."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from strata.cli.app import app
from strata.data.cleaning import Cleaned, CleaningSettings, clean
from strata.data.sources import known
from strata.data.sources.adapters import SourceSettings, read_source
from strata.data.sources.fetch import folder_of
from strata.data.sources.presets import use
from strata.errors import SettingsError
from strata.settings import read_settings
from tests.data.sources.true_formats import WRITERS
from tests.places import ROOT

SHIPPED = (ROOT / "params.yaml").read_text(encoding="utf-8")
PARTS = {"goodreads": "poetry", "online-retail-2": "Year 2010-2011"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def part_of(name: str) -> str | None:
    parts = known.facts(name).parts
    return PARTS.get(name, "All_Beauty") if parts else None


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc, arg-type]


FILMS = {
    "1": ("Toy Story (1995)", ["Adventure", "Animation", "Children"]),
    "2": ("American President, The (1995)", ["Comedy", "Drama"]),
    "3": ("Nowhere Song (2018)", []),
}
RATED_FILMS = [
    ("1", "1", "rate", at(2000, 7, 30, 18, 45, 3), 4.0),
    ("1", "2", "rate", at(2000, 7, 30, 18, 20, 47), 0.5),
    ("2", "3", "rate", at(2015, 10, 24, 19, 27, 15), 5.0),
]
NEWS = {"N55689": ('The "Brawl" today', ["sports", "football"]), "N35729": ("Porsche lost", ["news", "newsus"])}
CLICKS = [
    ("U13740", "N55689", "click", at(2019, 11, 11, 9, 5, 58), None),
    ("U13740", "N55689", "click", at(2019, 11, 15, 9, 5, 58), None),
    ("U91836", "N35729", "click", at(2019, 11, 11, 12, 11, 10), None),
    ("U91836", "N35729", "click", at(2019, 11, 15, 12, 11, 10), None),
]
SOLD = [
    ("17850", "85123A", "purchase", at(2010, 12, 1, 8, 26), 6.0),
    ("17850", "22752", "purchase", at(2010, 12, 1, 8, 26), 2.0),
]
ARTICLES = {"85123A": ("WHITE HANGING HEART", []), "22752": ("SET 7 BABUSHKA", []), "22139": ("22139", [])}
UNTIMED: Any = None
"""Instead of a time: the file has none."""

EXPECTED: dict[str, tuple[list[tuple[Any, ...]], dict[str, tuple[str | None, list[str]]]]] = {
    "movielens-latest-small": (RATED_FILMS, FILMS),
    "movielens-25m": (RATED_FILMS, FILMS),
    "movielens-32m": (RATED_FILMS, FILMS),
    "movielens-1m": (
        [
            ("1", "1193", "rate", at(2000, 12, 31, 22, 12, 40), 5.0),
            ("1", "661", "rate", at(2000, 12, 31, 22, 35, 9), 3.0),
            ("2", "1193", "rate", at(2000, 12, 31, 21, 33, 33), 1.0),
        ],
        {
            "1193": ('Café, Le: "L\'Été" (1975)', ["Drama", "War"]),
            "661": ("James and the Giant Peach (1996)", ["Musical"]),
        },
    ),
    "amazon-reviews-2018": (
        [
            ("A1V6", "0143026860", "rate", at(2015, 8, 17), 5.0),
            ("A2XX", "0143026860", "rate", at(2015, 7, 16), 1.0),
            ("A2XX", "B0001", "rate", at(2015, 7, 16), 5.0),
        ],
        {"0143026860": ("Loud", ["Books", "Travel"]), "B0001": ("Loud", ["Books", "Travel"])},
    ),
    "amazon-reviews-2023": (
        [
            ("AGKH", "B00YQ6", "rate", at(2020, 5, 5, 14, 8, 48, 923000), 5.0),
            ("AFQL", "B00YQ6", "rate", at(2020, 5, 5, 14, 8, 48, 923000), 2.0),
        ],
        {"B00YQ6": ("Spray", []), "B07": ("Comb", ["Hair"])},
    ),
    "mind-small": (CLICKS, NEWS),
    "mind-large": (CLICKS, NEWS),
    "yelp": (
        [
            ("mh_-e", "XQfwV", "rate", at(2018, 7, 7, 22, 9, 11), 3.0),
            ("mh_-e", "XQfwV", "rate", at(2018, 7, 7, 22, 9, 11), 1.0),
        ],
        {"XQfwV": ("Turning Point", ["Restaurants", "Breakfast & Brunch"])},
    ),
    "goodreads": (
        [
            ("8842281e", "24375664", "rate", at(2017, 8, 25, 20, 55, 2), 5.0),
            ("f50", "24375664", "view", at(2017, 8, 25, 20, 55, 2), None),
        ],
        {"24375664": ("The Raven", [])},
    ),
    "book-crossing": (
        [
            ("276725", "034545104X", "view", UNTIMED, None),
            ("276726", "0155061224", "rate", UNTIMED, 5.0),
            ("276726", "034545104X", "rate", UNTIMED, 10.0),
        ],
        {"034545104X": ('Flesh & Blood; "Tales"', []), "0155061224": ("Rites of Passage", [])},
    ),
    "lastfm-1k": (
        [
            ("user_000001", "Deep Dish", "view", at(2009, 5, 4, 23, 8, 57), None),
            ("user_000001", "NULL", "view", at(2009, 5, 4, 13, 54, 10), None),
            ("user_000002", "Deep Dish", "view", at(2009, 5, 4, 13, 52, 4), None),
        ],
        {"Deep Dish": ("Deep Dish", []), "NULL": ("NULL", [])},
    ),
    "lastfm-360k": (
        [
            ("00000c289a1829a8", "betty blowtorch", "view", UNTIMED, 2137.0),
            ("00000c289a1829a8", '"weird" al', "view", UNTIMED, 1.0),
            ("00001411dc427966", "betty blowtorch", "view", UNTIMED, 897.0),
        ],
        {"betty blowtorch": ("betty blowtorch", []), '"weird" al': ('"weird" al', [])},
    ),
    "lastfm-2k": (
        [
            ("2", "51", "view", UNTIMED, 13883.0),
            ("2", "52", "view", UNTIMED, 11690.0),
            ("3", "51", "view", UNTIMED, 7.0),
        ],
        {"51": ("Duran Duran", []), "52": ('"Morcheeba" Björk', [])},
    ),
    "steam-ucsd": (
        [
            ("Chaos Syren", "725280", "review", at(2017, 12, 17), 0.1),
            ("♥ Ariman", "761140", "review", at(2017, 8, 2), None),
        ],
        {"761140": ("Lost Summoner Kitty", ["Action", "Indie"]), "725280": ("SNOW", ["Free to Play"])},
    ),
    "steam-200k": (
        [
            ("151603712", "The Elder Scrolls V Skyrim", "purchase", UNTIMED, 1.0),
            ("151603712", "The Elder Scrolls V Skyrim", "view", UNTIMED, 273.0),
            ("59945701", "Sid Meier, Civ", "purchase", UNTIMED, 1.0),
        ],
        {"The Elder Scrolls V Skyrim": ("The Elder Scrolls V Skyrim", []), "Sid Meier, Civ": ("Sid Meier, Civ", [])},
    ),
    "retailrocket": (
        [
            ("257597", "355908", "view", at(2015, 6, 2, 5, 2, 12, 117000), None),
            ("287857", "248676", "add-to-cart", at(2015, 6, 2, 5, 17, 56, 276000), None),
            ("287857", "248676", "purchase", at(2015, 6, 2, 5, 17, 56, 999000), None),
        ],
        {"355908": (None, ["1340"]), "248676": (None, ["500"])},
    ),
    "hm": (
        [
            ("000058a1", "0663713001", "purchase", at(2018, 9, 20), None),
            ("00007d2d", "0505221004", "purchase", at(2018, 9, 21), None),
        ],
        {
            "0663713001": ("Atlanta Push Body", ["Ladieswear", "Underwear", "Bodysuit"]),
            "0505221004": ("Lucy roll-neck", ["Divided", "Upper body", "Sweater"]),
        },
    ),
    "taobao": (
        [
            ("1", "2268318", "view", at(2017, 11, 24, 17, 21, 10), None),
            ("1", "2268318", "add-to-cart", at(2017, 11, 24, 22, 15, 33), None),
            ("100", "2333346", "favourite", at(2017, 11, 25, 1, 21, 25), None),
            ("100", "2333346", "purchase", at(2017, 11, 25, 7, 4, 53), None),
        ],
        {"2268318": (None, ["2520377"]), "2333346": (None, ["2520772"])},
    ),
    "online-retail": (SOLD, ARTICLES),
    "online-retail-2": (SOLD, ARTICLES),
}
"""Data set → interactions, and items with title and categories. Repeats and returns are judged apart."""


Read = tuple[str, Cleaned, dict[str, Any]]
"""Name of a data set, its tables, and the settings that read them."""


@pytest.fixture(scope="module", params=EXPECTED)
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Read:
    name, folder = request.param, tmp_path_factory.mktemp("known")
    WRITERS[name](folder)
    params = folder / "params.yaml"
    params.write_text(use(name, SHIPPED, str(folder), part_of(name)), encoding="utf-8")
    source = read_source(read_settings(SourceSettings, "source", params))
    tables = clean(source, read_settings(CleaningSettings, "cleaning", params), NOW)
    return name, tables, yaml.safe_load(params.read_text(encoding="utf-8"))


def test_files_of_its_format_become_the_right_tables(read: Read) -> None:
    name, found, _ = read
    interactions, items = EXPECTED[name]
    rows = found.interactions.filter(pl.col("value").is_null() | (pl.col("value") > 0))
    rows = rows.unique(["user_id", "item_id", "behaviour", "timestamp", "value"])  # twice in one order is kept or not
    times = pl.col("timestamp") if interactions[0][3] is not UNTIMED else pl.lit(UNTIMED)
    assert set(rows.select("user_id", "item_id", "behaviour", times, "value").rows()) == set(interactions)
    kept = {row["item_id"]: (row["title"], row["categories"]) for row in found.items.iter_rows(named=True)}
    assert kept == items


def test_every_row_that_is_left_out_is_told(read: Read) -> None:
    name, found, _ = read
    for table, counts in found.counts.items():
        assert counts.quarantined == found.quarantine.filter(pl.col("table") == table).height
    unnamed = 1 if name.startswith("online-retail") else 0  # the line without a customer
    assert found.quarantine.filter(pl.col("reason") == "no user_id").height == unnamed
    others = found.quarantine.filter(~pl.col("reason").is_in(["no user_id", "duplicate event_id"]))
    assert others.is_empty()


def test_its_ratings_lie_on_its_scale(read: Read) -> None:
    _, found, settings = read
    scale = settings["cleaning"]["rating"]
    rated = found.interactions.filter(behaviour="rate")
    assert rated["value"].is_between(scale["lowest"], scale["highest"]).all()
    best = rated.filter(pl.col("value") == scale["highest"])["weight"]
    assert (best == 1).all()


def test_amounts_strengthen_where_the_data_set_has_some_and_returns_speak_against(read: Read) -> None:
    name, found, settings = read
    events, amounts = found.interactions, settings["cleaning"]["amounts"]
    told = [finding for finding in found.counts["interactions"].findings if "is not used" in finding.what]
    assert not told
    weights = settings["cleaning"]["weights"]
    for behaviour in amounts:
        strong = events.filter(pl.col("behaviour") == behaviour, pl.col("value") > 0)
        assert (strong["weight"] > weights[behaviour]).all()
        assert strong.sort("value")["weight"].is_sorted()
    returned = events.filter(pl.col("behaviour") == "purchase", pl.col("value") < 0)
    assert returned.height == (1 if name.startswith("online-retail") else 0)
    assert (returned["weight"] < 0).all()
    assert not returned["chosen"].any()


def test_every_preset_has_a_file_of_its_format_here_or_tests_of_its_own() -> None:
    own = {"movielens-100k", "complete-journey", "stack-exchange"}
    assert EXPECTED.keys() | own == set(known.names())


@pytest.mark.parametrize("name", known.names())
def test_the_files_that_it_reads_are_those_that_are_fetched_or_placed(name: str) -> None:
    facts = known.facts(name, part_of(name))
    source = yaml.safe_load(known.preset(name, part_of(name)))["source"]
    read = [source[table]["file"] for table in ("interactions", "items", "users") if table in source]
    assert facts.package or all(any(Path(file).match(pattern) for file in facts.files) for pattern in read)
    assert facts.about
    assert facts.licence
    assert facts.page


def test_a_part_is_asked_for_where_there_are_some_and_only_there() -> None:
    with pytest.raises(SettingsError, match=r"goodreads comes in parts; name one with --part: children, .*poetry"):
        use("goodreads", SHIPPED)
    with pytest.raises(SettingsError, match="goodreads has no part 'cooking'"):
        use("goodreads", SHIPPED, part="cooking")
    with pytest.raises(SettingsError, match="hm has no parts; leave --part out"):
        use("hm", SHIPPED, part="Ladieswear")
    assert folder_of("goodreads", "poetry") == Path("data/goodreads/poetry")


def test_the_commands_show_and_take_every_name_and_part(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["data", "list", "--wide"])
    assert shown.exit_code == 0
    for name in known.names():
        assert name in shown.output
    for way in ("in a package", "at an address", "placed by hand"):
        assert way in shown.output
    (tmp_path / "params.yaml").write_text(SHIPPED, encoding="utf-8")
    command = ["data", "use", "goodreads", "--part", "poetry", "--params", str(tmp_path / "params.yaml")]
    assert CliRunner().invoke(app, command).exit_code == 0
    used = yaml.safe_load((tmp_path / "params.yaml").read_text())
    assert used["source"]["interactions"]["file"] == "goodreads_interactions_poetry.json"
    assert "preset" not in used


def test_the_table_in_the_docs_is_what_the_presets_say() -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    for name in known.names():
        facts = known.facts(name)
        part = " `--part`" if facts.parts else ""
        assert f"| [{name}]({facts.page}){part} | {facts.about} | {facts.way} | {facts.licence} |\n" in page


def test_the_story_in_the_docs_reads_its_files(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    story = page[page.index("## Your own data: from CSV to tiers") :]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", story, re.DOTALL | re.MULTILINE)
    loans, books = (text for kind, text in blocks[:2])
    settings = next(text for kind, text in blocks if kind == "yaml")
    (tmp_path / "loans.csv").write_text(loans)
    (tmp_path / "books.csv").write_text(books)
    source = yaml.safe_load(settings)["source"] | {"folder": tmp_path}
    cleaning = CleaningSettings.model_validate(yaml.safe_load(SHIPPED)["cleaning"])
    found = clean(read_source(SourceSettings.model_validate(source)), cleaning, NOW)
    assert found.interactions.select("user_id", "item_id", "behaviour", "timestamp").rows() == [
        ("r17", "0044", "purchase", at(2024, 11, 3, 10, 15)),
        ("r17", "0051", "favourite", at(2024, 11, 21, 17, 40)),
    ]
    assert found.items["categories"].to_list() == [["Nature", "Ocean"], ["Nature"]]
    assert found.items["created_at"].dt.year().to_list() == [1951, 1962]
