"""Stage words: items searchable by their texts, for searches in words."""

from strata.embeddings.index import IndexSettings, ItemIndex
from strata.settings import read_settings
from tasks import TEXT_INDEX, run
from tasks.inputs import Inputs
from tasks.reporting import say


def main() -> None:
    """Build and write the index."""
    index = ItemIndex.build(Inputs().texts, read_settings(IndexSettings, "index"))
    index.write(TEXT_INDEX)
    say(f"texts: {len(index):,} vectors in {type(index.index).__name__}")


if __name__ == "__main__":
    run(main)
