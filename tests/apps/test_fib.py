# SPDX-License-Identifier: MIT
"""apps/fib, in C and in Python."""

import re
from dataclasses import dataclass

import pytest
from mpirun import APPS, PYTHON, SOURCE, alone, mpirun

PROGRAMS = {
    "C": [APPS / "fib"],
    "Python": [PYTHON, SOURCE / "apps" / "fib.py"],
}

program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
ranks = pytest.mark.parametrize("n", [1, 2, 3, 16])


@dataclass
class Report:
    values: str
    serial: float
    time: float
    speed_up: float
    busy: list
    shares: list  # for each rank its numbers


def read(done):
    """What a run that went well has printed, in the form in which it must be."""
    assert (done.returncode, done.stderr) == (0, ""), done
    values, total, *places = done.stdout.splitlines()
    number = r"(\d+\.\d+)"
    found = re.fullmatch(
        rf"serial estimate {number} s, time {number} s, speed-up {number} on (\d+) ranks",
        total,
    )
    assert found and int(found[4]) == len(places), done
    report = Report(values, *map(float, found.groups()[:3]), [], [])
    for rank, place in enumerate(places):
        found = re.fullmatch(
            rf"rank {rank} on \S+: {number} s, efficiency {number} %, "
            r"fib of (nothing|\d+(?: \d+)*)",
            place,
        )
        assert found, place
        report.busy.append(float(found[1]))
        report.shares.append([int(n) for n in found[3].split() if n != "nothing"])
    return report


def fib(n, program, *arguments):
    return read(mpirun(n, *program, *arguments))


@program
@ranks
def test_the_result_is_in_the_order_given(program, n):
    report = fib(n, program, 20, 0, 7, 20, 1, 2, 19, 3)
    assert report.values == "[6765, 0, 13, 6765, 1, 1, 4181, 2]"
    assert sorted(sum(report.shares, [])) == [0, 1, 2, 3, 7, 19, 20, 20]


@program
def test_without_mpirun_it_runs_on_one_rank(program):
    assert read(alone(*program, 10)).values == "[55]"


def test_the_default_in_c():
    report = fib(2, PROGRAMS["C"])
    assert report.values == "[39088169, 24157817, 14930352, 9227465, 5702887, 3524578]"
    assert report.shares == [[38, 34, 33], [37, 36, 35]]


def test_the_default_in_python_is_smaller_and_its_help_says_so():
    report = fib(2, PROGRAMS["Python"])
    assert report.values == "[5702887, 3524578, 2178309, 1346269, 832040, 514229]"
    assert report.shares == [[34, 30, 29], [33, 32, 31]]
    done = alone(*PROGRAMS["Python"], "--help", env={"COLUMNS": 200})
    assert "34 33 32 31 30 29 unless given: smaller ones than" in done.stdout, done


@program
@pytest.mark.parametrize(
    "n, numbers, shares",
    [
        (1, [3, 1, 2], [[1, 2, 3]]),
        (2, [15, 16, 17, 18, 19, 20], [[15, 16, 20], [17, 18, 19]]),
        (3, [20, 20, 18, 18, 18, 18], [[18, 20], [20], [18, 18, 18]]),
        (4, [5, 6], [[6], [5], [], []]),
    ],
)
def test_the_costliest_goes_first_to_the_rank_with_the_least_to_do(
    program, n, numbers, shares
):
    assert [sorted(share) for share in fib(n, program, *numbers).shares] == shares


@program
@pytest.mark.parametrize(
    "n, shares",
    [
        (1, [[20, 19, 18, 17, 16]]),
        (2, [[20, 19, 18], [17, 16]]),
        (3, [[20, 19], [18, 17], [16]]),
        (7, [[20], [19], [18], [17], [16], [], []]),
    ],
)
def test_blocks_are_runs_as_they_stand(program, n, shares):
    numbers = [20, 19, 18, 17, 16]
    report = fib(n, program, "--scatter", "block", *numbers)
    assert report.shares == shares
    assert report.values == "[6765, 4181, 2584, 1597, 987]"


@ranks
def test_a_pool_computes_each_number_once(n):
    report = fib(n, PROGRAMS["C"], "--scatter", "pool", 20, 0, 7, 20, 1, 2, 19, 3)
    assert report.values == "[6765, 0, 13, 6765, 1, 1, 4181, 2]"
    assert sorted(sum(report.shares, [])) == [0, 1, 2, 3, 7, 19, 20, 20]


@program
def test_efficiency_is_the_share_of_the_time_that_a_rank_computes(program):
    numbers = [27, 24] if program is PROGRAMS["Python"] else [38, 35]
    done = mpirun(2, *program, *numbers)
    report = read(done)
    printed = [float(e) for e in re.findall(r"efficiency (\S+) %", done.stdout)]
    # Of numbers rounded to a millisecond.
    for efficiency, busy in zip(printed, report.busy, strict=True):
        low = 100 * (busy - 0.0005) / (report.time + 0.0005) - 0.05
        high = 100 * (busy + 0.0005) / (report.time - 0.0005) + 0.05
        assert low <= efficiency <= high, done
