# SPDX-License-Identifier: MIT
"""What keeps a job from starting is said once, with the cure; and what comes after it."""

import pytest
from mpirun import PYTHON, alone, mpirun

IMPORT = [PYTHON, "-c", "import pypar; print(pypar.rank(), 'of', pypar.size())"]
LAUNCHERS = {
    "MPICH": ({"PMI_SIZE": 3, "PMI_RANK": 2}, "mpirun of MPICH"),
    "another Open MPI": (
        {"OMPI_COMM_WORLD_SIZE": 3, "OMPI_COMM_WORLD_RANK": 2},
        "mpirun",
    ),
    "srun": ({"SLURM_STEP_NUM_TASKS": 3, "SLURM_PROCID": 2}, "srun --mpi=pmix"),
}


@pytest.mark.parametrize("environment, cure", LAUNCHERS.values(), ids=LAUNCHERS)
def test_processes_that_know_nothing_of_each_other_are_refused(environment, cure):
    done = alone(*IMPORT, env=environment)
    assert done.returncode == 1 and not done.stdout, done
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: pypar cannot start: "), done
    for word in ("started 3 processes", "number 2", cure, "PAR_ALONE=1"):
        assert word in last


@pytest.mark.parametrize("environment, _", LAUNCHERS.values(), ids=LAUNCHERS)
def test_they_may_be_meant_to_be_alone(environment, _):
    done = alone(*IMPORT, env={**environment, "PAR_ALONE": 1})
    assert done.returncode == 0 and done.stdout == "0 of 1\n" and not done.stderr, done


def test_a_serial_script_within_a_batch_job_is_fine():
    batch = {"SLURM_JOB_ID": 1, "SLURM_NTASKS": 64, "SLURM_PROCID": 0}
    done = alone(*IMPORT, env=batch)
    assert done.returncode == 0 and done.stdout == "0 of 1\n" and not done.stderr, done


def test_mpirun_of_one_rank_is_fine():
    done = mpirun(1, *IMPORT, env={"SLURM_STEP_NUM_TASKS": 4, "SLURM_PROCID": 3})
    assert done.returncode == 0 and done.stdout == "0 of 1\n", done


@pytest.mark.parametrize("name, value", [("PAR_WAIT", "busy"), ("PAR_LEFTOVERS", "yes")])
def test_a_wrong_setting_is_said_by_one_rank(name, value):
    done = mpirun(4, *IMPORT, env={name: value})
    assert done.returncode == 1 and not done.stdout, done
    assert done.stderr.count("Traceback") == 1, done
    assert done.stderr.count(f'{name} is "{value}": it must be ') == 1, done


def test_who_goes_on_without_pypar_can_on_all_ranks(script):
    path = script(
        """
        try:
            import pypar
        except ImportError as error:
            print(error)
        """
    )
    done = mpirun(3, PYTHON, path, env={"PAR_INLINE": 5})
    assert done.returncode == 0 and not done.stderr, done
    text = 'pypar cannot start: rank 0: PAR_INLINE is "5": it must be a number from'
    assert done.stdout.count(text) == 3


def test_another_exception_of_a_hushed_rank_is_shown(script):
    path = script(
        """
        try:
            import pypar
        except ImportError:
            raise KeyError("what came of it")
        """
    )
    done = mpirun(2, PYTHON, path, env={"PAR_INLINE": 5})
    assert done.returncode == 1, done
    assert "KeyError: 'what came of it'" in done.stderr


def test_after_the_end_errors_still_name_the_rank(script):
    path = script(
        """
        import pypar

        pypar.finalize()
        wrong = [
            lambda: pypar.world.send(1, 0, tag="x"),
            lambda: pypar.world.receive("0"),
            lambda: pypar.world.split(-4),
            lambda: pypar.world.reduce(1, "sum"),
            lambda: pypar.world.scatter([1, 2, 3, 4, 5]),
            lambda: pypar.world.rank,
        ]
        for call in wrong:
            try:
                call()
            except (TypeError, ValueError, pypar.Error) as error:
                print(str(error).split(":")[0])
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 0, done
    assert sorted(done.stdout.splitlines()) == ["rank 0"] * 6 + ["rank 1"] * 6, done
