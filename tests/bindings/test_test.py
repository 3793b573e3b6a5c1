# SPDX-License-Identifier: MIT
"""pypar.test: tests of unittest's that run as jobs."""

import os
import re
import textwrap

import pytest
from mpirun import PYTHON, alone, mpirun

HEAD = """
import asyncio, os, sys, time, unittest
import pypar
from pypar.test import in_parallel, main

def is_in_job():
    return "OMPI_COMM_WORLD_RANK" in os.environ
"""
END = """
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def script(tmp_path):
    """Write a script of tests; the path of it."""

    def write(text, name="some_tests.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(HEAD + textwrap.dedent(text) + END)
        return path

    return write


def outcome(done):
    """What unittest says at the end."""
    return done.stderr.splitlines()[-1]


MESSAGES = """
    class Base(unittest.TestCase):
        def test_of_the_base(self):
            self.assertEqual(pypar.size(), 3)

    @in_parallel(ncpus=3)
    class Messages(Base):
        @classmethod
        def setUpClass(cls):
            cls.size = 3 // is_in_job()  # only there

        def setUp(self):
            self.assertTrue(is_in_job())
            self.right = (pypar.rank() + 1) % self.size

        def tearDown(self):
            self.assertTrue(is_in_job())

        def test_ring(self):
            pypar.send("hello", self.right)
            self.assertEqual(pypar.receive(pypar.any_source), "hello")

        def test_size(self):
            print("seen by the caller")
            self.assertEqual(pypar.size(), self.size)

        def helper_test(self):
            raise AssertionError("is no test")

    class Serial(unittest.TestCase):
        def test_serial(self):
            self.assertEqual(pypar.size(), int(os.environ.get("OMPI_COMM_WORLD_SIZE", 1)))
"""


def test_each_test_is_a_job_of_its_own(script):
    done = alone(PYTHON, script(MESSAGES), "-v", "Messages", "Serial")
    assert done.returncode == 0, done
    assert "Ran 4 tests" in done.stderr and outcome(done) == "OK", done
    assert done.stdout.count("seen by the caller") == 3, done


def test_by_default_on_two_ranks(script):
    path = script(
        """
        @in_parallel()
        class Two(unittest.TestCase):
            def test_size(self):
                self.assertEqual(pypar.size(), 2)
        """
    )
    done = alone(PYTHON, path)
    assert done.returncode == 0 and outcome(done) == "OK", done


@pytest.mark.parametrize("runner", ["unittest", "pytest"])
def test_other_runners_find_the_tests_of_a_module_in_a_package(script, runner):
    """Whose module imports from the package."""
    path = script(
        """
        from .things import THREE

        @in_parallel(3)
        class Three(unittest.TestCase):
            def test_size(self):
                self.assertEqual(pypar.size(), THREE)
        """,
        name="package/test_it.py",
    )
    (path.parent / "__init__.py").touch()
    (path.parent / "things.py").write_text("THREE = 3\n")
    words = ["-p", "no:cacheprovider", path]
    if runner == "unittest":
        words = ["discover", "-s", path.parent, "-t", path.parent.parent]
    done = alone(PYTHON, "-m", runner, *words)
    assert done.returncode == 0, done
    assert re.search("1 passed|Ran 1 test in", done.stdout + done.stderr), done


def test_within_a_job_the_tests_are_the_jobs(script):
    path = script(MESSAGES)
    done = mpirun(3, PYTHON, path, "Messages", "Serial")
    assert done.returncode == 0, done
    assert done.stderr.count("Ran 4 tests") == 1, done  # of rank 0
    assert done.stdout.count("seen by the caller") == 3, done


def test_a_failure_within_a_job_is_told_with_its_rank_and_ends_the_job(script):
    path = script(
        """
        class Some(unittest.TestCase):
            def test_a(self):
                if pypar.rank() == 1:
                    self.fail("the reason")
                pypar.receive(1)
        """
    )
    done = mpirun(3, PYTHON, path)
    assert done.returncode == 1, done
    assert "rank 1 of 3:" in done.stderr, done
    assert "AssertionError: the reason" in done.stderr, done


def test_a_failure_of_rank_0_within_a_job_is_told_once(script):
    path = script(
        """
        class Some(unittest.TestCase):
            def test_a(self):
                pypar.rank() or self.fail("the reason")
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 1, done
    assert done.stderr.count("AssertionError: the reason") == 1, done


def test_what_goes_wrong_in_one_rank_fails_the_test_and_is_told(script):
    path = script(
        """
        @in_parallel(3)
        class Some(unittest.TestCase):
            def test_assertion(self):
                print("said before")
                self.assertNotEqual(pypar.rank(), 1, "the reason")
                pypar.receive(1)

            def test_error(self):
                pypar.rank() == 2 and self.there_is_no_such_thing
                pypar.barrier()

            def test_subtest(self):
                with self.subTest(rank=pypar.rank()):
                    pypar.rank() == 0 and self.fail("in a part")

            def test_exit(self):
                pypar.rank() == 1 and os._exit(9)
                pypar.barrier()

            def test_early(self):
                pypar.finalize()
                os._exit(0)

            def test_good(self):
                pass
        """
    )
    done = alone(PYTHON, path)
    assert done.returncode == 1, done
    assert outcome(done) == "FAILED (failures=5)", done
    for words in (
        "the job of 3 ranks ended with status 1:",
        "rank 1 of 3:",
        "the reason",
        "said before",
        "rank 2 of 3:",
        "no attribute 'there_is_no_such_thing'",
        "rank 0 of 3:",
        "in a part",
        "the job of 3 ranks ended with status 9:",
        "the job of 3 ranks ended before its test did:",
    ):
        assert words in done.stderr, (words, done)


