# SPDX-License-Identifier: MIT
"""Functions in processes of their own: whatever becomes of those, the caller lives on.

Functions are local here, so that they are pickled by value: a process that had to import
this file would join MPI.
"""

import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.pool import RemoteTraceback
from pathlib import Path

import pytest
from mpirun import PYTHON, alone, mpirun
from ranks import IN_RANK, ranks

if IN_RANK:
    from pypar.isolated import MAX_FUNCTIONS, Isolated, TaskTimeout, WorkerCrashed

SECONDS = 60  # until something is taken not to come


def ended(pid):
    """Whether the process has ended, a while later at most."""
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


@ranks(1)
def test_a_call_gives_what_the_function_returns(world):
    def tell(*args, **kwargs):
        return args, kwargs

    isolated = Isolated(tell)
    assert isolated(1, b=[2]) == ((1,), {"b": [2]})
    big = b"x" * 10_000_000
    assert isolated(big) == ((big,), {})
    assert Isolated(lambda: os.getpid())() != os.getpid()


@ranks(1)
def test_the_process_is_no_rank_and_has_nothing_of_the_program(world):
    def look():
        return [name for name in sys.modules if name.split(".")[0] in ("pypar", "pytest")]

    assert Isolated(look)() == []


@ranks(1)
def test_a_local_class_is_the_same_there_and_here(world):
    class Point:
        def __init__(self, x):
            self.x = x

    def double(point):
        assert isinstance(point, Point)
        return Point(2 * point.x)

    result = Isolated(double)(Point(4))
    assert type(result) is Point and result.x == 8


@ranks(1)
def test_an_exception_comes_with_the_traceback_of_the_process(world):
    def fail_on_purpose():
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone") as caught:
        Isolated(fail_on_purpose, retries=3)()
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert "in fail_on_purpose" in str(caught.value.__cause__)


@ranks(1)
def test_what_cannot_be_pickled_is_an_exception_of_that_call(world):
    class Odd(Exception):
        def __init__(self, one, two):
            super().__init__(f"{one} and {two}")

    def raise_odd():
        raise Odd(1, 2)

    with pytest.raises(RuntimeError, match="Odd: 1 and 2"):
        Isolated(raise_odd)()
    with pytest.raises(TypeError, match="pickle"):
        Isolated(threading.Lock)()
    with pytest.raises(TypeError, match="pickle"):
        Isolated(id)(threading.Lock())
    assert Isolated(abs)(-3) == 3


@ranks(1)
def test_leaving_python_is_an_exception_too(world):
    with pytest.raises(SystemExit):
        Isolated(sys.exit)(3)


CRASHES = {
    "SIGSEGV": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "SIGABRT": lambda: os.abort(),
    "signal 40": lambda: os.kill(os.getpid(), 40),
}


@ranks(1)
@pytest.mark.parametrize("name", CRASHES)
def test_a_signal_kills_the_task_alone(world, name):
    before = Isolated(os.getpid)()
    with pytest.raises(WorkerCrashed, match=f"killed by {name}\\b") as caught:
        Isolated(CRASHES[name])()
    crash = caught.value
    number = int(name.split()[1]) if " " in name else signal.Signals[name]
    assert (crash.signal, crash.status, crash.tries) == (number, None, 1)
    assert isinstance(crash, BrokenProcessPool)
    assert Isolated(os.getpid)() != before


@ranks(1)
def test_a_crash_tells_its_status_memory_and_last_words(world):
    def leave():
        memory = bytearray(100_000_000)
        sys.stderr.write("first\n" * 5000 + "last\n")
        os._exit(len(memory) % 7 + 3)

    with pytest.raises(WorkerCrashed, match="left Python with status 5") as caught:
        Isolated(leave)()
    crash = caught.value
    assert (crash.signal, crash.status) == (None, 5)
    assert 100_000_000 < crash.peak_memory < 300_000_000
    assert crash.stderr.endswith("first\nlast\n")
    assert str(crash).endswith("    last")
    for error in crash, TaskTimeout("late", tries=2):
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is type(error)
        assert (copy.args, vars(copy)) == (error.args, vars(error))


