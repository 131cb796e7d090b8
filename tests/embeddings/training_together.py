"""Fine-tunes and adapts in as many processes as `torchrun` starts, and writes what each of them ends with.

torchrun --nproc-per-node 2 -m tests.embeddings.training_together FOLDER
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from strata.embeddings.adapt_settings import AdaptSettings
from strata.embeddings.adapting import adapt
from strata.embeddings.processes import Processes
from strata.embeddings.training import finetune
from tests.embeddings.test_training import ITEM_TEXTS, SHORT, corpus, encoder

TUNING = SHORT.model_copy(update={"steps": 6, "evaluate_every": 3})
ADAPTING = AdaptSettings(enabled=True, steps=4, texts_per_step=16, evaluate_every=2, held_share=0.2)


def main() -> None:
    torch.set_num_threads(1)
    folder, processes = Path(sys.argv[1]), Processes.joined()
    tuned, adapted = encoder("fp32"), encoder("fp32")
    told = finetune(tuned, corpus(), TUNING, folder / "finetune", processes=processes)
    learned = adapt(adapted, ITEM_TEXTS, ADAPTING, folder / "adapt", processes=processes)
    for name, each in (("tuned", tuned), ("adapted", adapted)):
        save_file(dict(each.model.state_dict()), folder / f"{name}-{processes.place}.safetensors")
    found = {
        "count": processes.count,
        "finetune": told,
        "adapt": {"before": learned["before"], "after": learned["after"]},
    }
    (folder / f"{processes.place}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
