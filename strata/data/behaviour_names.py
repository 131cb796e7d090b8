"""What logs call behaviours: their names for ours, and ours for a name of theirs."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from strata.data.schema import Behaviour

ALSO_CALLED: Final[Mapping[Behaviour, str]] = {
    "view": "pv view views viewed pageview pageviews viewitem detail detailview browse impression play plays played "
    "watch watched listen stream read visit open",
    "click": "click clicks clicked clk tap clickout itemclick",
    "search": "search searched query",
    "like": "like likes liked upvote up thumbsup thumbup recommend",
    "favourite": "fav favorite favourite favorited wishlist wish addtowishlist bookmark collect save saved",
    "share": "share shared forward repost retweet",
    "follow": "follow followed subscribe",
    "comment": "comment commented reply",
    "review": "review reviewed",
    "rate": "rate rating rated score",
    "add-to-cart": "cart addtocart addcart atc basket addtobasket incart",
    "purchase": "buy bought purchase purchased order ordered transaction pay paid alipay checkout sale conversion",
    "redeem": "redeem redeemed coupon",
    "dislike": "dislike disliked downvote down thumbsdown thumbdown",
    "hide": "hide hidden block skip notinterested",
    "ask": "ask question",
    "answer": "answer",
    "edit": "edit",
    "bounty": "bounty",
}
"""Ours → names as letters and digits alone, so that addtocart is add_to_cart and "Add to cart" as well."""
_OURS: Final[Mapping[str, Behaviour]] = {name: ours for ours, names in ALSO_CALLED.items() for name in names.split()}
_CLOSE = 0.6


def meaning(name: str) -> Behaviour | None:
    """Our behaviour that a log calls `name`; null where that is not known."""
    return _OURS.get(_letters(name))


def nearest(name: str) -> Behaviour | None:
    """Our behaviour that `name` may mean: known by it, or by one spelled much alike."""
    close = get_close_matches(_letters(name), _OURS, 1, _CLOSE)
    return _OURS[close[0]] if close else None


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())
