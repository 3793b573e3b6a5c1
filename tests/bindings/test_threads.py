# SPDX-License-Identifier: MIT
"""Threads follow the rank's place: what a program finds after `import pypar`."""

import json
import os

import pytest
from mpirun import PYTHON, alone, mpirun

NAMES = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
]
MACHINE = "pack:2 [numa] l3:1 core:4 pu:1"  # 8 cores, whatever this one has


def share(ranks):
    """Of a rank of MACHINE; its threads run on this one's CPUs all the same."""
    return min(8 // ranks, len(os.sched_getaffinity(0)))


TELL = """
import json, os, pypar
names = [name for name in os.environ if name.endswith("_THREADS")]
print(json.dumps([pypar.cpus(), {name: os.environ[name] for name in names}]))
"""


@pytest.fixture(autouse=True)
def nobody_has_chosen(monkeypatch):
    for name in [
        *NAMES,
        "SLURM_CPUS_PER_TASK",
        "PAR_THREADS_SET",
        "PAR_THREADS_PER_RANK",
        "PAR_BIND",
    ]:
        monkeypatch.delenv(name, raising=False)


def told(done):
    assert done.returncode == 0, done
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_the_variables_are_the_ranks_cpus(script, ranks):
    found = told(mpirun(ranks, PYTHON, script(TELL), env={"HWLOC_SYNTHETIC": MACHINE}))
    assert len(found) == ranks
    for cpus, variables in found:
        assert cpus == share(ranks)
        assert variables == dict.fromkeys(NAMES, str(cpus))


def test_without_mpirun_they_are_the_cpus_of_the_process(script):
    ((cpus, variables),) = told(alone(PYTHON, script(TELL)))
    assert 1 <= cpus <= len(os.sched_getaffinity(0))
    assert variables == dict.fromkeys(NAMES, str(cpus))


def test_a_process_kept_on_one_cpu_has_one_thread(script):
    cpu = min(os.sched_getaffinity(0))
    ((cpus, variables),) = told(alone("taskset", "-c", cpu, PYTHON, script(TELL)))
    assert cpus == 1
    assert variables == dict.fromkeys(NAMES, "1")


def test_threads_per_rank_count(script):
    env = {"HWLOC_SYNTHETIC": MACHINE, "PAR_THREADS_PER_RANK": 1}
    for cpus, variables in told(mpirun(2, PYTHON, script(TELL), env=env)):
        assert cpus == 1
        assert {variables[name] for name in NAMES} == {"1"}


def test_what_the_user_has_chosen_stays(script):
    env = {"MKL_NUM_THREADS": 5, "NUMBA_NUM_THREADS": "7", "HWLOC_SYNTHETIC": MACHINE}
    for cpus, variables in told(mpirun(2, PYTHON, script(TELL), env=env)):
        expected = dict.fromkeys(NAMES, str(cpus))
        expected |= {"MKL_NUM_THREADS": "5", "NUMBA_NUM_THREADS": "7"}
        assert variables == expected


@pytest.mark.parametrize("chosen", ["3", "3,2", " 3 "])
def test_who_chooses_openmps_number_means_all(script, chosen):
    ((_, variables),) = told(alone(PYTHON, script(TELL), env={"OMP_NUM_THREADS": chosen}))
    assert variables == {**dict.fromkeys(NAMES, "3"), "OMP_NUM_THREADS": chosen}


def test_a_wish_that_is_no_number_is_left_to_openmp(script):
    env = {"OMP_NUM_THREADS": "many"}
    ((cpus, variables),) = told(alone(PYTHON, script(TELL), env=env))
    assert variables == {**dict.fromkeys(NAMES, str(cpus)), "OMP_NUM_THREADS": "many"}


def test_a_job_started_by_a_script_does_not_take_its_number_for_the_users(script):
    job = f"""
        import os, subprocess, sys, pypar
        os.environ["HWLOC_SYNTHETIC"] = {MACHINE!r}
        job = ["mpirun", "--oversubscribe", "-np", "4", sys.executable, "-c", {TELL!r}]
        subprocess.run(job, check=True)
        """
    found = told(alone(PYTHON, script(job)))
    assert len(found) == 4
    for cpus, variables in found:
        assert cpus == share(4)
        assert variables == dict.fromkeys(NAMES, str(cpus))


def test_the_users_choice_reaches_a_job_that_a_script_starts(script):
    job = f"""
        import subprocess, sys, pypar
        job = ["mpirun", "--oversubscribe", "-np", "2", sys.executable, "-c", {TELL!r}]
        subprocess.run(job, check=True)
        """
    for _, variables in told(alone(PYTHON, script(job), env={"OMP_NUM_THREADS": 3})):
        assert variables == dict.fromkeys(NAMES, "3")


POOLS = """
    import json, os
    import numpy as np
    import threadpoolctl

    def pools():
        known = [p["num_threads"] for p in threadpoolctl.threadpool_info()]
        assert known, "NumPy has no pool that threadpoolctl knows"
        return known

    before = pools()
    import pypar
    print(json.dumps([pypar.cpus(), before, pools()]))
    """


def test_pools_that_are_up_already_follow(script):
    pytest.importorskip("numpy")
    env = {"HWLOC_SYNTHETIC": "pack:1 core:4 pu:1"}
    for cpus, _, after in told(mpirun(4, PYTHON, script(POOLS), env=env)):
        assert cpus == 1
        assert set(after) == {1}


def test_pools_whose_size_the_user_has_chosen_stay(script):
    env = {"HWLOC_SYNTHETIC": MACHINE, "OMP_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1}
    for _, before, after in told(mpirun(2, PYTHON, script(POOLS), env=env)):
        assert before == after
        assert set(after) == {1}


def test_without_threadpoolctl_pypar_starts_all_the_same(script):
    path = script(
        """
        import sys
        sys.modules["threadpoolctl"] = None
        import numpy, pypar
        assert pypar.cpus() >= 1
        """
    )
    done = alone(PYTHON, path)
    assert done.returncode == 0, done
