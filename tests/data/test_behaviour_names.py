"""What logs call behaviours is known whatever its spelling; what is only like it is a suggestion."""

from typing import get_args

import pytest

from strata.data.behaviour_names import ALSO_CALLED, meaning, nearest
from strata.data.schema import BEHAVIOURS, Behaviour


@pytest.mark.parametrize("name", ["addtocart", "add_to_cart", "Add to Cart", "ADD-TO-CART"])
def test_spelling_does_not_matter(name: str) -> None:
    assert meaning(name) == "add-to-cart"


def test_every_behaviour_is_known_by_its_own_name_and_no_name_means_two() -> None:
    assert set(ALSO_CALLED) == set(get_args(Behaviour))
    assert [meaning(behaviour) for behaviour in BEHAVIOURS] == list(BEHAVIOURS)
    names = [name for names in ALSO_CALLED.values() for name in names.split()]
    assert len(names) == len(set(names))


def test_what_is_spelled_much_alike_is_near_and_not_meant() -> None:
    assert (meaning("purchas"), nearest("purchas")) == (None, "purchase")
    assert nearest("qqqq") is None
