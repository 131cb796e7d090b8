"""Machine code is there wherever Strata runs."""

import os
import subprocess
import sys

import pytest

from tests.places import ROOT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("from strata._kernels.ward import ward_groups; print(ward_groups(numpy.eye(3), [0, 1, 3], 2))", "[0 0 0]"),
        ("from strata._kernels.selection import top_k; print(top_k(numpy.eye(3)[1:2], 2)[0])", "[[1 0]]"),
    ],
)
def test_it_works_where_no_folder_can_keep_it(code: str, printed: str) -> None:
    """Compiled before it is called, and at the first call."""
    nowhere = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"}  # this is no zip file
    command = [sys.executable, "-c", f"import numpy; {code}"]
    done = subprocess.run(command, env=nowhere, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == printed