def test_a_setup_that_fails_fails_the_test(script):
    path = script(
        """
        @in_parallel()
        class Some(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                raise OSError("no such luck")

            def test_a(self):
                pass
        """
    )
    done = alone(PYTHON, path)
    assert outcome(done) == "FAILED (failures=1)", done
    assert "OSError: no such luck" in done.stderr, done


def test_skips_and_expected_failures_stay_what_they_are(script):
    path = script(
        """
        @in_parallel()
        class Some(unittest.TestCase):
            @unittest.skip("by a decorator")
            def test_a(self):
                raise AssertionError

            def test_b(self):
                self.skipTest(f"of a test on {pypar.size()}")

            def test_c(self):
                if pypar.rank() == 1:
                    self.skipTest("on one rank")

            @unittest.expectedFailure
            def test_d(self):
                self.assertEqual(pypar.rank(), 0)

            @unittest.expectedFailure
            def test_e(self):
                pass

        @in_parallel()
        @unittest.skip("a class")
        class Other(unittest.TestCase):
            def test_a(self):
                raise AssertionError
        """
    )
    done = alone(PYTHON, path, "-v")
    assert done.returncode == 1, done
    assert outcome(done) == (
        "FAILED (skipped=4, expected failures=1, unexpected successes=1)"
    ), done
    for reason in "by a decorator", "of a test on 2", "on one rank", "a class":
        assert f"skipped '{reason}'" in done.stderr, done


def test_coroutines_and_subclasses(script):
    path = script(
        """
        @in_parallel()
        class Base(unittest.IsolatedAsyncioTestCase):
            async def asyncSetUp(self):
                self.other = 1 - pypar.rank()
                assert is_in_job()

            async def test_a(self):
                pypar.world.isend(self.other, self.other)
                self.assertEqual(await pypar.world.ireceive(self.other), pypar.rank())

        class Child(Base):
            value = 3

            def test_b(self):
                self.assertFalse(is_in_job())
        """
    )
    done = alone(PYTHON, path, "-v")
    assert done.returncode == 0, done
    assert "Ran 3 tests" in done.stderr, done


def test_a_job_that_takes_too_long_is_ended(script):
    for seconds in 2, 10, 40:  # its start may take as long
        path = script(
            f"""
            @in_parallel(2, seconds={seconds})
            class Some(unittest.TestCase):
                def test_a(self):
                    print("on its way", flush=True)
                    time.sleep(999)
            """
        )
        done = alone(PYTHON, path, timeout=seconds + 60)
        assert outcome(done) == "FAILED (failures=1)", done
        assert f"It was ended after {seconds} s, having said:" in done.stderr, done
        if "on its way" in done.stderr:
            break
    assert "on its way" in done.stderr, done


def test_mpirun_is_that_of_the_librarys_mpi(script, tmp_path):
    other = tmp_path / "mpirun"
    other.write_text("#!/bin/sh\necho 'mpirun (Open MPI) 1.2.3'\nexit 3\n")
    other.chmod(0o755)
    path = script(
        f"""
        os.environ["PATH"] = {os.pathsep.join([str(tmp_path), os.environ["PATH"]])!r}

        @in_parallel(3)
        class Some(unittest.TestCase):
            def test_a(self):
                self.assertEqual(pypar.size(), 3)
        """
    )
    done = alone(PYTHON, path)
    assert outcome(done) == "OK", done


def test_a_machine_without_mpirun(script):
    path = script(
        """
        from pypar import launcher
        launcher._candidates = lambda library: []

        @in_parallel()
        class Some(unittest.TestCase):
            def test_a(self):
                pass
        """
    )
    done = alone(PYTHON, path)
    assert outcome(done) == "FAILED (errors=1)", done
    assert "LaunchError: there is no mpirun of Open MPI" in done.stderr, done


def test_what_cannot_be_decorated_is_refused(script):
    path = script(
        """
        class Local(unittest.TestCase):
            def test_local(self):
                class Here(unittest.TestCase):
                    pass

                with self.assertRaisesRegex(TypeError, "local to a function"):
                    in_parallel()(Here)

            def test_no_case(self):
                for wrong in object, Local("test_local"), len:
                    with self.assertRaisesRegex(TypeError, "decorates a TestCase"):
                        in_parallel()(wrong)

            def test_without_parentheses(self):
                with self.assertRaisesRegex(TypeError, "takes a number"):
                    @in_parallel
                    class Some(unittest.TestCase):
                        pass
        """
    )
    done = alone(PYTHON, path)
    assert done.returncode == 0, done


def test_a_serial_script_of_tests_ends_as_unittests_own_do(script):
    path = script(
        """
        class Some(unittest.TestCase):
            def test_a(self):
                pass

            def test_b(self):
                self.fail("b")

            def test_c(self):
                self.fail("c")
        """
    )
    for words, status, told in (
        (["Some.test_a"], 0, "OK"),
        ([], 1, "FAILED (failures=2)"),
        (["-f"], 1, "FAILED (failures=1)"),
    ):
        done = alone(PYTHON, path, *words)
        assert (done.returncode, outcome(done)) == (status, told), done
