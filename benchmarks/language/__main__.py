"""Measure what Strata understands and says, and write it down.

python -m benchmarks.language --only polarity
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks import workspaces
from benchmarks.evidence.files import Row
from benchmarks.evidence.running import Sections, run_sections
from benchmarks.language import (
    adapted,
    against,
    bios,
    chinese,
    dialogues,
    generated,
    heads_retrieval,
    inferred,
    injection,
    lora,
    nothing,
    outputs,
    polarity,
    predicted,
    search,
    text_classes,
)
from benchmarks.quality import __main__ as quality
from benchmarks.quality import questions
from strata.cli.terminal import clear_errors

ROOT = Path(".workspaces/language")


def site() -> Path:
    """The Stack Exchange site with its tuned language model."""
    return workspaces.workspace("stack-exchange", data=questions.dump(), stages=["finetune"])


def shop() -> Path:
    """Complete Journey with its tuned language model: the workspace in which November 2017 is judged."""
    settings = {"split": quality.NOVEMBER, "rank": quality.MONTHS, "recommend": {"repeats": True}}
    return workspaces.workspace("complete-journey", overrides=settings, stages=["finetune"], root=quality.ROOT)


def filled_in() -> tuple[list[Row], str]:
    """Categories of the grocer's products, and tags of the site."""
    return inferred.rows([
        (shop(), "", "categories", "Complete Journey (published as simulated)"),
        (site(), "-site", "tags", "Beer, Wine & Spirits of Stack Exchange"),
    ])  # fmt: skip


SECTIONS: Final[Sections] = {
    "polarity": polarity.rows,
    "against": against.rows,
    "nothing": nothing.rows,
    "bios": bios.rows,
    "search": search.rows,
    "dialogues": dialogues.rows,
    "adapted": adapted.rows,
    "chinese": chinese.rows,
    "inferred": filled_in,
    "ratings": predicted.rows,
    "text-classes": lambda: text_classes.rows(site()),
    "heads-retrieval": heads_retrieval.rows,
    "lora": lambda: lora.rows(ROOT / "lora"),
    "outputs": outputs.rows,
    "injection": injection.rows,
    "generated": generated.rows,
}
"""A new section is a module with `rows`, giving rows and the hash of what they are measured on, and a line here."""


@clear_errors
def main(
    only: Annotated[str, typer.Option(help=f"Sections to run, joined by commas: {', '.join(SECTIONS)}.")] = "",
    output: Annotated[Path, typer.Option(help="Folder of the evidence files.")] = Path("docs/evidence"),
) -> None:
    """Run the sections one by one; each writes its rows when it is done, rows of the others stay."""
    run_sections("language", SECTIONS, only, output)


if __name__ == "__main__":
    typer.run(main)
