"""Personal data is found by its form and leaves the text; what merely looks a little like it stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.online.personal_data import KINDS
from strata.online.records import Record
from strata.online.scrubbing import scrub, scrub_records

FOUND = {
    "write to jane.doe+x@example.co.uk, please": "write to ⟨e-mail⟩, please",
    "or to jane (at) example (dot) com": "or to ⟨e-mail⟩",
    "邮箱：ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ": "邮箱：⟨e-mail⟩",
    "call +44 20 7946 0958 or (212) 555-2368.": "call ⟨phone⟩ or ⟨phone⟩.",
    "我的手机是13812345678，微信同号": "我的手机是⟨phone⟩，微信同号",
    "电话010-62511234": "电话⟨phone⟩",
    "card 4111 1111 1111 1111 exp 12/26": "card ⟨card⟩ exp 12/26",
    "amex 378282246310005": "amex ⟨card⟩",
    "IBAN DE89 3704 0044 0532 0130 00 please": "IBAN ⟨IBAN⟩ please",
    "to GB82WEST12345698765432, thanks": "to ⟨IBAN⟩, thanks",
    "身份证 11010519491231002X": "身份证 ⟨ID⟩",
    "ssn 123-45-6789": "ssn ⟨ID⟩",
    "from 192.168.1.10 and 2001:db8::8a2e:370:7334": "from ⟨IP⟩ and ⟨IP⟩",
    "I live at 1600 Pennsylvania Avenue NW, Washington, DC 20500.": "I live at ⟨address⟩.",
    "at 10 downing street, London SW1A 2AA": "at ⟨address⟩",
    "350 5th Ave, New York, NY 10118": "⟨address⟩",
    "P.O. Box 123": "⟨address⟩",
    "我住在北京市海淀区中关村大街27号1101室，欢迎": "我住在⟨address⟩，欢迎",
    "送到5号楼302室": "送到⟨address⟩",
}
KEPT = (
    "version 1.2.3 of 2024-01-02 10:15:30, order 20240102101500",
    "ISBN 978-3-16-148410-0, 10/10, $1,234,567.89 for 2",
    "the 400 blows; 10 things I hate about you; 2001: a space odyssey; 12 angry men drive",
    "we walked 2 miles down the road and found 3 great places in the street",
    "it was 5 stars all the way",
    "card 4111 1111 1111 1112",  # fails Luhn's check
    "DE88 3704 0044 0532 0130 00",  # fails ISO 7064
    "999.1.1.1 is no address of a machine, nor is 10:15:30",
    "这部电影讲了3个故事，第1号人物很有意思",
    "meet me @ the cinema, it is at the corner",
)


@pytest.mark.parametrize(("text", "clean"), FOUND.items())
def test_what_is_found(text: str, clean: str) -> None:
    found = scrub(text)
    assert found.text == clean
    assert sum(found.counts.values()) == clean.count("⟨")
    assert set(found.counts) <= set(KINDS)


@pytest.mark.parametrize("text", KEPT)
def test_what_stays(text: str) -> None:
    assert scrub(text).text == text
    assert not scrub(text).counts


@given(
    st.lists(
        st.one_of(
            st.sampled_from([*FOUND, *KEPT, "1:", "路1号", "区市", "4 ", "a.b@", "1 Aa ", "p"]), st.text(max_size=12)
        ),
        max_size=8,
    )
)
def test_a_clean_text_is_clean(parts: list[str]) -> None:
    once = scrub(" ".join(parts))
    again = scrub(once.text)
    assert (again.text, dict(again.counts)) == (once.text, {})


@pytest.mark.parametrize("piece", ["a1 ", "1 a ", "路", "4", "a.b", "区市", "1234567 ", "路1号", "1:", "12 Aa ", "1楼"])
def test_no_text_takes_long(piece: str) -> None:
    import time

    text = (piece * 2_000)[:2_000] + "@"
    scrub(text)  # the rules of telephone numbers are read once
    start = time.process_time()
    scrub(text)
    assert time.process_time() - start < 2


def test_of_a_record_what_somebody_wrote_is_scrubbed_and_nothing_else() -> None:
    event = Record(
        "event", "jane@example.com", "u", 1.0, {"item_id": "jane@example.com", "text": "I am jane@example.com"}
    )
    bare = Record("event", "2", "u", 1.0, {"item_id": "i"})
    line = Record("correction", "3", "u", 1.0, {"note": "asked by +44 20 7946 0958", "value": None, "topic": "t"})
    (first, second, third), found = scrub_records([event, bare, line])
    assert first.body == {"item_id": "jane@example.com", "text": "I am ⟨e-mail⟩"}
    assert second is bare
    assert third.body == {"note": "asked by ⟨phone⟩", "value": None, "topic": "t"}
    assert found == {"e-mail": 1, "phone": 1}
