"""What all commands share: rows wrapped to a width or one a line, sentences that wrap, and answers as JSON."""

import json

import pytest
import typer
from rich.console import Console, RenderableType
from rich.text import Text
from typer.testing import CliRunner

from strata.cli.rows import Rows, percent, tier
from strata.cli.terminal import Answer, draws, sentence, states

ROWS = Rows(
    "Interests",
    {"tier": "group", "share": "mark", "interest": "name", "topic": "id", "rank": "fact", "read from": "note"},
    [
        (tier("core"), "42%", "Comedy", "topic-98", "1", "Private Parts; Amos & Andrew"),
        (tier("core"), "7%", "[Horror]", "topic-54", "", "Brazil"),
        (tier("stable"), "2%", "Drama", "", "2", ""),
    ],
    "and 5 weaker ones",
)


def drawn(what: RenderableType, width: int, *, wide: bool = False) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(what, soft_wrap=wide, crop=False)
    return captured.get()


def test_rows_hang_below_their_group_beside_their_mark() -> None:
    assert drawn(ROWS, 30) == (
        "Interests\n"
        "core\n"
        "  42%  Comedy  topic-98  rank\n"
        "       1\n"
        "       read from Private\n"
        "       Parts; Amos & Andrew\n"
        "   7%  [Horror]  topic-54\n"
        "       read from Brazil\n"
        "stable\n"
        "   2%  Drama  rank 2\n"
        "and 5 weaker ones\n"
    )


def test_wide_rows_are_a_table() -> None:
    assert drawn(ROWS, 30, wide=True) == (
        "Interests\n"
        "tier    share  interest  topic     rank  read from\n"
        "core      42%  Comedy    topic-98  1     Private Parts; Amos & Andrew\n"
        "core       7%  [Horror]  topic-54        Brazil\n"
        "stable     2%  Drama               2\n"
        "and 5 weaker ones\n"
    )


def test_marks_wider_than_half_the_width_stand_below() -> None:
    lanes = Rows("Course", {"tiers": "mark", "interest": "name"}, [("cccccccccccc", "Comedy"), ("·", "  Drama")])
    assert drawn(lanes, 24) == "Course\n  cccccccccccc  Comedy\n             ·    Drama\n"
    assert drawn(lanes, 23) == "Course\n  Comedy\n    cccccccccccc\n    Drama\n      ·\n"


def test_a_style_ends_with_its_cell() -> None:
    console = Console(width=40, force_terminal=True, color_system="standard", highlight=False)
    with console.capture() as captured:
        console.print(Rows("", {"state": "mark", "what": "name"}, [(Text("ok", "green"), Text("git"))]))
    assert captured.get().splitlines()[1] == "  \x1b[32mok\x1b[0m  git"


def test_sentences_keep_a_path_whole() -> None:
    said = sentence("written to ", ("/a/folder/with/a/long/name/lists.csv", "bold"), " for all of the users")
    assert drawn(said, 20) == "written to\n/a/folder/with/a/long/name/lists.csv\nfor all of the users\n"


@pytest.mark.parametrize("kind", [states, draws])
def test_an_answer_is_printed_either_way_with_its_status(kind) -> None:
    app = typer.Typer()

    @app.command()
    @kind
    def ask(who: str = "Zoë", many: int = 2) -> Answer:
        """Ask."""
        return Answer({"who": who, "many": [float("nan")] * many}, [sentence(f"{who} asks"), "twice"], 3)

    said = CliRunner().invoke(app, ["--many", "1", "--json"])
    assert (json.loads(said.stdout_bytes), said.exit_code) == ({"who": "Zoë", "many": [None]}, 3)
    assert CliRunner().invoke(app, ["--who", "Bo"]).stdout == "Bo asks\ntwice\n"
    assert ("--wide" in CliRunner().invoke(app, ["--help"]).stdout) == (kind is draws)


def test_what_is_there_is_never_shown_as_nothing() -> None:
    assert [percent(share) for share in (0, 1e-6, 0.004, 0.006, 0.42, 1)] == ["0%", "<1%", "<1%", "1%", "42%", "100%"]
