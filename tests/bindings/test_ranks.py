# SPDX-License-Identifier: MIT
"""The harness itself: what it makes of tests that fail, hang and die."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from mpirun import BUILD

TESTS = Path(__file__).resolve().parent.parent


@pytest.fixture
def pytest_run(tmp_path):
    """Run pytest with our plugins on files of those contents."""

    def run(*contents):
        head = "import os, signal, subprocess, time, pytest\nfrom ranks import ranks\n"
        files = ["test_it.py", "test_more.py"][: len(contents)]
        for file, content in zip(files, contents, strict=True):
            (tmp_path / file).write_text(head + textwrap.dedent(content))
        path = [TESTS / "bindings", TESTS, BUILD / "python", os.environ.get("PYTHONPATH")]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "ranks", "-p", "leftovers", "-rA",
             "-p", "no:cacheprovider", *files],
            cwd=tmp_path, capture_output=True, text=True, timeout=400,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, filter(None, path)))},
        )  # fmt: skip
        print(done.stdout, done.stderr)
        return done

    return run


def test_each_test_runs_on_as_many_ranks_as_it_asks_for(pytest_run):
    done = pytest_run(
        """
        @ranks(1, 3)
        @pytest.mark.parametrize("word", ["a", "b"])
        def test_it(world, word, tmp_path):
            assert world.size in (1, 3) and world.rank < world.size
            assert world.size == int(os.environ["OMPI_COMM_WORLD_SIZE"])

        def test_without(tmp_path):
            assert "OMPI_COMM_WORLD_SIZE" not in os.environ
        """
    )
    assert done.returncode == 0
    assert "= 5 passed in" in done.stdout.splitlines()[-1]
    assert "PASSED test_it.py::test_it[3ranks-b]" in done.stdout


def test_tests_with_and_without_ranks_follow_each_other_in_any_order(pytest_run):
    content = """
        @pytest.fixture(scope="module")
        def thing():
            yield 5

        @ranks(1, 2)
        def test_a(world, thing):
            assert thing == 5

        def test_b(thing):
            assert thing == 5

        @ranks(2, 1)
        def test_c(world):
            pass

        def test_d(thing, tmp_path):
            assert thing == 5
    """
    done = pytest_run(content, content)
    assert done.returncode == 0
    assert "= 12 passed in" in done.stdout.splitlines()[-1]


def test_the_ranks_that_fail_are_named_and_equal_failures_told_once(pytest_run):
    done = pytest_run(
        """
        @ranks(4)
        def test_some(world):
            print("a line of rank", world.rank)
            if world.rank != 2:
                pytest.fail("not what was wanted")

        @ranks(4)
        def test_next(world):
            pass
        """
    )
    assert done.returncode == 1
    assert "= 1 failed, 1 passed in" in done.stdout.splitlines()[-1]
    assert done.stdout.count("Failed: not what was wanted\n\ntest_it.py") == 1
    assert "=== ranks 0-1, 3\n" in done.stdout
    assert "a line of rank 3" in done.stdout
    assert "a line of rank 2" not in done.stdout
    assert "FAILED test_it.py::test_some[4ranks] - Failed: not what" in done.stdout


def test_a_rank_that_hangs_is_ended_and_shown(pytest_run):
    done = pytest_run(
        """
        @ranks(2, seconds=8)  # long enough for rank 0
        def test_hang(world):
            if world.rank == 1:
                time.sleep(1000)

        @ranks(2)
        def test_next(world):
            pass
        """
    )
    assert "= 1 failed, 1 passed in" in done.stdout.splitlines()[-1]
    assert "=== rank 1\ndid not end; when its time was up it was at:" in done.stdout
    assert ", line 7 in test_hang" in done.stdout


def test_ranks_that_wait_for_one_that_failed_are_ended_and_shown(pytest_run):
    done = pytest_run(
        """
        @ranks(2)
        def test_wait(world):
            assert world.rank == 0, "the reason"
            world.receive(1)

        @ranks(2)
        def test_next(world):
            pass
        """
    )
    assert "= 1 failed, 1 passed in" in done.stdout.splitlines()[-1]
    assert "=== rank 0\ndid not end; when others had failed it was at:" in done.stdout
    assert ", line 7 in test_wait" in done.stdout
    assert "AssertionError: the reason" in done.stdout


def test_a_rank_that_dies_is_told_with_mpiruns_words(pytest_run):
    done = pytest_run(
        """
        @ranks(2)
        def test_die(world):
            if world.rank == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            world.receive(1)

        @ranks(2)
        def test_next(world):
            pass
        """
    )
    assert "= 1 failed, 1 passed in" in done.stdout.splitlines()[-1]
    assert "the process ended" in done.stdout
    assert "signal 9 (Killed)" in done.stdout


def test_skips_expected_failures_and_broken_fixtures_are_what_they_are(pytest_run):
    done = pytest_run(
        """
        @ranks(2)
        def test_skip(world):
            pytest.skip("the reason")

        @ranks(2)
        @pytest.mark.xfail(strict=True)
        def test_expected(world):
            assert False

        @pytest.fixture
        def broken():
            raise OSError("no such luck")

        @ranks(2)
        def test_broken(world, broken):
            pass

        @pytest.fixture
        def untidy():
            yield
            raise OSError("cannot tidy up")

        @ranks(2)
        def test_untidy(world, untidy):
            pass
        """
    )
    assert "= 1 passed, 1 skipped, 1 xfailed, 2 errors in" in done.stdout
    assert "SKIPPED [1] test_it.py:6: the reason" in done.stdout
    assert "no such luck" in done.stdout and "cannot tidy up" in done.stdout


def test_a_file_that_only_ranks_cannot_import_fails_its_tests(pytest_run):
    done = pytest_run(
        """
        if "OMPI_COMM_WORLD_RANK" in os.environ:
            import no_such_module

        @ranks(2)
        def test_a(world):
            pass

        @ranks(2)
        def test_b(world):
            pass
        """
    )
    assert "= 2 errors in" in done.stdout.splitlines()[-1]
    assert "No module named 'no_such_module'" in done.stdout


def test_a_job_that_ends_badly_after_its_last_test_is_an_error(pytest_run):
    done = pytest_run(
        """
        import atexit

        @ranks(2)
        def test_a(world):
            pass

        @ranks(2)
        def test_b(world):
            if world.rank == 1:
                atexit.register(os._exit, 3)
        """
    )
    assert "= 2 passed, 1 error in" in done.stdout.splitlines()[-1]
    assert "ERROR at teardown of test_b[2ranks]" in done.stdout
    assert "the job ended with status 3" in done.stdout


def test_a_process_left_behind_fails_the_run_and_is_named(pytest_run):
    done = pytest_run(
        """
        def test_it():
            global child
            child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        """
    )
    assert "1 passed in" in done.stdout
    assert done.returncode == 1
    line = next(x for x in done.stdout.splitlines() if x.startswith("process "))
    assert line.endswith(": sleep 600")
    os.kill(int(line.split()[1].rstrip(":")), 9)


def test_shared_memory_left_behind_fails_the_run_and_is_named(pytest_run):
    done = pytest_run(
        """
        def test_it():
            folder = os.environ["OMPI_MCA_btl_vader_backing_directory"]
            open(folder + "/vader_segment.left", "w")
        """
    )
    assert "1 passed in" in done.stdout
    assert done.returncode == 1
    assert "/vader_segment.left" in done.stdout


def test_no_job_lives_on_when_the_run_is_cut_short(pytest_run):
    done = pytest_run(
        """
        @ranks(2)
        def test_a(world):
            pass

        def test_between():
            raise KeyboardInterrupt

        @ranks(2)
        def test_b(world):
            pass
        """
    )
    assert done.returncode == 2
    assert "left behind" not in done.stdout
