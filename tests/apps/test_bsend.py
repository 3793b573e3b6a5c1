# SPDX-License-Identifier: MIT
"""apps/bsend.py."""

import pytest
from mpirun import PYTHON, SOURCE, alone, mpirun

BSEND = [PYTHON, SOURCE / "apps" / "bsend.py"]
OVERHEAD = 96  # of pypar.push_for_alloc, for each message


def check(done, n, count):
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout == (
        f"after {n} shifts {n} of {n} ranks have their array back\n"
        f"each had a buffer of {n * (8 * count + OVERHEAD)} bytes\n"
    )


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [0, 1, 1_000_000])
def test_large_arrays_go_around_though_all_send_first(n, count):
    check(mpirun(n, *BSEND, "--numbers", count), n, count)


def test_without_mpirun_a_rank_passes_its_array_to_itself():
    check(alone(*BSEND), 1, 1_000_000)
