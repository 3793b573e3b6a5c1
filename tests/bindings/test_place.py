# SPDX-License-Identifier: MIT
"""pypar.place: a program chooses anew where its ranks run, by what the kernel says on
this machine, and by what par says on made-up ones."""

import json
import os
from textwrap import dedent

import pytest
from control_groups import group, start_in
from mpirun import PYTHON, alone, mpirun
from ranks import pypar, ranks

ALL = sorted(os.sched_getaffinity(0))
MACHINE = "pack:2 [numa] l3:2 core:4 pu:2"

two_cpus = pytest.mark.skipif(len(ALL) < 2, reason="needs two CPUs")

# What a program sees of its place.
HELPERS = """
    import json, os, sys
    import pypar

    def masks():
        tasks = [int(name) for name in os.listdir("/proc/self/task")]
        return sorted({tuple(sorted(os.sched_getaffinity(task))) for task in tasks})

    def tell(*more):
        variable = os.environ["OMP_NUM_THREADS"]
        print(json.dumps([pypar.rank(), masks(), pypar.cpus(), variable, *more]))
"""


@pytest.fixture(autouse=True)
def nobody_has_chosen(monkeypatch):
    for name in ("OMP_NUM_THREADS", "PAR_BIND", "PAR_THREADS_PER_RANK"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def program(script):
    """A script that begins with HELPERS."""
    return lambda text: [PYTHON, script(dedent(HELPERS) + dedent(text))]


def told(done):
    """By rank, what it has told, time after time."""
    assert done.returncode == 0 and not done.stderr, done
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    count = max(rank for rank, *_ in lines) + 1
    return [[rest for rank, *rest in lines if rank == own] for own in range(count)]


# ---- on this machine ---------------------------------------------------------


@two_cpus
def test_ranks_move_with_all_their_threads_and_those_of_libraries_follow(program):
    pytest.importorskip("numpy")
    first, second = ALL[:2]
    job = program(f"""
        import numpy as np

        np.ones((500, 500)) @ np.ones((500, 500))  # its threads are there from now on
        pypar.place("{first}:{second}")
        tell()
        pypar.place("{second}:{first}")
        tell()
        pypar.place("{first}+{second}:{first}+{second}", threads=2)
        tell()
    """)
    both = [first, second]
    by_rank = told(mpirun(2, "--bind-to", "none", *job))
    assert by_rank[0] == [[[[first]], 1, "1"], [[[second]], 1, "1"], [[both], 2, "2"]]
    assert by_rank[1] == [[[[second]], 1, "1"], [[[first]], 1, "1"], [[both], 2, "2"]]


@two_cpus
def test_pools_that_are_up_follow_there_and_back(program):
    pytest.importorskip("numpy")
    job = program(f"""
        import numpy, threadpoolctl

        def pools():
            return sorted({{pool["num_threads"] for pool in threadpoolctl.threadpool_info()}})

        for threads in (1, 2, 1):
            pypar.place("{ALL[0]}+{ALL[1]}", threads)
            tell(pools())
    """)
    (steps,) = told(alone(*job))
    assert [step[1:] for step in steps] == [[1, "1", [1]], [2, "2", [2]], [1, "1", [1]]]


@two_cpus
def test_nothing_asked_is_what_par_does_by_itself(program):
    job = program(f"""
        tell()
        pypar.place("{ALL[1]}")
        tell()
        pypar.place("none")
        tell()
        pypar.place()
        tell()
    """)
    (steps,) = told(alone("taskset", "-c", ALL[0], *job))
    at_home, listed, unbound, again = (step[0] for step in steps)
    assert at_home == unbound == again == [[ALL[0]]]
    assert listed == [[ALL[1]]]


def test_a_number_of_threads_that_the_user_has_chosen_stays(program):
    job = program("""
        pypar.place("core", 1)
        tell(os.environ["OPENBLAS_NUM_THREADS"])
    """)
    (((_, cpus, variable, other),),) = told(alone(*job, env={"OMP_NUM_THREADS": 7}))
    assert (cpus, variable, other) == (1, "7", "7")


@two_cpus
def test_the_environment_has_the_last_word(program):
    job = program(f"""
        pypar.place("{ALL[0]}", 2)
        tell()
    """)
    env = {"PAR_BIND": ALL[1], "PAR_THREADS_PER_RANK": 1}
    assert told(alone(*job, env=env)) == [[[[[ALL[1]]], 1, "1"]]]


@two_cpus
def test_cpus_that_are_taken_away_meanwhile_are_no_trap(program):
    """The kernel cuts what is asked for, here back to where the threads were."""
    first, second = ALL[:2]
    with group("cpuset", mems=0, cpus=f"{first},{second}") as folder:
        job = program(f"""
            pypar.place("{first}")
            with open("{folder}/cpuset.cpus", "w") as cpus:
                cpus.write("{first}")
            pypar.place("{first}+{second}")
            tell()
            (told,) = json.loads(pypar.where(form="json"))["nodes"][0]["ranks"]
            assert told["why"] == "not bound: the kernel refuses (it knows better)"
            assert told["cpus"] == [{first}]
        """)
        assert told(alone(*start_in(folder, *job))) == [[[[[first]], 1, "1"]]]


# ---- on another --------------------------------------------------------------

# Of four ranks on MACHINE, whose core number n has the CPUs 2 n and 2 n + 1.
PLACES = {
    (None, None): [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]],
    ("core", None): [[0], [4], [8], [12]],
    ("core", 2): [[0, 1], [4, 5], [8, 9], [12, 13]],
    ("numa", None): [[*range(8)], [*range(8)], [*range(8, 16)], [*range(8, 16)]],
    ("compact", None): [[0], [1], [2], [3]],
    ("scatter", None): [[0], [8], [4], [12]],
    ("auto", 3): [[0, 1, 2], [4, 5, 6], [8, 9, 10], [12, 13, 14]],
    ("6:4:2:0", None): [[3], [2], [1], [0]],
}


