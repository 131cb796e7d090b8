"""Stage index@CUT_OFF: items searchable by vector in the interest space of a cut-off."""

from strata.data.schema import CUT_OFFS
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.settings import read_settings
from tasks import run
from tasks.inputs import folder
from tasks.reporting import say
from tasks.spaces import space_of


def main(cut_off: str) -> None:
    """Build and write the index."""
    index = ItemIndex.build(space_of(cut_off).vectors, read_settings(IndexSettings, "index"))
    index.write(folder(cut_off) / "items.faiss")
    say(f"{cut_off}: {len(index):,} vectors in {type(index.index).__name__}")


if __name__ == "__main__":
    run(main, one_of=CUT_OFFS)
