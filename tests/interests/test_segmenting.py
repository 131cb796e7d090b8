"""Chinese and Japanese key phrases are words that name something."""

import polars as pl
import pytest

from strata.data.schema import ITEMS
from strata.interests import segmenting
from strata.interests.phrases import Phrases, words
from strata.interests.segmenting import lacking


def items(*titles: str, language: str) -> pl.DataFrame:
    rows = [{"item_id": str(n), "title": title, "language": language} for n, title in enumerate(titles)]
    return pl.DataFrame([{name: row.get(name) for name in ITEMS} for row in rows], schema=ITEMS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("杭州的龙井绿茶", ["杭州", "龙井", "绿茶"]),
        ("我们可以这样学习如何煮绿茶，但是没有时间", ["学习", "绿茶", "时间"]),
        ("我們的音乐，大家的故事", ["音乐", "故事"]),
        ("Python 编程入门 第3版", ["Python", "编程", "入门"]),
    ],
)
def test_chinese_words_without_stop_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("機械学習による自然言語処理の入門書です。", ["機械学習", "自然言語処理", "入門書"]),
        ("静かなコーヒーメーカー 10カップ", ["静か", "コーヒーメーカー"]),
        ("スター・ウォーズ エピソード4", ["スター・ウォーズ", "エピソード"]),
        ("私たちのことを話す猫と海の物語", ["猫", "海", "物語"]),
        ("Python入門のための本", ["Python", "入門", "本"]),
    ],
)
def test_japanese_words_are_nouns_and_adjectives(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_a_title_of_kanji_alone_is_read_in_the_language_of_the_catalogue() -> None:
    titles = ("東京物語", "海の物語", "自然言語処理")
    named = set(Phrases(items(*titles, language="ja")).names)
    assert {"東京", "物語", "東京物語", "海の物語", "自然言語処理"} <= named
    assert "自然言語処理" not in set(Phrases(items("自然語言處理", language="zh")).names)


def test_without_the_package_words_are_runs_of_one_script_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    japanese = items("機械学習", language="ja")
    assert lacking(japanese) is None
    monkeypatch.setattr(segmenting, "installed", lambda: False)
    assert words("機械学習による静かなコーヒーメーカーの入門書") == ["機械学習", "コーヒーメーカー", "入門書"]
    said = lacking(pl.concat([japanese, items("A", "B", language="en")]))
    assert said is not None
    assert said.startswith("1 of 3 items are Japanese")
    assert '".[japanese]"' in said
    assert lacking(items("A", language="en")) is None
