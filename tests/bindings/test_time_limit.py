# SPDX-License-Identifier: MIT
"""on_time_limit: a signal, as the batch system sends it, calls a function of the script."""

import signal
import threading

import pytest
from mpirun import PYTHON, mpirun
from ranks import pypar, ranks

# Rank 0 signals rank 1 once that has told its pid and is likely to wait.
BEGIN = """
import os
import signal
import time
import pypar
from pypar import on_time_limit, world

def signal_rank_1():
    pid = world.receive(1)
    time.sleep(0.3)
    os.kill(pid, signal.SIGUSR1)

def tell_pid():
    world.send(os.getpid(), 0)

"""


@pytest.fixture
def job(script):
    def run(text):
        file = script("")
        file.write_text(BEGIN + text)
        done = mpirun(2, PYTHON, file)
        assert done.returncode == 0 and not done.stderr, done
        return done.stdout.splitlines()

    return run


@pytest.mark.parametrize(
    "waits, ends_it",
    [
        ("world.receive(0, tag=5)", "world.send(None, 1, tag=5)"),
        ("world.ireceive(0, tag=5).wait()", "world.send(None, 1, tag=5)"),
        ("world.probe(0, tag=5); world.receive(0, tag=5)", "world.send(None, 1, tag=5)"),
        ("world.send(bytes(10_000_000), 0, tag=6)", "world.receive(1, tag=6)"),
        ("world.barrier()", "world.barrier()"),
        ("world.allreduce(1, pypar.SUM)", "world.allreduce(1, pypar.SUM)"),
        ("world.iallgather(1).wait()", "world.iallgather(1).wait()"),
        ("while not called: pass", "None"),
        ("pypar.finalize()", "None"),
    ],
)
def test_the_function_is_called_while_the_rank_waits(job, waits, ends_it):
    """And it may send: the rank that it sends to is what the wait is for."""
    told = job(f"""
called = []
if world.rank == 0:
    signal_rank_1()
    assert world.receive(1, tag=7) == "time is up"
    {ends_it}
else:
    @on_time_limit
    def note():
        called.append(time.monotonic())
        world.send("time is up", 0, tag=7)

    tell_pid()
    {waits}
    assert len(called) == 1
    print("went on")
""")
    assert told == ["went on"]


def test_what_the_function_raises_ends_the_wait(job):
    told = job("""
class TimeIsUp(Exception):
    pass

if world.rank == 0:
    signal_rank_1()
else:
    @on_time_limit
    def stop():
        raise TimeIsUp

    tell_pid()
    try:
        world.receive(0)
    except TimeIsUp:
        print("stopped")
""")
    assert told == ["stopped"]


def test_functions_are_called_in_order_each_time_and_for_their_signal(job):
    told = job("""
def say(text):
    print(text)
    world.send("heard", 0)

if world.rank == 0:
    pid = world.receive(1)
    for number in signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR1:
        time.sleep(0.3)
        os.kill(pid, number)
        world.receive(1)  # two that have not been heard are one
    world.send(None, 1)
else:
    on_time_limit(lambda: print("first"))
    on_time_limit(lambda: say("second"))
    on_time_limit(lambda: say("of another"), signal.SIGUSR2)
    tell_pid()
    world.receive(0)
""")
    assert told == ["first", "second", "of another", "first", "second"]


def test_the_signal_harms_no_rank_that_has_left_the_script(job):
    told = job("""
if world.rank == 0:
    signal_rank_1()
    time.sleep(0.5)
    print("rank 0 has done its work")
else:
    on_time_limit(lambda: None)
    tell_pid()
""")
    assert told == ["rank 0 has done its work"]


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
def test_the_signal_harms_no_worker_of_pypar_pool(script, number):
    """Rank 0 alone runs the script, and has a function; the signal comes to all."""
    file = script(f"""
        import signal
        from pypar import Pool, on_time_limit

        on_time_limit(lambda: print("time is up"), {int(number)})
        with Pool(1) as pool:
            assert pool.apply(signal.raise_signal, [{int(number)}]) is None
            signal.raise_signal({int(number)})
            print(pool.apply(abs, [-1]))
    """)
    done = mpirun(2, PYTHON, "-m", "pypar", "pool", file)
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == "time is up\n1\n"


@ranks(1)
def test_what_is_given_comes_back(world):
    before = signal.getsignal(signal.SIGUSR2)

    def function():
        pass

    try:
        assert pypar.on_time_limit(function, signal.SIGUSR2) is function
    finally:
        signal.signal(signal.SIGUSR2, before)


@ranks(1)
def test_what_cannot_be_called_is_refused(world):
    with pytest.raises(TypeError, match="42"):
        pypar.on_time_limit(42)


@ranks(1)
def test_another_thread_than_the_main_one_is_refused(world):
    raised = []

    def register():
        try:
            pypar.on_time_limit(print)
        except ValueError as error:
            raised.append(error)

    thread = threading.Thread(target=register)
    thread.start()
    thread.join()
    assert "main thread" in str(raised)
