"""Guesses the scale of ratings, and which values of them are no rating."""

from strata.data.guess.facts import Facts
from strata.data.guess.ledger import Ledger
from strata.data.weights import RatingSettings

MASS = 2.0
"""Times as frequent as the lowest rating, from which a value below the scale is a mass of its own."""
LITTLE = 0.01
"""Share below which a number says more than a percentage."""
_KEY = ("cleaning", "rating")


def settle(ledger: Ledger, facts: Facts) -> None:
    """Note the scale of the ratings in a column, and what stands for "seen, not rated" in it."""
    counts = facts.numbers.alias("v").value_counts().sort("v")
    by_value = dict(counts.iter_rows())
    rated = _unrated(ledger, by_value)
    lowest, highest = min(rated, default=1.0), max(rated, default=5.0)
    scale, sure, why = _scale(lowest, highest, len(rated))
    if _KEY in ledger.answers or ("cleaning", "rating", "highest") in ledger.answers:
        return
    ledger.settle(_KEY, scale, why, sure=sure, choices=[_of(1, 5), _of(1, 10), _of(0, 10), _of(0, 100)])


def _unrated(ledger: Ledger, counts: dict[float, int]) -> list[float]:
    """The values that are ratings."""
    above = sorted(value for value in counts if value > 0)
    for value in [value for value in counts if value <= 0 and above and above[-1] > 1]:
        named = int(value) if value.is_integer() else value
        key = ("interactions", "unrated")
        mass = counts[value] > MASS * counts[above[0]]
        share = counts[value] / sum(counts.values())
        stands = f"{share:.0%} of the ratings are {value:g}"
        if share < LITTLE:
            stands = f"{counts[value]:,} of {sum(counts.values()):,} ratings are {value:g}"
        if value < 0:
            ledger.settle(key, {named: "view"}, f"{stands}, below a scale that begins at {above[0]:g}")
        elif mass:
            ledger.settle(
                key, {named: "view"}, f"{stands}, {counts[value] / counts[above[0]]:.0f} times those of {above[0]:g}"
            )
        elif above[-1] > 10 and counts[value] <= MASS * sorted(counts.values())[len(counts) // 2]:
            continue  # the lowest of many values, as frequent as others
        elif above[0] >= 1 and not any(v % 1 for v in above):
            ledger.settle(
                key, {}, f"{stands}: is it the lowest rating, or none?", sure=False, choices=[{named: "view"}, {}]
            )
    guess = ledger.guesses.get(("interactions", "unrated"))
    holds = ledger.answers.get(("interactions", "unrated"), guess.value if guess else None)
    none = {float(value) for value in holds if isinstance(value, int | float)} if isinstance(holds, dict) else set()
    return [value for value in counts if value not in none]


def _scale(lowest: float, highest: float, distinct: int) -> tuple[dict[str, float], bool, str]:
    seen = f"ratings run from {lowest:g} to {highest:g}"
    if highest == 5 and lowest >= 0.5:
        return _of(1 if lowest >= 1 else 0.5, 5), distinct >= 3, seen
    if highest == 5 and lowest == 0:
        return _of(0, 5), distinct >= 5, seen
    if 5 < highest <= 10:
        return _of(0 if lowest < 1 else 1, 10), highest == 10 and distinct >= 5, seen
    if 50 < highest <= 100:
        return _of(0, 100), highest == 100 and distinct >= 20, seen
    if 3 < highest < 5 and lowest >= 1:
        return _of(1, 5), False, f"{seen}: is the highest 5?"
    return _of(lowest, highest), False, f"{seen}, which is no usual scale"


def _of(lowest: float, highest: float) -> dict[str, float]:
    usual = RatingSettings()
    if highest == usual.highest and lowest > 0:
        return {"lowest": lowest, "highest": usual.highest, "neutral": usual.neutral}
    return {"lowest": lowest, "highest": highest, "neutral": (lowest + highest) / 2}


def looks_rated(facts: Facts) -> bool:
    """Whether numbers may be ratings: few values on a short scale."""
    if not facts.numeric or not 3 <= facts.distinct <= 21:
        return False
    lowest, highest = facts.range
    return lowest >= -1 and highest <= 10
