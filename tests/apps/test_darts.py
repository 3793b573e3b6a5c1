# SPDX-License-Identifier: MIT
"""apps/darts.py."""

import re

from mpirun import PYTHON, SOURCE, alone, mpirun

DARTS = [PYTHON, SOURCE / "apps" / "darts.py"]


def test_any_number_of_ranks_throws_the_same_darts():
    told = {mpirun(n, *DARTS, "--darts", 750_000, "--seed", 7).stdout for n in (1, 2, 3)}
    (lines,) = (text.splitlines() for text in told)
    thrown = [int(line.split()[0]) for line in lines]
    assert thrown == [100_000, 200_000, 400_000, 750_000]
    last = re.fullmatch(
        r" *750000 darts: pi (3\.\d{6}), off by (0\.\d{6}), as likely as not by 0\.001279",
        lines[-1],
    )
    assert last and float(last[1]) != 3 and float(last[2]) < 0.01, lines


def test_another_seed_throws_others():
    done = [alone(*DARTS, "--darts", 1000, "--seed", seed) for seed in (1, 2)]
    assert [each.returncode for each in done] == [0, 0], done
    assert done[0].stdout != done[1].stdout
