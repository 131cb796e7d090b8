"""README and docs: what they show is of today's release and command line, and README is short."""

import re

import pytest

from benchmarks.shown import BLOCK, filled, pages, stale
from strata.errors import StrataError
from tests.places import ROOT

TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text("utf-8") for page in pages(ROOT)}


def test_what_is_shown_is_of_this_release_and_command_line() -> None:
    assert not stale(ROOT), f"{stale(ROOT)} changed since; run `make docs` after `make demo`"


def test_readme_is_short_and_shows_a_user() -> None:
    by_hand = BLOCK.sub("", TEXTS["README.md"])  # what is shown differs from machine to machine
    assert len(by_hand.splitlines()) <= 85
    assert any(found["command"].startswith("strata user") for found in BLOCK.finditer(TEXTS["README.md"]))


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_to_files_that_exist(page: str) -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", TEXTS[page])
    missing = [path for path in linked if not (ROOT / page).parent.joinpath(path).exists()]
    assert not missing, f"{page} links to {missing}"


def test_a_block_is_filled_in_and_a_foreign_command_is_refused() -> None:
    text = "before\n<!-- shown: cat LICENSE -->\nSTALE\n<!-- /shown -->\nafter\n"
    found = filled(text, ROOT)
    assert "Apache License" in found
    assert found.startswith("before\n<!-- shown: cat LICENSE -->\n")
    assert found.endswith("<!-- /shown -->\nafter\n")
    assert "STALE" not in found
    with pytest.raises(StrataError, match="only strata, ask and cat may be shown"):
        filled("<!-- shown: rm -r x -->\n<!-- /shown -->", ROOT)
