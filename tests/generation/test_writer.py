from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from strata.generation.cache import TextCache
from strata.generation.evidence import Evidence, Subject
from strata.generation.generator import Completion
from strata.generation.prompts import Prompt
from strata.generation.settings import GenerateSettings
from strata.generation.templates import template
from strata.generation.tidying import tidy
from strata.generation.writer import Writer
from tests.generation.evidences import NAME, REASON, SUMMARY, ZH_SUMMARY

SETTINGS = GenerateSettings(method="endpoint", url="http://x", attempts=2)


@dataclass
class Says:
    """A generator that answers from a list, one for each attempt."""

    answers: Sequence[Completion]
    identity: str = "says"
    asked: list[Prompt] = field(default_factory=list)

    def write(self, prompts: Sequence[Prompt], attempt: int = 0) -> list[Completion]:
        self.asked += prompts
        return [self.answers[attempt]] * len(prompts)


def test_without_a_generator_the_template_speaks() -> None:
    writer = Writer(GenerateSettings())
    found = writer.write([NAME, SUMMARY, REASON, ZH_SUMMARY])
    assert [each.text for each in found] == [
        "Thriller · Crime",
        "At heart: Thriller and Crime, such as L.A. Confidential. Comes back to Action and Sci-Fi, such as Star Wars.",
        "Fargo fits your core interest in Thriller and Crime, such as L.A. Confidential.",
        "一直喜欢绿茶和茶具（例如《龙井的一年》）。",
    ]
    assert writer.counts == {"template": 4}


def test_a_refused_answer_is_asked_again_and_then_said_by_the_template() -> None:
    bad, good = Completion("Likes Hitchcock."), Completion("Likes crime thrillers.")
    writer = Writer(SETTINGS, Says([bad, good]))
    assert writer.write([SUMMARY])[0].text == "Likes crime thrillers."
    assert writer.counts == {"generator": 1}
    writer = Writer(SETTINGS, Says([bad, Completion(failure="time-out")]))
    [found] = writer.write([SUMMARY])
    assert (found.text, found.by, found.refused) == (template(SUMMARY.screened()), "template", "time-out")
    assert writer.counts == {"template": 1, "refused: time-out": 1}


def test_what_passed_is_not_asked_again_until_its_evidence_or_generator_changes(tmp_path: Path) -> None:
    good = [Completion("Likes crime thrillers.")] * 2
    first = Says(good)
    Writer(SETTINGS, first, TextCache(tmp_path)).write([SUMMARY])
    assert len(first.asked) == 1
    again = Says(good)
    assert Writer(SETTINGS, again, TextCache(tmp_path)).write([SUMMARY])[0].by == "generator"
    assert not again.asked
    more = Evidence("summary", "en", (*SUMMARY.subjects, Subject(("Drama",), tier="momentary")))
    Writer(SETTINGS, again, TextCache(tmp_path)).write([more])
    assert len(again.asked) == 1
    other = Says(good, identity="another")
    Writer(SETTINGS, other, TextCache(tmp_path)).write([SUMMARY])
    assert len(other.asked) == 1
    for file in tmp_path.iterdir():
        file.write_text("spoilt")
    Writer(SETTINGS, again, TextCache(tmp_path)).write([SUMMARY])
    assert len(again.asked) == 2


def test_a_language_that_the_model_does_not_speak_is_not_asked_for() -> None:
    generator = Says([Completion("x")] * 2)
    [found] = Writer(SETTINGS, generator).write([ZH_SUMMARY])
    assert (found.by, found.refused) == ("template", "not-spoken")
    assert not generator.asked


def test_words_of_a_bio_guide_but_license_nothing() -> None:
    bio = Evidence("summary", "en", SUMMARY.subjects, quotes=("I collect Zithers and love Quentin",))
    generator = Says([Completion("Loves crime thrillers and Zithers.")] * 2)
    [found] = Writer(SETTINGS, generator).write([bio])
    assert "I collect Zithers" in generator.asked[0].question
    assert (found.by, found.refused) == ("template", "invented-name")


def test_answers_are_tidied() -> None:
    assert tidy(Completion('"Crime Thrillers."\n\nI hope this helps!'), "name") == "Crime Thrillers"
    assert tidy(Completion("Likes crime"), "summary") == "Likes crime."
    assert tidy(Completion("喜欢绿茶。也喜欢茶", finished=False), "summary") == "喜欢绿茶。"
    assert tidy(Completion("Likes", finished=False), "summary") == ""
