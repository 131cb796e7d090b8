"""What the small local model says of a real release: how often the template speaks for it, and in which language."""

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.evidence.files import Row
from benchmarks.language.shares import share_row
from strata.errors import StrataError
from strata.generation.checking import fault_of
from strata.generation.evidence import Evidence, Language, Subject
from strata.generation.gathering import item_evidence, name_evidence, summary_evidence, topical_words
from strata.generation.local import LocalModel
from strata.generation.settings import GenerateSettings
from strata.generation.writer import Writer, Written
from strata.recommendation.loading import load_recommender
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest

RELEASE = Path("artifacts/release")
TOPICS, USERS, ITEMS = 20, 12, 2
"""Names, summaries, reasons and blurbs (of each so many): a model takes seconds for each on two cores."""
SETTINGS = GenerateSettings(method="local", speaks=("en", "zh"), time_out=3_600, max_tokens=40, attempts=2)
HAN, LATIN = re.compile(r"[\u3400-\u9fff]"), re.compile(r"[A-Za-z]{2,}")
REFUSED = "refused: "
Texts = Sequence[tuple[Evidence, Written]]
CHINESE = (
    Subject(("科幻", "太空"), ("三体", "流浪地球"), "core"),
    Subject(("烘焙",), ("戚风蛋糕不塌的秘密", "周末烤面包"), "stable"),
    Subject(("露营", "帐篷"), ("山里的周末",), "momentary"),
    Subject(("手冲咖啡",), ("水温差两度，味道差多少",), "core"),
    Subject(("钓鱼",), ("野钓三天记",), "stable"),
    Subject(("摇滚乐",), ("现场有多吵",), "momentary"),
)


def rows() -> tuple[list[Row], str]:
    """Shares of texts that the template had to say, by task, and of texts in the language asked for."""
    release = load_recommender(RELEASE)
    english, chinese = [*_names(release), *_summaries(release), *_of_items(release)], _chinese()
    model = LocalModel.load(SETTINGS)
    writer = Writer(SETTINGS, model, topical=topical_words(release.catalogue.items, "en"))
    written = list(zip(english, writer.write(english), strict=True))
    in_chinese = list(zip(chinese, Writer(SETTINGS, model).write(chinese), strict=True))
    for evidence, text in (*written, *in_chinese):
        print(f"  {evidence.task} {evidence.language} by the {text.by}: {text.text}")
    _admitted([*written, *in_chinese])
    speaks = [_speaks(text.text, evidence) for evidence, text in (*written, *in_chinese)]
    same = (
        "Share of shown texts, titles and phrases aside, in the script of the language asked for; "
        f"{len(english)} English, {len(chinese)} Chinese."
    )
    found = [_fallbacks(written, in_chinese, writer), share_row("same-language", same, speaks)]
    return found, release.manifest.id


def _fallbacks(written: Texts, in_chinese: Texts, writer: Writer) -> Row:
    fell: dict[str, list[bool]] = {task: [] for task in ("name", "summary", "reason", "blurb")}
    for evidence, text in written:
        fell[evidence.task].append(text.by == "template")
    said = {task: f"{sum(each)} of {len(each)}" for task, each in fell.items()}
    chinese = f"{sum(text.by == 'template' for _, text in in_chinese)} of {len(in_chinese)}"
    refused = sorted((fault, n) for fault, n in writer.counts.items() if fault.startswith(REFUSED))
    faults = ", ".join(f"{fault.removeprefix(REFUSED)} {n}" for fault, n in refused) or "nothing"
    what = (
        f"Share of names of topics ({said['name']}) and summaries of users ({said['summary']}) that the template says "
        "because both answers of SmolLM2-135M-Instruct were refused; English, MovieLens-100K. "
        f"Of reasons {said['reason']}, of blurbs {said['blurb']}; in Chinese, for which it is not made, {chinese}. "
        f"Refused at last for: {faults}."
    )
    return share_row("fallback-share", what, fell["name"] + fell["summary"])


def _names(release: Recommender) -> list[Evidence]:
    topics = release.themes.at("topic").sort("items", "group", descending=[True, False]).head(TOPICS)
    return [name_evidence(topic, release.catalogue, "en") for topic in topics.iter_rows(named=True)]


def _users(release: Recommender) -> list[str]:
    """Users at equal steps through all who have interests."""
    known = release.profiles.table["user_id"].unique().sort().to_list()
    return known[:: max(1, len(known) // USERS)][:USERS]


def _summaries(release: Recommender) -> list[Evidence]:
    of = ((user, release.levels(user)) for user in _users(release))
    return [summary_evidence(at.points.iter_rows(named=True), release.catalogue, "en", {}) for _, at in of]


def _of_items(release: Recommender) -> list[Evidence]:
    """Reasons and blurbs of the first items recommended to a few users."""
    found = []
    for user in _users(release)[:ITEMS]:
        [item] = release.recommend(user, ListRequest(k=1))
        points = {row["name"]: row for row in release.levels(user).points.iter_rows(named=True)}
        point = points.get(item.reason.interest or "") if item.reason else None
        found += [item_evidence(task, item.title, point, release.catalogue, "en") for task in ("reason", "blurb")]
    return found


def _chinese() -> list[Evidence]:
    names: list[Evidence] = [Evidence("name", "zh", (subject,)) for subject in CHINESE]
    pairs = zip(CHINESE[::2], CHINESE[1::2], strict=True)
    return names + [Evidence("summary", "zh", pair) for pair in pairs]


def _admitted(written: Texts) -> None:
    """Raises StrataError where a text was shown that the check refuses."""
    for evidence, text in written:
        if text.by == "generator" and (fault := fault_of(text.text, evidence.screened())) is not None:
            raise StrataError(f"shown although {fault}: {text.text}")


def _speaks(text: str, evidence: Evidence) -> bool:
    """Whether what is left of a text without titles and phrases has the script of the language asked for."""
    for said in sorted((*evidence.titles, *evidence.phrases), key=len, reverse=True):
        text = re.sub(re.escape(said), " ", text, flags=re.IGNORECASE)
    language: Language = evidence.language
    return not (HAN if language == "en" else LATIN).search(text)
