# SPDX-License-Identifier: MIT
"""python -m pypar: the word behind it is a command; what is none is said."""

from mpirun import PYTHON, SOURCE, alone, mpirun


def pypar(*words, env=None):
    return alone(PYTHON, "-m", "pypar", *words, env=env)


def test_help_has_a_line_for_each_command():
    for words in ([], ["--help"], ["help"]):
        done = pypar(*words)
        assert done.returncode == 0 and not done.stderr, done
        lines = [line.split() for line in done.stdout.splitlines()[2:]]
        assert {"run", "submit", "where"} <= {word for word, *_ in lines}


def test_no_command_is_status_2_and_says_which_there_are():
    done = pypar("rnu", "-n", "2")
    assert done.returncode == 2 and not done.stdout, done
    assert "'rnu'" in done.stderr and "run " in done.stderr


def test_a_job_says_once_what_is_wrong():
    for words in ([], ["rnu"], ["doctor", "--timeout", "nan"], ["where", "there"]):
        done = mpirun(3, PYTHON, "-m", "pypar", *words)
        assert done.returncode == (2 if words else 0), done
        assert (done.stdout + done.stderr).count("usage: python -m pypar") == 1, done


def test_what_a_rank_starts_speaks_for_itself(script):
    started = """
    import subprocess, sys, pypar
    wrong = [sys.executable, "-m", "pypar", "rnu"]
    print(subprocess.run(wrong, stderr=subprocess.DEVNULL).returncode)
    """
    done = mpirun(2, PYTHON, script(started))
    assert done.stdout == "2\n2\n", done


def test_commands_about_the_job_to_be_start_no_mpi():
    """They work where MPI cannot start."""
    broken = {"OMPI_MCA_pml": "nonsense", "OMPI_MCA_ess": "nonsense"}
    assert alone(PYTHON, "-c", "import pypar", env=broken).returncode != 0
    done = pypar("submit", "--dry-run", "-n", "2", SOURCE / "apps/ring.py", env=broken)
    assert done.returncode == 0 and not done.stderr, done


def test_a_program_with_such_arguments_is_no_command(script):
    done = mpirun(1, PYTHON, script("import pypar, sys; print(sys.argv[1:])"), "where")
    assert done.returncode == 0, done
    assert done.stdout == "['where']\n"
