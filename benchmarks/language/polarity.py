"""Whether sentences are read as their writer meant them: for, against or neutral."""

from typing import Final

from benchmarks.evidence.files import Row
from benchmarks.language.cases import HALVES, Case, digest, read_cases, share_row
from strata.language.opinions import opinions

SCORED: Final = "held out, scored after each of two tries: more cues, written on other sentences, changed nothing"


def rows() -> tuple[list[Row], str]:
    """The share of sentences whose polarity is right, of both halves."""
    cases: list[Case] = read_cases("polarity")
    found = []
    for suffix, held, told in HALVES:
        told = SCORED if held else told
        right = [read_as(case) == case["polarity"] for case in cases if case["held"] == held]
        what = f"share of hand-made English and Chinese sentences read as for, against or neutral as marked; {told}"
        found.append(share_row(f"polarity{suffix}", what, right, 0.9, "sarcasm, which is not read"))
    return found, digest("polarity")


def read_as(case: Case) -> str:
    """The polarity of what the sentence says of its thing: of the clause that names it, or else of the first."""
    about = str(case["about"]).casefold()
    said = opinions(case["text"])
    near = [each for each in said if about and (about in each.about.casefold() or each.about.casefold() in about)]
    return (near or said)[0].polarity if said else "neutral"
