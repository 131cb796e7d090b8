import re

from hypothesis import given
from hypothesis import strategies as st

from strata.generation.lexicon import GLUE, STARTS, Lexicon

ONCE = ["Star Wars", "Star Trek", "crime"]


def encode(text: str) -> list[int]:
    """Letters as tokens: every word has a shared beginning with some other."""
    return [ord(sign) for sign in text]


@given(st.randoms(use_true_random=False))
def test_whatever_is_chosen_is_made_of_what_may_be_said(random: object) -> None:
    lexicon, tokens = Lexicon(encode, ONCE), []
    for _ in range(120):
        following, may_end = lexicon.allowed(tokens)
        if may_end and (not following or random.random() < 0.2):  # type: ignore[attr-defined]
            break
        tokens.append(random.choice(sorted(following)))  # type: ignore[attr-defined]
    else:
        return
    text = "".join(map(chr, tokens))
    for entry in ONCE:
        assert text.count(entry) <= 1
        text = text.replace(entry, "Said")
    assert "Said" in text
    assert set(re.findall(r"[\w-]+", text)) <= {*GLUE, *STARTS, "Said"}
    assert text.rstrip(".").endswith("Said")
    assert not re.search(r"[.,]\s*[.,]|^[.,]", text)


def test_a_text_may_end_after_something_was_said_and_not_within_a_word() -> None:
    lexicon = Lexicon(encode, ONCE)
    assert not lexicon.allowed(encode("A"))[1]
    assert not lexicon.allowed(encode("Star Wa"))[1]
    assert lexicon.allowed(encode("Star Wars"))[1]
    assert lexicon.allowed(encode("Loves crime."))[1]
    assert chr(min(lexicon.allowed(encode("Star Wars and Star "))[0])) == "T"
