"""Stage space@CUT_OFF: the interest space, by texts and by what people chose before the cut-off."""

from strata.data.schema import CUT_OFFS
from strata.embeddings.space import InterestSpace
from tasks import run
from tasks.inputs import Inputs, folder
from tasks.reporting import say
from tasks.spaces import chosen_settings


def main(cut_off: str) -> None:
    """Learn and write the space."""
    inputs = Inputs()
    past = inputs.history.before(inputs.time(cut_off))
    known = inputs.catalogue.available(inputs.time(cut_off), inputs.history)
    space = InterestSpace.fit(inputs.texts, known, past, chosen_settings())
    space.write(folder(cut_off) / "space")
    chosen = (past.positive().matrix().getnnz(0) > 0).sum()
    say(
        f"{cut_off}: behaviour of {chosen:,} of {known.sum():,} items says up to {space.share:.0%}; "
        f"what text foretells of behaviour has a cosine of {space.foretold:.2f} to it"
    )


if __name__ == "__main__":
    run(main, one_of=CUT_OFFS)