def test_places_are_those_of_the_start_in_whatever_order(program):
    turns = [*PLACES, *reversed(PLACES)]
    job = program(f"""
        for turn in {turns!r}:
            pypar.place(*turn)
            text = pypar.where(form="json")
            if text:
                (node,) = json.loads(text)["nodes"]
                print(json.dumps([rank["cores"] for rank in node["ranks"]]))
    """)
    done = mpirun(4, *job, env={"HWLOC_SYNTHETIC": MACHINE})
    assert done.returncode == 0 and not done.stderr, done
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found == [PLACES[turn] for turn in turns]


# ---- what is refused ---------------------------------------------------------


@ranks(1, 2)
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["socket"], ValueError, 'bind is "socket": it must be auto, none, core'),
        (["8000:8000"], ValueError, "this job has no CPU 8000 on this node, but "),
        ([None, 8193], ValueError, "threads_per_rank is 8193: it must be from 0 to 8192"),
        ([None, -1], ValueError, "threads_per_rank is -1: it must be from 0 to 8192"),
        ([None, 10**12], ValueError, "threads is 10{12}: it must be from 0 to 8192"),
        ([None, "two"], TypeError, "threads is 'two' .*: it must be an integer"),
        ([2], TypeError, "must be str or None, not int"),
        (["core\0"], ValueError, "null character"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nobody_moves(world, arguments, error, words):
    before = os.sched_getaffinity(0), pypar.cpus()
    with pytest.raises(error, match=words):
        pypar.place(*arguments)
    assert (os.sched_getaffinity(0), pypar.cpus()) == before
    world.barrier()


@ranks(3)
def test_ranks_that_ask_for_different_things_are_named(world):
    before = os.sched_getaffinity(0)
    words = "differs between ranks: none on 0-1, core on 2; it must be the same"
    with pytest.raises(pypar.Error, match=words):
        pypar.place("core" if world.rank == 2 else "none")
    with pytest.raises(pypar.Error, match="threads per rank .*: 1 on 0, 2 on 1-2;"):
        pypar.place(threads=2 if world.rank else 1)
    assert os.sched_getaffinity(0) == before
    world.barrier()


@ranks(2)
def test_one_ranks_mistake_is_an_error_of_all(world):
    error = pypar.Error if world.rank else ValueError
    with pytest.raises(error, match='bind is "socket"'):
        pypar.place(None if world.rank else "socket")
    world.barrier()