@ranks(1)
def test_a_segmentation_fault_shows_the_line_that_it_came_from(world):
    def touch_nothing():
        import ctypes

        ctypes.string_at(0)

    with pytest.raises(WorkerCrashed, match="SIGSEGV") as caught:
        Isolated(touch_nothing)()
    assert "Fatal Python error" in caught.value.stderr
    assert "in touch_nothing" in caught.value.stderr


@ranks(1)
def test_a_task_that_is_late_is_killed_with_what_it_has_started(world, tmp_path):
    def sleep():
        child = subprocess.Popen(["sleep", "600"])
        (tmp_path / "new").write_text(str(child.pid))
        (tmp_path / "new").rename(tmp_path / "pid")
        child.wait()

    seconds = 0.5
    while not (tmp_path / "pid").exists():  # a busy machine may not get that far
        with pytest.raises(TaskTimeout, match=f"longer than {seconds:g} s") as caught:
            Isolated(sleep, timeout=seconds)()
        seconds *= 2
    assert ended(int((tmp_path / "pid").read_text()))
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, WorkerCrashed)
    assert Isolated(abs, timeout=SECONDS)(-3) == 3


@ranks(1)
def test_what_crashes_is_tried_again_and_what_always_does_is_given_up(world, tmp_path):
    def crash_until(tries):
        with open(tmp_path / str(tries), "a") as file:
            file.write("x")
        if (tmp_path / str(tries)).stat().st_size < tries:
            os._exit(1)
        return "done"

    assert Isolated(crash_until, retries=2)(3) == "done"
    with pytest.raises(WorkerCrashed, match="3 times") as caught:
        Isolated(crash_until, retries=2)(100)
    assert caught.value.tries == 3
    assert (tmp_path / "100").stat().st_size == 3


@ranks(1)
def test_a_process_does_many_tasks_or_as_many_as_it_may(world):
    pids = [Isolated(os.getpid)() for _ in range(5)]
    assert len(set(pids)) == 1
    one_by_one = Isolated(os.getpid, maxtasksperchild=2)
    pids = [one_by_one() for _ in range(8)]
    assert len(set(pids[1:])) == 4
    assert ended(pids[0])


@ranks(1)
def test_a_process_does_not_keep_functions_without_end(world):
    def made(number):
        return lambda: (os.getpid(), number)

    count = 2 * MAX_FUNCTIONS + 1
    pids, numbers = zip(
        *(Isolated(made(number))() for number in range(count)), strict=True
    )
    assert numbers == tuple(range(count))
    assert 2 <= len(set(pids)) <= 4


@ranks(1)
def test_the_initializer_runs_once_in_each_process(world):
    calls = []

    def count():
        return len(calls)

    isolated = Isolated(
        count, initializer=calls.append, initargs=["x"], maxtasksperchild=3
    )
    assert [isolated() for _ in range(6)] == [1] * 6
    assert calls == []

    def fail():
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"):
        Isolated(count, initializer=fail)()


@ranks(1)
def test_each_thread_has_a_process_of_its_own_and_takes_it_along(world):
    pids = []
    together = threading.Barrier(3)

    def call():
        pids.append(Isolated(os.getpid)())
        together.wait(SECONDS)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pids)) == 3
    assert all(map(ended, pids))


@ranks(1)
def test_who_was_killed_while_idle_is_not_held_against_the_next_task(world):
    pid = Isolated(os.getpid)()
    os.kill(pid, signal.SIGKILL)
    assert ended(pid)
    assert Isolated(abs)(-3) == 3


@ranks(1)
def test_an_interrupt_ends_the_wait_and_the_task(world, tmp_path):
    def sleep():
        (tmp_path / "new").write_text(str(os.getpid()))
        (tmp_path / "new").rename(tmp_path / "pid")
        time.sleep(600)

    def interrupt():
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        Isolated(sleep)()
    thread.join()
    assert ended(int((tmp_path / "pid").read_text()))
    assert Isolated(abs)(-3) == 3


@ranks(1)
def test_processes_that_die_at_random_lose_no_result(world):
    def square(number):
        if random.random() < 0.3:
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number

    isolated = Isolated(square, retries=100)
    assert [isolated(n) for n in range(100)] == [n * n for n in range(100)]


