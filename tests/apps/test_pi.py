# SPDX-License-Identifier: MIT
"""apps/pi, in C and in Python."""

import math
import re

import pytest
from mpirun import APPS, PYTHON, SOURCE, alone, mpirun

PROGRAMS = {
    "C": [APPS / "pi"],
    "Python": [PYTHON, SOURCE / "apps" / "pi.py"],
}

program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)


def read(done, intervals, n):
    """The value that a run on N ranks has printed."""
    assert (done.returncode, done.stderr) == (0, ""), done
    found = re.fullmatch(
        rf"pi (\d\.\d{{15}}), error (\d\.\de-\d\d), {intervals} intervals on {n} ranks, "
        r"\d+\.\d{3} s\n",
        done.stdout,
    )
    assert found, done
    value, error = map(float, found.groups())
    assert error == pytest.approx(abs(value - math.pi), rel=0.05, abs=5e-16), done
    return value


def pi(program, n, intervals):
    return read(mpirun(n, *program, "--intervals", intervals), intervals, n)


@program
@pytest.mark.parametrize(
    "intervals, value",
    [
        (1, 4 / (1 + 1 / 4)),
        (2, 2 / (1 + 1 / 16) + 2 / (1 + 9 / 16)),
        (3, 4 / 3 * (1 / (1 + 1 / 36) + 1 / (1 + 1 / 4) + 1 / (1 + 25 / 36))),
    ],
)
def test_few_intervals_give_the_area_of_so_many_rectangles(program, intervals, value):
    for n in 1, 2, 5:
        assert pi(program, n, intervals) == pytest.approx(value, rel=1e-15)


@program
def test_the_value_does_not_depend_on_the_number_of_ranks(program):
    values = [pi(program, n, 100_003) for n in range(1, 6)]
    assert max(values) - min(values) < 1e-14
    # The error of this rule: an exact sum would be too large by 1 / (12 n * n).
    assert values[0] - math.pi == pytest.approx(1 / (12 * 100_003**2), rel=1e-3)


@program
def test_a_million_intervals_unless_given(program):
    done = mpirun(2, *program)
    assert abs(read(done, 1_000_000, 2) - math.pi) < 1e-13


@program
def test_without_mpirun_it_runs_on_one_rank(program):
    assert abs(read(alone(*program, "--intervals", 1000), 1000, 1) - math.pi) < 1e-7
