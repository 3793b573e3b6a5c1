"""Tests, of unittest's, that run on several ranks.

    import unittest
    import pypar
    from pypar.test import in_parallel, main

    @in_parallel(ncpus=3)
    class Messages(unittest.TestCase):
        def test_everybody_knows(self):
            self.assertEqual(pypar.broadcast(pypar.rank()), 0)

    if __name__ == "__main__":
        main()

Run it as any other test, by hand or with pytest: each of its test methods
becomes a job of its own. Or run the file with mpirun: then all are done by that
one job.
"""

import contextlib
import functools
import importlib
import importlib.util
import inspect
import io
import json
import os
import secrets
import subprocess
import sys
import unittest
from pathlib import Path

__all__ = ["in_parallel", "main"]

SECONDS = 300

# mpirun tells each rank who it is, in one of these ways.
_IN_JOB = any(name in os.environ for name in ("OMPI_COMM_WORLD_RANK", "PMI_RANK"))


def in_parallel(ncpus=2, seconds=SECONDS):
    """Decorate a TestCase: each of its tests, with its setUp and tearDown, runs on ncpus
    ranks of a job of its own, which mpirun starts, and passes if it passes on
    all of them within so many seconds. In a job that mpirun has started it changes
    nothing."""

    def decorate(case):
        if not (isinstance(case, type) and issubclass(case, unittest.TestCase)):
            raise TypeError(f"in_parallel decorates a TestCase, not {case!r}")
        if _IN_JOB:
            return case
        for name in unittest.TestLoader().getTestCaseNames(case):
            setattr(case, name, _in_job(getattr(case, name), name, ncpus, seconds))
        for fixture in "setUp", "tearDown":
            setattr(case, fixture, lambda self: None)  # that's for the ranks
        for fixture in "setUpClass", "tearDownClass":
            setattr(case, fixture, classmethod(lambda cls: None))
        return case

    return decorate


def main():
    """Run the tests of the script, as unittest.main() does. Under mpirun all ranks
    run them, rank 0 tells how it goes, and the first failure ends the job."""
    if not _IN_JOB:
        unittest.main()
    import pypar

    rank = pypar.rank()
    stream = sys.stderr if rank == 0 else io.StringIO()
    runner = unittest.TextTestRunner(stream=stream, failfast=pypar.size() > 1)
    result = unittest.main(testRunner=runner, exit=False).result
    if rank != 0 and not result.wasSuccessful():
        _tell(f"rank {rank} of {pypar.size()}:\n{stream.getvalue()}")
    sys.exit(not result.wasSuccessful())
