"""`strata recommend --text` and `--bio`: what was understood of words, and what is recommended for them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from strata.cli.items import draw_recommended, recommended
from strata.cli.rows import Columns, Rows, percent
from strata.cli.terminal import Answer, sentence

if TYPE_CHECKING:
    from strata.interests.query_users import QueryUser
    from strata.recommendation.recommender import Recommender
    from strata.recommendation.request import ListRequest


def said_answer(recommender: "Recommender", release: Path, text: str, request: "ListRequest", *, query: bool) -> Answer:
    """What a wish (`query`) or a bio was taken to mean, clause by clause, then the list."""
    person = _person(recommender, release, text, query=query)
    found = recommender.recommend(person, request)
    heard = [_row(recommender, person, row) for row in range(len(person.heard or ()))]
    content = {
        "release": recommender.manifest.id,
        "text": text,
        "understood": heard,
        "nothing_found": person.nothing_found,
        "items": recommended(found, recommender.catalogue),
    }
    columns: Columns = {"taken": "group", "about": "name", "topic": "note", "confidence": "mark"}
    rows = [tuple(percent(each[name]) if name == "confidence" else each[name] for name in columns) for each in heard]
    drawn: list[Any] = [Rows("Understood", columns, sorted(rows)), Text()] if rows else []
    if person.says_nothing:
        drawn.append(sentence("Nothing that this catalogue has is asked for, so what is popular comes."))
    return Answer(content, [*drawn, draw_recommended(found, "Recommended to somebody who says this", request.offset)])


def _person(recommender: "Recommender", release: Path, text: str, *, query: bool) -> "QueryUser":
    import numpy as np

    from strata.embeddings.encoder import Encoder, EncoderSettings
    from strata.language.opinions import things
    from strata.release.layout import Part
    from strata.settings import read_settings

    said = things([text])
    read = recommender.new_users.to_read(said)
    vectors = np.zeros((0, recommender.texts.dimension), np.float32)
    if read:
        settings = read_settings(EncoderSettings, "encoder", release / Part.PARAMS)
        vectors = Encoder.load(release / Part.ENCODER, settings).encode(read)
    return recommender.new_users.from_opinions(said, vectors, query=query)


def _row(recommender: "Recommender", person: "QueryUser", row: int) -> dict[str, Any]:
    meaning = (person.heard or ())[row]
    return {
        "taken": "for" if meaning.wanted else "against" if meaning.refused else "unsure",
        "text": meaning.opinion.text,
        "about": meaning.opinion.about,
        "topic": recommender.themes.names("topic")[meaning.topic],
        "confidence": meaning.confidence,
    }
