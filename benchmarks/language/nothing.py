"""Whether texts that say nothing of what a catalogue has are told from those that do."""

from benchmarks.evidence.files import Row
from benchmarks.evidence.sections import FILMS
from benchmarks.language.cases import HALVES, RELEASES, Asked, Case, digest, read_cases, share_row


def rows() -> tuple[list[Row], str]:
    """Shares of texts without a topic that are answered "nothing found", and of real ones that are not."""
    cases: dict[str, list[Case]] = read_cases("nothing")
    releases = {data: Asked.of(data) for data in RELEASES}
    missing = [data for data, asked in releases.items() if asked is None]
    excluded = f"texts for {', '.join(missing)}, of which no release was there" if missing else ""
    found = []
    for suffix, held, told in HALVES:
        empty = [
            asked.person(case["text"]).nothing_found
            for case in cases["nothing"] if case["held"] == held
            for asked in releases.values() if asked is not None
        ]  # fmt: skip
        what = f"share of hand-made texts without a topic, each asked of every data set, that find nothing; {told}"
        found.append(share_row(f"nothing-found{suffix}", what, empty, 0.9, excluded))
        real = [
            not asked.person(case["text"]).nothing_found
            for case in cases["something"]
            if case["held"] == held and (asked := releases[case.get("data", FILMS)]) is not None
        ]
        what = f"share of hand-made texts that name an interest of the data set and do not find nothing; {told}"
        found.append(share_row(f"something-found{suffix}", what, real, 0.9, excluded))
    return found, digest("nothing")
