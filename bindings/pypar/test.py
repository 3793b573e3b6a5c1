# SPDX-License-Identifier: MIT
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

import functools
import importlib.util
import inspect
import io
import json
import os
import secrets
import subprocess
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pypar import launcher, world

__all__ = ["in_parallel", "main"]

_Case = TypeVar("_Case", bound=type[unittest.TestCase])

# A launcher tells each rank who it is, in one of these.
_IN_JOB = not os.environ.keys().isdisjoint(
    ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"]
)


def in_parallel(ncpus: int = 2, seconds: float = 300) -> Callable[[_Case], _Case]:
    """Decorate a TestCase: each of its tests, with setUp and all else that belongs to
    it, runs on ncpus ranks of a job of its own, and passes if it passes on all of
    them within so many seconds. In a job that mpirun has started, the tests are that
    job's, and nothing changes."""
    if not isinstance(ncpus, int):
        raise TypeError(f"in_parallel takes a number, not {ncpus!r}: @in_parallel()")

    def decorate(case: _Case) -> _Case:
        if not (isinstance(case, type) and issubclass(case, unittest.TestCase)):
            raise TypeError(f"in_parallel decorates a TestCase, not {case!r}")
        if "<locals>" in case.__qualname__:
            raise TypeError(f"a job cannot import {case!r}: it is local to a function")
        return case if _IN_JOB else _with_jobs(case, ncpus, seconds)

    return decorate


def _with_jobs(case: _Case, ncpus: int, seconds: float) -> _Case:
    for name in unittest.TestLoader().getTestCaseNames(case):
        setattr(case, name, _with_job(getattr(case, name), name, ncpus, seconds))
    for fixture, nothing in _NO_FIXTURES.items():  # these run in the jobs
        if hasattr(case, fixture):
            setattr(case, fixture, nothing)
    return case


def _nothing(self: object) -> None:
    pass


async def _nothing_later(self: object) -> None:
    pass


_NO_FIXTURES = {
    "setUp": _nothing,
    "tearDown": _nothing,
    "asyncSetUp": _nothing_later,
    "asyncTearDown": _nothing_later,
    "setUpClass": classmethod(_nothing),
    "tearDownClass": classmethod(_nothing),
}


def _with_job(
    method: Callable[..., Any], name: str, ncpus: int, seconds: float
) -> Callable[[unittest.TestCase], None]:
    @functools.wraps(method)
    def run(self: unittest.TestCase) -> None:
        _run_job(type(self), name, ncpus, seconds)

    del run.__wrapped__  # so that nobody takes a coroutine for what this is
    return run


# ---- outside the job --------------------------------------------------------------


def _run_job(
    case: type[unittest.TestCase], name: str, ncpus: int, seconds: float
) -> None:
    """Run test name of case in a job and end as it ended."""
    mark = secrets.token_hex(8)
    where = json.dumps([case.__module__, inspect.getfile(case), case.__qualname__])
    command = [
        launcher.find().path,
        "-np",
        str(ncpus),
        sys.executable,
        "-m",
        "pypar.test",
    ]
    job = subprocess.Popen(
        [*command, where, name, mark],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_environment(),
    )
    try:
        told = job.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        told = f"It was ended after {seconds} s, having said:\n{_end(job)}"
    except BaseException:  # somebody's Ctrl-C
        _end(job)
        raise
    _judge(job.returncode, told, mark, f"the job of {ncpus} ranks")


def _end(job: subprocess.Popen[str]) -> str:
    """End the job: mpirun ends its ranks. All that they have said."""
    job.terminate()
    try:
        return job.communicate(timeout=10)[0]
    except subprocess.TimeoutExpired:
        job.kill()
        return job.communicate()[0]


def _environment() -> dict[str, str]:
    """As it was when Python started, which is before MPI did: mpirun does not start from
    within what MPI takes for a job. More ranks than cores are allowed."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }


def _judge(status: int, told: str, mark: str, job: str) -> None:
    told, marked, verdict = told.partition(mark)
    if status != 0:
        raise AssertionError(f"{job} ended with status {status}:\n{told}")
    if not marked:
        raise AssertionError(f"{job} ended before its test did:\n{told}")
    skipped, end = json.JSONDecoder().raw_decode(verdict)
    print(told + verdict[end:], end="")
    if skipped:
        raise unittest.SkipTest("; ".join(dict.fromkeys(skipped)))


# ---- in the job -------------------------------------------------------------------


def main() -> NoReturn:
    """Run the tests of the script, as unittest.main() does. Under mpirun all ranks run
    them, rank 0 tells how it goes, and the first failure ends the job."""
    told = io.StringIO()  # what ranks other than 0 keep to themselves

    class Runner(unittest.TextTestRunner):
        def __init__(self, **options: Any) -> None:
            super().__init__(sys.stderr if world.rank == 0 else told, **options)

    failfast = True if world.size > 1 else None  # else as the command line says
    done = unittest.main(testRunner=Runner, failfast=failfast, exit=False).result
    if world.rank != 0 and not done.wasSuccessful():
        _tell(told.getvalue())
    sys.exit(not done.wasSuccessful())


def _tell(what: str) -> None:
    print(f"rank {world.rank} of {world.size}:\n{what}", file=sys.stderr, flush=True)


def _run_test(where: str, name: str, mark: str) -> None:
    """Run one test on this rank of a job."""
    case = _load(*json.loads(where))
    result = unittest.TestResult()
    unittest.TestSuite([case(name)]).run(result)
    # Whether a failure was expected is for the process outside to say.
    if failed := result.failures + result.errors + result.expectedFailures:
        _tell("\n".join(text for _, text in failed))
        sys.exit(1)
    skipped = world.gather([reason for _, reason in result.skipped])
    if skipped is not None:
        print(mark, json.dumps(sum(skipped, [])), sep="", flush=True)


def _load(module: str, file: str, name: str) -> Any:
    """The class of that name, by its module's name where that leads to its file."""
    if module == "__main__":
        module = Path(file).stem
    spec = _find(module)
    if not (spec and spec.has_location and os.path.samefile(spec.origin, file)):
        spec = importlib.util.spec_from_file_location(module, file)
    found = sys.modules[module] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return functools.reduce(getattr, name.split("."), found)


def _find(module: str) -> Any:
    try:
        return importlib.util.find_spec(module)
    except ModuleNotFoundError:  # a package that it should be in
        return None


if __name__ == "__main__":
    _run_test(*sys.argv[1:])
