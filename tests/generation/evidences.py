"""Evidence for the tests, and hypothesis strategies of it."""

from hypothesis import strategies as st

from strata.generation.evidence import Evidence, Subject

THRILLER = Subject(("Thriller", "Crime"), ("L.A. Confidential", "Game, The", "Heat (1995)"), "core", (9, 13))
SPACE = Subject(("Action", "Sci-Fi"), ("Star Wars", "Mission: Impossible"), "stable")
TEA = Subject(("绿茶", "茶具"), ("龙井的一年", "紫砂壶怎么挑"), "core", (7,))
NAME = Evidence("name", "en", (THRILLER,))
SUMMARY = Evidence("summary", "en", (THRILLER, SPACE))
REASON = Evidence("reason", "en", (THRILLER,), item="Fargo")
BLURB = Evidence("blurb", "en", (SPACE,), item="Full Monty, The")
ZH_SUMMARY = Evidence("summary", "zh", (TEA,))
ALL = (NAME, SUMMARY, REASON, BLURB, ZH_SUMMARY)

_EN = st.sampled_from(["Jazz", "Bread", "Science Fiction", "knitting", "Old Maps", "war films", "R&B"])
_ZH = st.sampled_from(["露营", "手冲咖啡", "橘猫", "摇滚乐", "园艺"])
_TITLES = st.sampled_from(["Blue Train", "Boot, Das", "Se7en", "12 Angry Men", "山里的周末", "What is IPA?", "M*A*S*H"])


def _subjects(phrases: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Subject, ...]]:
    one = st.builds(
        Subject,
        st.lists(phrases, min_size=1, max_size=3, unique=True).map(tuple),
        st.lists(_TITLES, max_size=3, unique=True).map(tuple),
        st.sampled_from(["core", "stable", "momentary"]),
    )
    return st.lists(one, min_size=1, max_size=3, unique_by=lambda each: each.tier).map(tuple)


evidences = st.one_of(
    st.builds(Evidence, st.sampled_from(["name", "summary"]), st.just("en"), _subjects(_EN)),
    st.builds(Evidence, st.sampled_from(["name", "summary"]), st.just("zh"), _subjects(_ZH)),
    st.builds(Evidence, st.sampled_from(["reason", "blurb"]), st.just("en"), _subjects(_EN), item=st.just("Slow Boat")),
    st.builds(Evidence, st.sampled_from(["reason", "blurb"]), st.just("zh"), _subjects(_ZH), item=st.just("慢船")),
)
