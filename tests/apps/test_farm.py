# SPDX-License-Identifier: MIT
"""apps/farm.py."""

import re

import pytest
from mpirun import PYTHON, SOURCE, alone, mpirun, unlabelled

FARM = [PYTHON, SOURCE / "apps" / "farm.py"]

ranks = pytest.mark.parametrize("n", [1, 2, 3, 5])


def read(done, n, status=0):
    """The lines about the tasks, and for each rank how many it did."""
    told = "exits with status 1, which ends the job\n" if status and n > 1 else ""
    assert (done.returncode, unlabelled(done.stderr)) == (status, told), done
    lines = done.stdout.splitlines()
    tasks, counts = lines[:-n], lines[-n:]
    found = [re.fullmatch(rf"rank (\d+) did (\d+) of {len(tasks)}", c) for c in counts]
    assert [int(f[1]) for f in found] == list(range(n)), done
    return tasks, [int(f[2]) for f in found]


@ranks
def test_the_results_are_in_the_order_of_the_tasks(n):
    numbers = [10000000000037, 12, 1, 97, 12, 600851475143, 2, 1001]
    tasks, done = read(mpirun(n, *FARM, *numbers), n)
    assert tasks == [
        "10000000000037 = 10000000000037",
        "12 = 2 x 2 x 3",
        "1 = 1",
        "97 = 97",
        "12 = 2 x 2 x 3",
        "600851475143 = 71 x 839 x 1471 x 6857",
        "2 = 2",
        "1001 = 7 x 11 x 13",
    ]
    assert sum(done) == len(numbers)
    assert done[0] == (len(numbers) if n == 1 else 0)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_task_that_fails_keeps_nobody_from_the_others(n):
    tasks, done = read(mpirun(n, *FARM, 0, 6, 0, 35, 0), n, status=1)
    failed = "0 failed: ValueError: 0 has no prime factors"
    assert tasks == [failed, "6 = 2 x 3", failed, "35 = 5 x 7", failed]
    assert sum(done) == 5


def test_ranks_without_a_task_end_with_the_others():
    tasks, done = read(mpirun(5, *FARM, 6), 5)
    assert tasks == ["6 = 2 x 3"]
    assert sorted(done) == [0, 0, 0, 0, 1] and done[0] == 0


WAITING = """
import pathlib, sys, time
sys.path.insert(0, {apps!r})
from farm import farm, world

done = pathlib.Path({done!r})

def task(n):
    while n == 0 and not done.exists():
        time.sleep(0.01)
    if n == 50:
        done.touch()

outcomes = farm(task, range(51))
if world.rank == 0:
    print(*(outcome.worker for outcome in outcomes))
"""


def test_while_one_worker_has_a_long_task_the_other_does_the_rest(tmp_path):
    script = tmp_path / "script.py"
    words = {"apps": str(SOURCE / "apps"), "done": str(tmp_path / "done")}
    script.write_text(WAITING.format(**words))
    done = mpirun(3, PYTHON, script)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.split() == ["1"] + 50 * ["2"]


def test_without_mpirun_the_one_rank_does_it_all():
    tasks, done = read(alone(*FARM, 6, 0), 1, status=1)
    assert tasks[0] == "6 = 2 x 3" and done == [2]
    tasks, done = read(alone(*FARM), 1)
    assert tasks[0] == "360 = 2 x 2 x 2 x 3 x 3 x 5" and done == [7]
