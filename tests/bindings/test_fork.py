# SPDX-License-Identifier: MIT
"""Processes that a rank makes: what fork has made is no rank, what subprocess has started
is a job of its own."""

import pytest
from mpirun import PYTHON, alone, mpirun


@pytest.fixture
def job(script):
    """Run a script on two ranks, or another number."""

    def run(text, n=2, **settings):
        return mpirun(n, PYTHON, script(text), **settings)

    return run


def test_a_child_made_by_fork_hears_what_to_do_instead(job):
    done = job(
        """
        import os, warnings
        warnings.simplefilter("ignore")
        from pypar import Error, barrier, rank, send, size, world

        child = os.fork()
        if child == 0:
            assert (rank(), size()) == (world.rank, 2)
            for call in (barrier, lambda: send(1, 0), lambda: world.ireceive(0)):
                try:
                    call()
                except Error as error:
                    assert "made by fork" in str(error) and "spawn" in str(error), error
                else:
                    raise SystemExit("it was taken for a rank")
            os.write(1, b"child\\n")
            raise SystemExit(0)
        assert os.waitpid(child, 0)[1] == 0
        barrier()
        """
    )
    assert done.returncode == 0 and done.stdout == "child\n" * 2, done
    assert not done.stderr, done


def test_the_first_fork_is_warned_of_with_the_cure(job):
    done = job(
        """
        import multiprocessing, os
        import pypar

        if pypar.rank() == 1:
            context = multiprocessing.get_context("fork")
            for _ in range(2):
                child = context.Process(target=int)
                child.start()
                child.join()
                assert child.exitcode == 0
        """
    )
    assert done.returncode == 0, done
    assert done.stderr.count("RuntimeWarning: this rank has made a process by fork") == 1
    assert 'get_context("spawn")' in done.stderr


def test_the_ranks_of_a_host_warn_together(job):
    """Who comes more than half a second late warns by itself, so there are three tries."""
    for _ in range(3):
        done = job(
            """
            import os
            import pypar

            pypar.barrier()
            for _ in range(2):
                if os.fork() == 0:
                    os._exit(0)
                os.wait()
            """,
            n=4,
        )
        assert done.returncode == 0, done
        times = done.stderr.count("RuntimeWarning: this rank has made a process by fork")
        assert 1 <= times <= 4 and "os.fork()" in done.stderr, done
        if times == 1 and "[ranks 0-3 of 4 · " in done.stderr:
            return
    raise AssertionError(done)


def test_the_warning_waits_for_nobody(job):
    done = job(
        """
        import os
        import pypar

        if pypar.rank() == 1:  # the other one never forks
            reader, writer = os.pipe()
            stderr = os.dup(2)
            os.dup2(writer, 2)
            if os.fork() == 0:
                os._exit(0)
            told = b""
            while b"forkserver" not in told:
                told += os.read(reader, 1000)
            os.dup2(stderr, 2)
            print("told")
        """
    )
    assert done.returncode == 0 and done.stdout == "told\n", done


OWN = {
    "an error": ("warnings.simplefilter('error')", "Exception ignored in", 2),
    "a log": ("logging.basicConfig(); logging.captureWarnings(True)", "WARNING:py.", 2),
    "a list": ("warnings.catch_warnings(record=True).__enter__()", "Warning", 0),
    "no filter": ("warnings.simplefilter('ignore')", "Warning", 0),
    "a function": ("warnings.showwarning = lambda *_: os.write(2, b'mine')", "mine", 2),
}


@pytest.mark.parametrize("setting, words, times", OWN.values(), ids=OWN)
def test_who_has_warnings_his_way_has_this_one_so(job, setting, words, times):
    done = job(
        f"""
        import logging, os, warnings
        import pypar

        {setting}
        assert os.fork() or os._exit(0)
        os.wait()
        """
    )
    assert done.returncode == 0 and done.stderr.count(words) == times, done
    assert "[ranks" not in done.stderr


QUIET = {
    "subprocess": "subprocess.run(['true'], check=True)",
    "with a function before it": "subprocess.run(['true'], preexec_fn=int, check=True)",
    "os.system": "assert os.system('true') == 0",
    "spawn": "start('spawn')",
    "forkserver": "start('forkserver')",
    "after the end": "pypar.finalize(); assert os.fork() == 0 or os.wait()[1] == 0",
}


@pytest.mark.parametrize("call", QUIET.values(), ids=QUIET)
def test_what_runs_another_program_is_not_warned_of(job, call):
    done = job(
        f"""
        import multiprocessing, os, subprocess

        def start(method):
            child = multiprocessing.get_context(method).Process(target=int)
            child.start()
            child.join()
            assert child.exitcode == 0

        if __name__ == "__main__":
            import pypar
            {call}
        """
    )
    assert done.returncode == 0 and not done.stderr, done


def test_a_job_of_one_rank_may_fork(script):
    text = "import os, pypar\nassert os.fork() == 0 or os.wait()[1] == 0"
    done = alone(PYTHON, script(text))
    assert done.returncode == 0 and not done.stderr, done


@pytest.mark.parametrize("environment", ["None", "dict(os.environ)"])
def test_a_script_that_a_rank_starts_is_a_job_of_its_own(job, environment):
    done = job(
        f"""
        import os, subprocess, sys
        import pypar

        program = "import pypar; print(pypar.rank(), 'of', pypar.size())"
        argv = [sys.executable, "-c", program]
        subprocess.run(argv, env={environment}, check=True)
        pypar.barrier()
        """
    )
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == "0 of 1\n" * 2


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_child_that_multiprocessing_spawns_may_import_pypar_again(job, method):
    done = job(
        f"""
        import multiprocessing
        import pypar

        def tell():
            print(pypar.rank(), "of", pypar.size())

        if __name__ == "__main__":
            child = multiprocessing.get_context("{method}").Process(target=tell)
            child.start()
            child.join()
            assert child.exitcode == 0
            pypar.barrier()
        """
    )
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == "0 of 1\n" * 2
