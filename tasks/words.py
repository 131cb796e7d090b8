"""Stage words: items searchable by their texts and by the words in them."""

from strata.embeddings.index import IndexSettings, ItemIndex
from strata.recommendation.search_settings import WordSettings
from strata.recommendation.word_index import WordIndex
from strata.settings import read_settings
from tasks import TEXT_INDEX, WORD_INDEX, run
from tasks.inputs import Inputs
from tasks.reporting import say


def main() -> None:
    """Build and write both indexes."""
    inputs = Inputs()
    index = ItemIndex.build(inputs.texts, read_settings(IndexSettings, "index"))
    index.write(TEXT_INDEX)
    words = WordIndex.build(inputs.catalogue.items, read_settings(WordSettings, "search.index"))
    words.write(WORD_INDEX)
    say(f"texts: {len(index):,} vectors in {type(index.index).__name__}, {len(words.words):,} words")


if __name__ == "__main__":
    run(main)
