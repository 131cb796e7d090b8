"""Names on a site of tagged questions: halves do not overlap, ties all count, and no tag is read by what names."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.evidence import names_site
from benchmarks.evidence.halves import FEWEST, Tags, found, halves, judged, membership
from benchmarks.evidence.names_site import MOST_WORDS, SEEDS, chosen, texts_of
from benchmarks.peers import topics
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.interests.naming import Namer
from strata.interests.themes import ThemeSettings, learn_themes
from tests.benchmarks.test_evidence_context import GROUPS, KINDS, ROOT, small_context, vectors
from tests.strategies import text_space

TAGGED = pl.DataFrame({"tags": [["b", "a"], ["a"], None, [], ["c", "c"], ["b"]]})


@given(st.lists(st.integers(FEWEST, 12), min_size=1, max_size=6), st.integers(0, 100))
def test_halves_hold_each_item_once_and_depend_on_the_seed_alone(sizes: list[int], seed: int) -> None:
    groups = np.split(np.arange(sum(sizes)) * 3, np.cumsum(sizes)[:-1])
    shown, held = halves(groups, seed)
    for group, one, other in zip(groups, shown, held, strict=True):
        assert sorted([*one, *other]) == group.tolist()
        assert len(one) == len(group) // 2
    again = halves(groups, seed)
    assert all(map(np.array_equal, [*shown, *held], [*again[0], *again[1]]))


def test_groups_with_few_tagged_items_are_not_judged_and_items_without_tags_never_are() -> None:
    of_item = np.repeat([0, 1, 2], [FEWEST, FEWEST, FEWEST - 1])
    tagged = np.ones(len(of_item), bool)
    tagged[FEWEST] = False
    assert [group.tolist() for group in judged(of_item, tagged)] == [list(range(FEWEST))]
    assert judged(np.zeros(0, np.int64), np.zeros(0, bool)) == []


def test_tags_are_read_once_per_item() -> None:
    tags = Tags.of(TAGGED)
    assert tags.names == ["a", "b", "c"]
    assert tags.of_item.toarray().tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert tags.tagged.tolist() == [True, True, False, False, True, True]
    assert Tags.of(TAGGED.with_columns(tags=pl.lit([], pl.List(pl.String)))).names == []


def test_all_most_frequent_tags_count_and_a_group_without_tags_has_none() -> None:
    tags = Tags.of(TAGGED)
    groups = [np.array([0, 1]), np.array([0, 4]), np.array([2, 3]), np.zeros(0, np.int64)]
    assert tags.most(groups).tolist() == [
        [True, False, False], [True, True, True], [False, False, False], [False, False, False],
    ]  # fmt: skip
    assert membership(groups, 6).toarray().sum(1).tolist() == [2, 2, 2, 0]


def test_a_name_is_right_if_the_nearest_tag_is_one_of_those_asked_for() -> None:
    tags, truth = np.eye(3, dtype=np.float32), np.array([[True, False, True], [False, True, False]])
    names = np.array([[0.1, 0.0, 0.9], [0.9, 0.4, 0.0]], np.float32)
    assert found(names, tags, truth).tolist() == [True, False]


def test_the_best_of_the_peers_names_is_taken_and_said() -> None:
    words = [{"as it ships": {"KeyBERT": [["wrong", "right", "more"], ["right"]]}}] * 2
    asked: list[list[list[str]]] = []

    def judge(names: list[list[str]]) -> np.ndarray:
        asked.append(names)
        return np.sum([["right" in name for name in halving] for halving in names], axis=0, dtype=np.float64)

    of, hits = chosen(words, "KeyBERT", judge)
    assert of == "2 words, texts as it ships"
    assert hits.tolist() == [2, 2]
    assert len(asked) == MOST_WORDS
    assert asked[1] == [["wrong right", "right"]] * 2


def test_texts_are_titles_and_descriptions_alone() -> None:
    items = pl.DataFrame(
        {"title": ["Why?", None, None], "description": ["So.", "So.", None], "tags": [["secret"], None, None]}
    )
    assert texts_of(items) == ["Why?. So.", "So.", ""]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> names_site.Context:
    """The small context with a language model, topics and tags that say what its titles say."""
    folder = tmp_path_factory.mktemp("workspace")
    encoder = Encoder.load("all-minilm-l6-v2", EncoderSettings())
    encoder.save(folder / "artifacts" / "encoder")
    params = (ROOT / "params.yaml").read_text("utf-8")
    (folder / "params.yaml").write_text(re.sub(r"threads: \d+", "threads: 1", params))
    context = small_context(users=12, folder=folder)
    first = np.unique(context.history.users, return_index=True)[1]
    once = np.isin(context.history.users, [0, 1])  # users who did one thing
    once[first] = False
    tags = [[KINDS[kind].replace(" ", "-"), "zz-all"] if row % 10 else [] for row, kind in enumerate(GROUPS)]
    items = context.catalogue.items.with_columns(pl.Series("tags", tags), categories=pl.lit([], pl.List(pl.String)))
    model = folder / "artifacts" / "models" / "backtest"
    everything = np.ones(len(items), bool)
    themes = learn_themes(vectors(), everything, Namer.of(items), ThemeSettings(topics=64, smallest=10))
    themes.write(model / "themes")
    text_space(encoder.encode(context.catalogue.titles)).write(model / "space")
    of_item = themes.of_item[:, 0]
    return replace(
        context,
        catalogue=replace(context.catalogue, items=items),
        history=context.history.keep(~once),
        topics={"validation": of_item, "backtest": of_item},
    )


def test_what_names_reads_no_tag(workspace: names_site.Context) -> None:
    namer = names_site.Namer(workspace)
    assert "zz-all" not in set(namer.naming.phrases.names)
    groups = [np.flatnonzero(kind == GROUPS) for kind in range(3)]
    names = namer.names_of(groups)
    assert len(set(names)) == len(names) == 3
    for kind, name in enumerate(names):
        assert set(KINDS[kind].split()) & set(name.casefold().split())


def test_rows_compare_our_names_with_the_peers_and_points_with_their_topics(
    workspace: names_site.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[list[np.ndarray]]] = []

    def words_by_bertopic(texts, halvings, encoder, *, say):  # the words of kinds, or never any that fits
        assert "zz-all" not in " ".join(texts)
        asked.append(halvings)
        right = [[KINDS[GROUPS[group[0]]].split() for group in groups] for groups in halvings]
        wrong = [[["nothing"] for _ in groups] for groups in halvings]
        return [{"as it ships": {"KeyBERT": good, "c-TF-IDF": bad}} for good, bad in zip(right, wrong, strict=True)]

    monkeypatch.setattr(names_site, "words_by_bertopic", words_by_bertopic)
    rows = {row.id: row for row in names_site.rows(workspace)}
    assert set(rows) == {
        "names-tags", "names-tags-ctfidf", "names-tags-read", "names-points", "names-points-rest", "names-points-once",
    }  # fmt: skip
    assert len(asked[0]) == len(SEEDS)
    assert rows["names-tags"].reference > 0.9 > 0.1 > rows["names-tags-ctfidf"].reference
    assert rows["names-tags"].value == rows["names-tags-ctfidf"].value > 0.8
    assert "2 words, texts as it ships" in rows["names-tags"].what
    sums = rows["names-tags"].per_user.sum()
    assert rows["names-tags"].value == pytest.approx((sums["name"] / sums["cases"]).item())
    for suffix in ("", "-rest", "-once"):
        row = rows[f"names-points{suffix}"]
        assert 0 < row.value <= 1
        assert 0 < row.reference <= 1
    assert rows["names-points-once"].per_user["cases"].sum() < rows["names-points"].per_user["cases"].sum()


def test_points_behind_their_topics_by_more_than_allowed_are_no_open_question() -> None:
    row = names_site.Row("a", "b", 0.3, -0.2, -0.06, "share", 100, 0.4, "topics", inconclusive="the interval holds 0.")
    assert names_site._within(row).inconclusive == ""
    assert names_site._within(replace(row, high=0.0)).inconclusive == "the interval holds −0.05."
    assert names_site._within(replace(row, low=-0.04, high=0.0)).inconclusive == ""
    assert names_site._within(replace(row, n=2, inconclusive="2 are too few.")).inconclusive == "2 are too few."


def test_sites_without_tags_have_nothing_to_find() -> None:
    assert names_site.rows(small_context()) == []


def test_the_peers_requirements_pin_every_version() -> None:
    lines = topics.REQUIREMENTS.read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line) for line in lines)
    pinned = {line.split("==")[0].lower() for line in lines}
    assert len(pinned) == len(lines)
    assert pinned >= {"bertopic", "hdbscan", "numpy", "scikit-learn", "sentence-transformers", "torch", "umap-learn"}


@pytest.mark.slow
@pytest.mark.skipif(not topics.ready(), reason="BERTopic's environment is not there; the section names-site makes it")
def test_bertopic_words_are_those_of_the_group_they_are_given_for(tmp_path: Path) -> None:
    texts = ["red wine of France"] * 3 + ["dark beer, a beer of malt"] * 4 + ["tea leaves"] * 2
    encoder = tmp_path / "encoder"
    Encoder.load("all-minilm-l6-v2", EncoderSettings()).save(encoder)
    groups = [np.array([0, 1, 2]), np.array([3, 4, 5, 6]), np.array([7, 8])]
    one, other = topics.words_by_bertopic(texts, [groups, groups[::-1]], encoder, say=lambda message: None)
    for how in one:
        for way in names_site.PEERS:
            wine, beer, tea = one[how][way]
            assert "wine" in " ".join(wine)
            assert "beer" in " ".join(beer)
            assert "tea" in " ".join(tea)
            assert other[how][way][0] == tea
