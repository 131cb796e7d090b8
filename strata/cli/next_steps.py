"""The command `strata next`: what to do once the pipeline has run, which is how `make demo` ends."""

from dataclasses import asdict
from typing import Final

from strata.cli.lock import lock_finding
from strata.cli.terminal import Answer, sentence, states

NEXT: Final = {
    "Look at another user": ".venv/bin/strata user ID",
    "Use your own data": "`source .venv/bin/activate && strata init FILES` (README.md, Your own data), "
    "then `dvc repro`",
    "Serve the release": "make serve",
    "Schedule and watch the pipeline": "make ui",
}


@states
def what_next() -> Answer:
    """Say what to do after `make demo`, and what a changed dvc.lock means."""
    found = lock_finding()
    told = [sentence((f"{what}: ", "bold"), how) for what, how in NEXT.items()]
    if found is not None and found.state != "ok":
        told.append(sentence(f"{found.what}; {found.remedy}."))
    steps = [{"what": what, "how": how} for what, how in NEXT.items()]
    return Answer({"next": steps, "dvc_lock": found and asdict(found)}, told)
