# SPDX-License-Identifier: MIT
"""C ranks and Python ranks in one job send each other messages of every type."""

import pytest
from mpirun import BUILD, PYTHON, SOURCE, mpirun

IN_C = [BUILD / "tests" / "apps" / "two_languages"]
IN_PYTHON = [PYTHON, SOURCE / "tests" / "apps" / "two_languages.py"]


@pytest.mark.parametrize(
    "n, first, second, ranks",
    [
        (1, IN_C, IN_PYTHON, {"C rank 0", "Python rank 1"}),
        (1, IN_PYTHON, IN_C, {"Python rank 0", "C rank 1"}),
        (
            2,
            IN_PYTHON,
            IN_C,
            {"Python rank 0", "Python rank 1", "C rank 2", "C rank 3"},
        ),
    ],
    ids=["C first", "Python first", "two and two"],
)
def test_a_job_of(n, first, second, ranks):
    done = mpirun(n, *first, ":", "-np", n, *second)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert set(done.stdout.splitlines()) == {f"{rank}: all as expected" for rank in ranks}
