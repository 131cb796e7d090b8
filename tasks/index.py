"""Stage index@WHICH: items searchable by vector, in the interest space of a cut-off, or by their texts, for words."""

from strata.data.schema import CUT_OFFS
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.settings import read_settings
from tasks import TEXT_INDEX, run
from tasks.inputs import Inputs, folder
from tasks.reporting import say
from tasks.spaces import space_of

TEXTS = "texts"


def main(which: str) -> None:
    """Build and write the index."""
    vectors = Inputs().texts if which == TEXTS else space_of(which).vectors
    index = ItemIndex.build(vectors, read_settings(IndexSettings, "index"))
    index.write(TEXT_INDEX if which == TEXTS else folder(which) / "items.faiss")
    say(f"{which}: {len(index):,} vectors in {type(index.index).__name__}")


if __name__ == "__main__":
    run(main, one_of=(*CUT_OFFS, TEXTS))
