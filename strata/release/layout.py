"""Paths of a release's parts, relative to its folder."""

from enum import StrEnum


class Part(StrEnum):
    """A file or folder of a release, such as `folder / Part.ITEMS`."""

    ENCODER = "encoder"
    ITEMS = "tables/items.parquet"
    USERS = "tables/users.parquet"
    HISTORY = "history.parquet"
    CUT_OFFS = "cut_offs.json"
    SPACE = "space"
    INDEX = "items.faiss"
    TEXT_INDEX = "texts.faiss"
    WORD_INDEX = "word_index"
    HEADS = "heads"
    THEMES = "themes"
    PROFILES = "profiles"
    WORDING = "wording"
    PROFILE_TEXTS = "profile_texts.npy"
    PROFILE_TEXT_USERS = "profile_text_users.npy"
    WORDS = "words"
    CORRECTIONS = "corrections.jsonl"
    PICTURES = "pictures"
    MODELS = "collaborative"
    RATINGS = "ratings"
    RANKER = "ranker"
    PARAMS = "params.yaml"
    METRICS = "metrics.json"
    METRICS_TABLE = "metrics.md"
    MODEL_CARD = "model_card.md"