@ranks(1)
@pytest.mark.parametrize(
    "wrong",
    [{"timeout": 0}, {"retries": -1}, {"maxtasksperchild": 0}, {"timeout": float("nan")}],
)
def test_a_number_out_of_its_range_is_refused(world, wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        Isolated(abs, **wrong)
    with pytest.raises(TypeError, match="wants a function, not 3"):
        Isolated(3)


SCRIPT = """
import os
import pypar
from pypar.isolated import Isolated, WorkerCrashed

def leave():  # there is no "if __name__": the process doesn't run the script
    os.write(2, f"words of {rank}\\n".encode())  # at once, whatever the buffer
    os._exit(3)

rank = pypar.rank()
try:
    Isolated(leave)()
except WorkerCrashed as crash:
    assert crash.rank == rank and crash.host == pypar.get_processor_name()
    assert crash.stderr == f"words of {rank}\\n"
    assert f"on rank {rank} of" in str(crash)
assert Isolated(lambda: (pypar.rank(), pypar.size()))() == (0, 1)
pypar.barrier()
"""


def test_ranks_have_processes_of_their_own(script):
    done = mpirun(2, PYTHON, script(SCRIPT))
    assert done.returncode == 0, done
    assert sorted(done.stderr.splitlines()) == ["words of 0", "words of 1"], done


def test_a_signal_to_the_ranks_group_is_the_ranks(script):
    done = alone(
        PYTHON,
        script(
            """
            import os, signal
            from pypar.isolated import Isolated

            before = Isolated(os.getpid)()
            for number in signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT:
                signal.signal(number, lambda *of: print("got it"))
                os.killpg(0, number)
                assert Isolated(os.getpid)() == before
            """
        ),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "got it\n" * 3, ""), done


def test_a_task_may_start_a_job(script):
    done = alone(
        PYTHON,
        script(
            """
            import subprocess, sys
            from pypar.isolated import Isolated

            program = "import pypar; print(pypar.rank(), 'of', pypar.size())"
            words = ["mpirun", "--oversubscribe", "-np", "2", sys.executable, "-c", program]
            assert Isolated(subprocess.run)(words).returncode == 0
            """
        ),
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    assert sorted(done.stdout.splitlines()) == ["0 of 2", "1 of 2"], done


def test_nothing_outlives_a_rank_that_is_killed(script):
    done = alone(
        PYTHON,
        script(
            """
            import os, signal, threading, time
            from pypar.isolated import Isolated

            def kill():
                os.kill(rank, signal.SIGKILL)
                time.sleep(600)

            rank = os.getpid()
            Isolated(kill)()
            """
        ),
    )  # which sees to it that no process of the session is left
    assert done.returncode == -signal.SIGKILL, done


CHAOS = """
import os, random, signal, time
import numpy as np
import pypar

def square(number):
    if random.random() < 0.2:
        os.kill(os.getpid(), random.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM]))
    return number * number

def total(array):
    if random.random() < 0.2:
        os._exit(1)
    return array.sum(), array

with pypar.Pool(isolate=True, retries=100) as pool:
    assert pool.map(square, range(300)) == [n * n for n in range(300)]
    arrays = [np.arange(200_000.0) + n for n in range(20)]
    for array, (sum, same) in zip(arrays, pool.imap(total, arrays)):
        assert sum == array.sum() and (same == array).all()
with pypar.Executor(timeout=0.5) as executor:
    slow, *quick = [executor.submit(time.sleep, seconds) for seconds in (600, 0, 0, 0)]
    assert isinstance(slow.exception(), pypar.TaskTimeout)
    for future in quick:
        assert future.exception() is None or isinstance(future.exception(), TimeoutError)
print("done")
"""


@pytest.mark.parametrize("n", [1, 3])
def test_a_pool_whose_processes_die_at_random_loses_no_result(script, n):
    done = mpirun(n, PYTHON, script(CHAOS), timeout=300)
    assert (done.returncode, done.stdout) == (0, "done\n"), done


def test_a_rank_without_stdout_has_processes_too(script):
    path = script(
        """
        import pypar

        def square(n):
            return n * n

        with pypar.Pool(isolate=True) as pool:
            assert pool.map(square, range(3)) == [0, 1, 4]
        """
    )
    done = alone("sh", "-c", 'exec "$@" >&-', "sh", PYTHON, path)
    assert (done.returncode, done.stderr) == (0, ""), done
