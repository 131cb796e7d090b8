"""Number words of English and Chinese, with what they count."""

from typing import Final

from strata.generation.evidence import Language

_TO_TWENTY: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_TENS: Final = "thirty forty fifty sixty seventy eighty ninety"
_LARGE: Final = {"dozen": 12, "hundred": 100, "thousand": 1_000, "million": 1_000_000}
NUMBERS: Final[dict[Language, dict[str, int]]] = {
    "en": {
        **{word: at for at, word in enumerate(_TO_TWENTY.split())},
        **{word: 10 * at for at, word in enumerate(_TENS.split(), 3)},
        **{word: number for name, number in _LARGE.items() for word in (name, f"{name}s")},
    },
    "zh": {
        "两": 2,
        "百": 100,
        "千": 1_000,
        "万": 10_000,
        **{sign: at for at, sign in enumerate("一二三四五六七八九十", 1)},
    },
}
"""Word → number; the signs of Chinese from ten on multiply what stands before them."""
UNCOUNTED: Final = frozenset({"one", "zero", "一"})
"""Of these, those that mostly count nothing."""
