import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.generation.checking import fault_of
from strata.generation.evidence import Evidence
from strata.generation.prompts import prompt_for
from strata.generation.templates import template
from tests.generation.evidences import BLURB, NAME, REASON, SUMMARY, ZH_SUMMARY, evidences

GOOD = [
    (NAME, "Crime Thrillers"),
    (NAME, "Thriller and Crime"),
    (SUMMARY, "A lasting love of crime thrillers, such as The Game. Often returns to Sci-Fi like Star Wars."),
    (SUMMARY, "In 9 of 13 weeks they watched thrillers such as Heat; these two interests stay."),
    (REASON, "Fargo fits your core interest in crime, since you enjoyed L.A. Confidential."),
    (BLURB, "The Full Monty is for fans of action who liked Mission: Impossible."),
    (ZH_SUMMARY, "一直喜欢绿茶和茶具，例如《龙井的一年》。"),
    (ZH_SUMMARY, "这位用户在7周里常看绿茶的文章。"),
]
BAD = [
    (NAME, "", "empty"),
    (NAME, "…!", "empty"),
    (NAME, "Thriller and crime and thriller and crime and more of them", "too-long"),
    (SUMMARY, "As an AI language model I name thrillers.", "prompt-leak"),
    (SUMMARY, "Use only words of the evidence and plain words: thriller.", "prompt-leak"),
    (SUMMARY, "<|im_start|>Likes thrillers.", "prompt-leak"),
    (SUMMARY, "Likes thrillers of topic-38.", "id-leak"),
    (SUMMARY, "User 851 likes thrillers.", "id-leak"),
    (SUMMARY, "因为喜欢惊悚片。", "wrong-language"),
    (SUMMARY, "Le gustan mucho las películas de crimen.", "wrong-language"),
    (ZH_SUMMARY, "They like green tea.", "wrong-language"),
    (SUMMARY, "Likes thrillers. Likes thrillers.", "repetition"),
    (NAME, "Crime Crime", "repetition"),
    (SUMMARY, "Watched 14 thrillers.", "invented-number"),
    (SUMMARY, "Watched thrillers three times a week.", "invented-number"),
    (ZH_SUMMARY, "三十周里都喜欢绿茶。", "invented-number"),
    (SUMMARY, "Likes thrillers such as The Usual Suspects.", "invented-title"),
    (SUMMARY, "Likes thrillers such as “heat wave”.", "invented-title"),
    (ZH_SUMMARY, "喜欢绿茶，例如《茶经》。", "invented-title"),
    (SUMMARY, "Likes the thrillers of Hitchcock.", "invented-name"),
    (SUMMARY, "Enjoys long walks and good books.", "off-topic"),
    (ZH_SUMMARY, "今天天气晴朗，适合洗车。", "off-topic"),
]


@pytest.mark.parametrize(("evidence", "text"), GOOD)
def test_what_rests_on_the_evidence_may_be_shown(evidence: Evidence, text: str) -> None:
    assert fault_of(text, evidence, prompt_for(evidence, 500).parts) is None


@pytest.mark.parametrize(("evidence", "text", "fault"), BAD)
def test_each_fault_is_found(evidence: Evidence, text: str, fault: str) -> None:
    assert fault_of(text, evidence, prompt_for(evidence, 500).parts) == fault


def test_a_word_of_another_topic_is_refused_where_the_catalogue_is_known() -> None:
    text = "Likes crime thrillers, action, and now and then also a western."
    assert fault_of(text, SUMMARY) is None
    assert fault_of(text, SUMMARY, topical={"western", "crime"}) == "off-topic"


@given(evidences)
def test_the_template_passes_its_own_check(evidence: Evidence) -> None:
    said = template(evidence.screened())
    assert said
    assert fault_of(said, evidence.screened(), prompt_for(evidence.screened(), 500).parts) is None


@given(evidences, st.sampled_from(["Quentin Tarantino", "Gone With The Wind", "Zanzibar"]))
def test_a_name_that_the_evidence_lacks_never_passes(evidence: Evidence, name: str) -> None:
    assert fault_of(f"{template(evidence)} {name}", evidence) is not None


@given(evidences, st.integers(50, 1899))
def test_a_number_that_the_evidence_lacks_never_passes(evidence: Evidence, number: int) -> None:
    assert fault_of(f"{template(evidence)} {number}", evidence) is not None


@given(st.text(max_size=300), st.sampled_from([NAME, SUMMARY, ZH_SUMMARY]))
def test_any_text_is_judged(text: str, evidence: Evidence) -> None:
    fault_of(text, evidence)
