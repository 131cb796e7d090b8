"""Two processes that train one model end as one process does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.places import ROOT


def trained(folder: Path, count: int) -> dict:
    """What the first of `count` processes says; their weights are in the folder."""
    folder.mkdir()
    program = ["-m", "tests.embeddings.training_together", str(folder)]
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    words = [*start, *program] if count > 1 else program
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    return json.loads((folder / "0.json").read_text())


@pytest.mark.slow
def test_two_processes_end_alike_and_as_one_does(tmp_path: Path) -> None:
    alone, two = trained(tmp_path / "alone", 1), trained(tmp_path / "two", 2)
    assert (alone["count"], two["count"]) == (1, 2)
    for name in ("tuned", "adapted"):
        first, second = (load_file(tmp_path / "two" / f"{name}-{place}.safetensors") for place in (0, 1))
        assert all(torch.equal(first[key], second[key]) for key in first), name
    one, both = (load_file(tmp_path / folder / "tuned-0.safetensors") for folder in ("alone", "two"))
    assert max(float((one[key].float() - both[key].float()).abs().max()) for key in one) < 1e-4
    assert two["finetune"]["kept"] == "tuned"
    assert two["finetune"]["tuned"]["ndcg@10"] == pytest.approx(alone["finetune"]["tuned"]["ndcg@10"], abs=0.02)
    assert two["adapt"]["after"]["perplexity"] < two["adapt"]["before"]["perplexity"]
