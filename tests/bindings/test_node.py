# SPDX-License-Identifier: MIT
"""Where the ranks of a real job come to be on this machine, whoever has bound them
before, by what the kernel says."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from control_groups import group, start_in
from mpirun import BUILD, PYTHON, alone, mpirun

ALL = os.sched_getaffinity(0)
FIRST, SECOND, *_ = [*sorted(ALL), None]

# Open MPI 5 doesn't tell the ranks what it was told, so that all is kept there.
OPEN_MPI = subprocess.run(["mpirun", "--version"], capture_output=True, text=True).stdout
TELLS = re.search(r"Open MPI\) 4\.", OPEN_MPI) is not None

two_cpus = pytest.mark.skipif(len(ALL) < 2, reason="needs two CPUs")
told = pytest.mark.skipif(not TELLS, reason="needs an mpirun that tells its choices")

SHOW = """
    import os, threading
    import pypar

    tasks = [int(name) for name in os.listdir("/proc/self/task")]
    masks = {tuple(sorted(os.sched_getaffinity(task))) for task in tasks}
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("Cpus_allowed_list"))
    print(f"{pypar.rank()}: {sorted(masks)} {line.split()[1]}\\n", end="", flush=True)
"""


@pytest.fixture
def show(script):
    return [PYTHON, script(SHOW)]


def masks(done):
    """By rank, the CPUs of the process; all of its threads have the same."""
    assert done.returncode == 0, done
    found = {}
    for line in done.stdout.splitlines():
        rank, threads, cpus = re.match(r"(\d+): (\[.*\]) (\S+)$", line).groups()
        (only,) = eval(threads)
        found[int(rank)] = set(only)
        assert spell(only) == cpus, done
    return [found[rank] for rank in range(len(found))]


def spell(cpus):
    """As the kernel writes a list: "0-3,8"."""
    runs = []
    for cpu in sorted(cpus):
        if runs and runs[-1][1] == cpu - 1:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(f"{a}-{b}" if a < b else f"{a}" for a, b in runs)


# ---- shares ------------------------------------------------------------------


@told
def test_one_rank_gets_the_node_back_that_mpirun_took_from_it(show):
    assert masks(alone("mpirun", "-np", 1, *show)) == [ALL]


@told
@two_cpus
def test_ranks_share_the_cpus_and_none_is_used_twice(show):
    left, right = masks(alone("mpirun", "-np", 2, *show))
    assert left and right and not left & right
    assert left | right <= ALL


@told
def test_more_ranks_than_cores_are_not_bound(show):
    assert masks(mpirun(2 * len(ALL), *show)) == [ALL] * 2 * len(ALL)


def test_a_program_without_mpirun_stays_where_it_was_started(show):
    assert masks(alone(*show)) == [ALL]
    assert masks(alone("taskset", "-c", FIRST, *show)) == [{FIRST}]


# ---- what others have chosen ---------------------------------------------------


@two_cpus
def test_bind_to_core_is_kept(show):
    assert masks(alone("mpirun", "--bind-to", "core", "-np", 1, *show)) == [{FIRST}]


@two_cpus
def test_bind_to_none_is_kept(show):
    assert masks(alone("mpirun", "--bind-to", "none", "-np", 2, *show)) == [ALL, ALL]


@two_cpus
def test_a_rank_that_taskset_started_stays_there(show):
    started = ["taskset", "-c", SECOND, *show]
    assert masks(alone("mpirun", "-np", 1, *started)) == [{SECOND}]


@told
@two_cpus
def test_what_looks_like_mpiruns_default_is_kept_where_that_is_asked_for(show):
    started = ["-np", 1, "taskset", "-c", FIRST, *show]
    assert masks(alone("mpirun", *started)) == [ALL]
    assert masks(alone("mpirun", *started, env={"PAR_BIND": "none"})) == [{FIRST}]
    assert masks(alone("mpirun", "--bind-to", "none", *started)) == [{FIRST}]


@told
@two_cpus
def test_an_mpirun_that_taskset_confined_shares_what_it_may_use(show):
    started = ["taskset", "-c", SECOND, "mpirun", "--oversubscribe"]
    assert masks(alone(*started, "-np", 1, *show)) == [{SECOND}]
    assert masks(alone(*started, "-np", 2, *show)) == [{SECOND}] * 2


@two_cpus
def test_a_rank_started_by_a_script_is_placed_like_any_other(show):
    words = " ".join(map(str, show))
    started = ["sh", "-c", f"{words}; exit $?"]
    assert masks(alone("mpirun", "--bind-to", "core", "-np", 1, *started)) == [{FIRST}]
    if TELLS:
        assert masks(alone("mpirun", "-np", 1, *started)) == [ALL]


# ---- what is asked of par ------------------------------------------------------


def test_a_policy_that_is_asked_for_is_followed_whatever_mpirun_did(show):
    def placed(policy, *words):
        job = ["mpirun", *words, "-np", 1, *show]
        return masks(alone(*job, env={"PAR_BIND": policy}))

    assert placed("auto", "--bind-to", "core") == [ALL]
    assert placed("core", "--bind-to", "none") == [{FIRST}]
    assert placed("none", "--bind-to", "none") == [ALL]
    assert placed(f"{SECOND or FIRST}", "--bind-to", "core") == [{SECOND or FIRST}]


@two_cpus
def test_a_policy_moves_a_program_without_mpirun_too(show):
    assert masks(alone(*show, env={"PAR_BIND": "core"})) == [{FIRST}]
    assert masks(alone(*show, env={"PAR_BIND": f"{SECOND}"})) == [{SECOND}]
    confined = ["taskset", "-c", SECOND, *show]
    assert masks(alone(*confined, env={"PAR_BIND": "auto"})) == [{SECOND}]


@two_cpus
def test_cpus_are_listed_for_each_rank(show):
    both, second = f"{FIRST}+{SECOND}", f"{SECOND}"
    done = mpirun(3, *show, env={"PAR_BIND": f"{both}:{second}:{FIRST}"})
    assert masks(done) == [{FIRST, SECOND}, {SECOND}, {FIRST}]


@two_cpus
def test_a_number_of_threads_takes_as_many_cores_of_the_share(show):
    env = {"PAR_THREADS_PER_RANK": 1, "PAR_BIND": "auto"}
    assert masks(alone("mpirun", "-np", 1, *show, env=env)) == [{FIRST}]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PAR_BIND": "socket"}, 'PAR_BIND is "socket"'),
        ({"PAR_BIND": "0:8000"}, "no CPU 8000"),
        ({"PAR_BIND": "0"}, "CPUs for 1 rank"),
        ({"PAR_THREADS_PER_RANK": "many"}, 'PAR_THREADS_PER_RANK is "many"'),
    ],
)
def test_what_makes_no_sense_is_said(show, settings, words):
    done = mpirun(2, *show, env=settings)
    assert done.returncode != 0 and words in done.stderr, done


def test_ranks_that_are_asked_for_different_things_say_so(show):
    job = ["-x", "PAR_BIND=none", *show, ":", "-np", 1, "-x", "PAR_BIND=core", *show]
    done = mpirun(1, *job)
    assert done.returncode != 0 and "bind differs between ranks" in done.stderr, done


def test_a_machine_that_is_made_up_moves_nobody(show):
    started = ["env", "HWLOC_SYNTHETIC=pack:2 [numa] core:8 pu:2", "PAR_BIND=core", *show]
    assert masks(mpirun(2, "--bind-to", "none", *started)) == [ALL, ALL]


# ---- threads that are there already ----------------------------------------------


@told
@two_cpus
def test_threads_move_along_but_for_those_that_somebody_has_placed(script):
    program = script(f"""
        import os, threading

        def start(cpus):
            ready, stop = threading.Event(), threading.Event()

            def run():
                if cpus:
                    os.sched_setaffinity(0, cpus)
                ready.set()
                stop.wait()

            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            ready.wait()
            return thread.native_id

        own, placed = start(None), start({{{SECOND}}})
        before = os.sched_getaffinity(own)
        import pypar
        print(before, os.sched_getaffinity(own), os.sched_getaffinity(placed))
    """)
    done = alone("mpirun", "-np", 1, PYTHON, program)
    assert done.stdout == f"{ {FIRST} } {ALL} { {SECOND} }\n", done


# ---- memory ------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/numa_maps").exists(), reason="no NUMA")
def test_memory_is_bound_where_that_is_asked_for(script):
    program = script("""
        import pypar
        with open("/proc/self/numa_maps") as maps:
            print(*sorted({line.split()[1].split(":")[0] for line in maps}))
    """)
    asked = alone(PYTHON, program, env={"PAR_BIND_MEMORY": 1})
    assert "bind" in asked.stdout.split(), asked
    assert "bind" not in alone(PYTHON, program).stdout.split()


# ---- control groups ----------------------------------------------------------------


@told
@two_cpus
def test_a_job_in_a_cpuset_shares_that(show):
    with group("cpuset", mems=0, cpus=SECOND) as folder:
        job = ["mpirun", "--oversubscribe", "-np", 2, *show]
        assert masks(alone(*start_in(folder, *job))) == [{SECOND}] * 2


COUNT = """
    import ctypes, os, sys

    if "pypar" in sys.argv:
        import pypar
    print(ctypes.CDLL(sys.argv[1]).par_cpus(), len(os.sched_getaffinity(0)))
"""


def quota(version, microseconds):
    """A control group that may have so much of every 100 000 microseconds."""
    if version == 2:
        return group("cpu", version, max=f"{microseconds} 100000")
    return group("cpu", cfs_period_us=100_000, cfs_quota_us=microseconds)


@two_cpus
@pytest.mark.parametrize("version", [1, 2])
def test_a_quota_limits_the_threads_and_not_the_cpus(script, version):
    count = [PYTHON, script(COUNT), BUILD / "lib" / "libpar.so"]
    job = ["mpirun", "--bind-to", "none", "-np", 1, *count, "pypar"]
    cores = alone(*count).stdout.split()[0]
    assert alone(*job).stdout == f"{cores} {len(ALL)}\n"
    with quota(version, 70_000) as folder:
        for words in (count, [*count, "pypar"], job):
            done = alone(*start_in(folder, *words))
            assert done.stdout == f"1 {len(ALL)}\n", done
    with quota(version, 100_000 * len(ALL)) as folder:
        done = alone(*start_in(folder, *job))
        assert done.stdout == f"{cores} {len(ALL)}\n", done
