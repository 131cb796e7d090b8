"""Stage index: all items, searchable by vector.

One index serves every cut-off: the encoder is the same for all, and items that do not exist at a cut-off are left
out by the recommender's filter.
"""

from strata.embeddings.index import IndexSettings, ItemIndex
from strata.settings import read_settings
from tasks import INDEX, run
from tasks.inputs import Inputs
from tasks.reporting import say


def main() -> None:
    """Build and write the index."""
    index = ItemIndex.build(Inputs().vectors, read_settings(IndexSettings, "index"))
    index.write(INDEX)
    say(f"{len(index):,} vectors in {type(index.index).__name__}")


if __name__ == "__main__":
    run(main)
