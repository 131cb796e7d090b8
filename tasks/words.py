"""Stage words: items searchable by their texts and words, and what it takes to understand what people say of them."""

from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.language.words import Words
from strata.recommendation.search_settings import WordSettings
from strata.recommendation.word_index import WordIndex
from strata.settings import read_settings
from tasks import ENCODER, TEXT_INDEX, WORD_INDEX, WORDS, run
from tasks.inputs import Inputs
from tasks.reporting import say


def main() -> None:
    """Build and write both indexes, and the words of the catalogue beside those of every day."""
    inputs = Inputs()
    index = ItemIndex.build(inputs.texts, read_settings(IndexSettings, "index"))
    index.write(TEXT_INDEX)
    counted = WordIndex.build(inputs.catalogue.items, read_settings(WordSettings, "search.index"))
    counted.write(WORD_INDEX)
    say(f"texts: {len(index):,} vectors in {type(index.index).__name__}, {len(counted.words):,} words")
    encoder = Encoder.load(ENCODER, read_settings(EncoderSettings, "encoder"))
    words = Words.of(inputs.catalogue.items, inputs.texts, encoder.encode)
    words.write(WORDS)
    say(f"words: {len(words.labels):,} labels, {words.vocabulary.titles.height:,} words of titles")


if __name__ == "__main__":
    run(main)
