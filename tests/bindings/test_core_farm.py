# SPDX-License-Identifier: MIT
"""_core.Farm: tasks for whichever rank is free. pypar.Pool and Executor stand on it."""

import gc
import os
import signal
import threading
import time
import traceback
import weakref
from contextlib import contextmanager

import numpy as np
import pytest
from forms import form
from ranks import pypar, ranks
from test_memory import grown
from until import until

SECONDS = 60  # more than anything here takes
MIB = 1 << 20

here = {}  # what functions find on the rank that calls them


def report(error):
    """What is sent of an exception."""
    error.add_note(f"told: {traceback.format_exc().splitlines()[-1]}")
    return error


@contextmanager
def farming(world, on_error=report):
    """A farm whose ranks all serve. The body is for rank 0, and must not run on others."""
    farm = here["farm"] = pypar._core.Farm(world)
    if world.rank:
        yield farm
        farm.serve(on_error)
    else:
        server = threading.Thread(target=farm.serve, args=(on_error,))
        server.start()
        try:
            yield farm
        finally:
            farm.stop(discard=True)
            server.join()
    farm.close()


def results(farm, channel):
    """All that is outstanding there: {task: (ok, value)}."""
    found = {}
    while item := farm.next(channel, SECONDS):
        task, *found[task] = item
    return found


def call(farm, function, *args, **kwargs):
    """What FUNCTION comes to as a task."""
    channel, shared = farm.channel(False), farm.share(function)
    task = farm.submit(channel, shared, args, kwargs)
    found = farm.next(channel, SECONDS)
    assert found[0] == task
    assert farm.next(channel, SECONDS) is None
    farm.close_channel(channel)
    farm.forget(shared)
    return found[1:]


# ---- calls and results -----------------------------------------------------------


def told(*args, **kwargs):
    return args, kwargs


@ranks(1, 2, 3)
def test_a_function_is_called_with_what_was_submitted(world):
    with farming(world) as farm:
        if world.rank == 0:
            assert call(farm, told) == (True, ((), {}))
            assert call(farm, told, 1) == (True, ((1,), {}))
            assert call(farm, told, None) == (True, ((None,), {}))
            assert call(farm, told, (1, 2)) == (True, (((1, 2),), {}))
            assert call(farm, told, "a", [2], c=3) == (True, (("a", [2]), {"c": 3}))
            assert call(farm, told, b=None) == (True, ((), {"b": None}))
            assert call(farm, lambda x: x + 1, 41) == (True, 42)
            assert call(farm, "not a function".upper) == (True, "NOT A FUNCTION")


VALUES = [
    None,
    -1.5,
    "text €",
    "x" * 70_000,
    b"bytes" * 1000,
    bytearray(b"abc"),
    {"a": [1, (2, {3})]},
    pypar and pypar.Comm,
    np.arange(6, dtype="i2").reshape(2, 3),
    np.asfortranarray(np.arange(80_000.0).reshape(200, 400)),
    np.float32(2.5),
    np.zeros(0),
    np.zeros(3, "i4,f8"),
    [np.arange(3), np.arange(100_000)],
    {"a": np.arange(1000)},
]


def same(value):
    return value


@ranks(1, 2)
@pytest.mark.parametrize("number", range(len(VALUES)))
def test_any_object_goes_there_and_comes_back(world, number):
    value = VALUES[number]
    with farming(world) as farm:
        if world.rank == 0:
            ok, back = call(farm, same, value)
            assert ok and form(back) == form(value)
            ok, back = call(farm, told, value, two=value)
            assert ok and form(back) == form(((value,), {"two": value}))


@ranks(1, 2, 3)
def test_all_tasks_come_back_once(world):
    with farming(world) as farm:
        if world.rank == 0:
            shared = farm.share(abs)
            ordered, other = farm.channel(True), farm.channel(False)
            sent = {c: {} for c in (ordered, other)}
            for i in range(3000):
                for channel, tasks in sent.items():
                    tasks[farm.submit(channel, shared, (-i,))] = [True, i]
            assert list(results(farm, ordered).items()) == list(sent[ordered].items())
            assert results(farm, other) == sent[other]


@ranks(1, 2)
def test_many_calls_can_be_one_task(world):
    with farming(world) as farm:
        if world.rank == 0:
            channel, shared = farm.channel(True), farm.share(told)
            farm.submit_many(channel, shared, [1, (2, 3), None])
            farm.submit_many(channel, shared, [(), (2, 3), "ab"], star=True)
            farm.submit_many(channel, shared, [])
            farm.submit_many(channel, shared, [(), 5], star=True)
            found = [item[1:] for item in iter(lambda: farm.next(channel, SECONDS), None)]
            assert found[0] == (True, [((1,), {}), (((2, 3),), {}), ((None,), {})])
            assert found[1] == (True, [((), {}), ((2, 3), {}), (("a", "b"), {})])
            assert found[2] == (True, [])
            assert found[3][0] is False
            assert isinstance(found[3][1], TypeError)


# ---- arrays ------------------------------------------------------------------------


def doubled(array):
    array *= 2  # what came is the task's own
    return array


@ranks(1, 2, 3)
def test_large_arrays_are_kept_until_they_are_done_and_no_longer(world):
    with farming(world) as farm:
        if world.rank == 0:
            channel, shared = farm.channel(False), farm.share(doubled)
            sent, left = {}, []
            for i in range(20):
                array = np.full(MIB // 8, float(i))
                left.append(weakref.ref(array))
                sent[farm.submit(channel, shared, (array,))] = 2.0 * i
                del array
            for task, (ok, array) in results(farm, channel).items():
                assert ok and array.shape == (MIB // 8,)
                assert (array == sent[task]).all()
            end = time.monotonic() + SECONDS
            while any(ref() is not None for ref in left) and time.monotonic() < end:
                farm.next(channel)
            assert [ref() for ref in left] == [None] * 20


@ranks(2)
def test_a_large_array_as_a_result_is_its_own(world):
    with farming(world) as farm:
        if world.rank == 0:
            ok, array = call(farm, np.ones, (512, 512))
            assert ok and array.flags.writeable and array.flags.c_contiguous
            assert not array.flags.owndata  # it lies where it was received
            array += 1
            view = array[3:]
            del array
            gc.collect()
            assert view.sum() == 2 * 509 * 512


# ---- what goes wrong ---------------------------------------------------------------


class Odd(Exception):
    """It cannot be made of what its args say."""

    def __init__(self, one, two):
        super().__init__(one)


class Closed:
    def __reduce__(self):
        raise ValueError("never sent")


class Broken:
    def __reduce__(self):
        return broken, ()


def broken():
    raise LookupError("never made")


def fails(kind):
    if kind == "odd":
        raise Odd(1, 2)
    if kind == "exit":
        raise SystemExit(3)
    if kind == "closed error":
        raise OSError(Closed())
    if kind == "divide":
        return 1 / 0
    return {"closed": Closed, "broken": Broken}[kind]()


@ranks(1, 2)
@pytest.mark.parametrize(
    ("kind", "type", "text"),
    [
        ("divide", ZeroDivisionError, "division by zero"),
        ("exit", SystemExit, "3"),
        ("closed", ValueError, "never sent"),
        ("broken", LookupError, "never made"),
        ("odd", TypeError, "two"),
        ("closed error", RuntimeError, "OSError: .*Closed"),
    ],
)
def test_what_a_task_fails_with_is_what_it_comes_to(world, kind, type, text):
    with farming(world) as farm:
        if world.rank == 0:
            ok, error = call(farm, fails, kind)
            assert ok is False
            with pytest.raises(type, match=text):
                raise error
            if kind in ("divide", "exit"):
                name = type.__name__
                assert error.__notes__ == [f"told: {name}: {text}"]
            assert call(farm, abs, -1) == (True, 1)  # and nothing else has


@ranks(1, 2)
def test_arguments_that_cannot_be_decoded_fail_their_task(world):
    with farming(world) as farm:
        if world.rank == 0:
            ok, error = call(farm, told, Broken())
            assert not ok and isinstance(error, LookupError)
            ok, error = call(farm, Broken())
            assert not ok and isinstance(error, LookupError)
            ok, error = call(farm, 5, 1)
            assert not ok and isinstance(error, TypeError)


@ranks(1, 2)
def test_arguments_that_cannot_be_sent_are_not_submitted(world):
    with farming(world) as farm:
        if world.rank == 0:
            channel, shared = farm.channel(False), farm.share(told)
            with pytest.raises(ValueError, match="never sent"):
                farm.submit(channel, shared, (Closed(),))
            with pytest.raises(ValueError, match="never sent"):
                farm.submit(channel, shared, (np.zeros(MIB), Closed()))
            with pytest.raises(ValueError, match="never sent"):
                farm.submit_many(channel, shared, [Closed()])
            with pytest.raises(ValueError, match="never sent"):
                farm.share(Closed())
            assert farm.next(channel, SECONDS) is None


def refuse(error):
    raise MemoryError


@ranks(1, 2)
def test_where_on_error_fails_itself_the_error_is_told(world):
    with farming(world, refuse) as farm:
        if world.rank == 0:
            ok, error = call(farm, fails, "divide")
            assert not ok and type(error) is pypar.Error
            assert str(error).endswith("ZeroDivisionError: division by zero")
            assert "a task failed on rank" in str(error)


@ranks(1, 2)
def test_bad_arguments_are_refused(world):
    with farming(world) as farm:
        if world.rank == 0:
            channel, shared = farm.channel(False), farm.share(told)
            bad = [
                (ValueError, "channel", lambda: farm.submit(channel + 9, shared, ())),
                (ValueError, "channel", lambda: farm.next(channel + 9)),
                (ValueError, "channel", lambda: farm.close_channel(channel + 9)),
                (TypeError, "channel", lambda: farm.next("x")),
                (ValueError, "shared", lambda: farm.submit(channel, 0, ())),
                (ValueError, "shared", lambda: farm.submit(channel, shared + 9, ())),
                (ValueError, "shared is 'x'", lambda: farm.submit(channel, "x", ())),
                (ValueError, "shared", lambda: farm.forget(shared + 9)),
                (ValueError, "shared is -1", lambda: farm.forget(-1)),
                (TypeError, "args", lambda: farm.submit(channel, shared, [])),
                (TypeError, "kwargs", lambda: farm.submit(channel, shared, (), 5)),
                (TypeError, "items", lambda: farm.submit_many(channel, shared, ())),
                (ValueError, "task", lambda: farm.cancel(-1)),
                (ValueError, "timeout", lambda: farm.next(channel, -1)),
                (TypeError, "on_error", lambda: farm.serve(5)),
                (TypeError, "Comm", lambda: pypar._core.Farm(5)),
                (pypar.Error, "cannot be closed: 1 thread", farm.close),
            ]
            for kind, text, wrong in bad:
                with pytest.raises(kind, match=text):
                    wrong()
            assert farm.next(channel) is None
    with pytest.raises(ValueError, match=f"rank {world.rank}: the farm is closed"):
        farm.channel(True)
    farm.close()  # again is harmless


# ---- waiting -------------------------------------------------------------------------


@ranks(1, 2)
def test_a_timeout_leaves_the_task(world, tmp_path):
    with farming(world) as farm:
        if world.rank == 0:
            channel = farm.channel(False)
            farm.submit(channel, farm.share(until), (tmp_path / "go",))
            with pytest.raises(TimeoutError):
                farm.next(channel, 0)
            with pytest.raises(TimeoutError):
                farm.next(channel, 0.01)
            (tmp_path / "go").touch()
            assert farm.next(channel, SECONDS)[1:] == (True, "go")


@ranks(1, 2)
def test_a_signal_ends_a_wait_and_loses_nothing(world, tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    with farming(world) as farm:
        if world.rank == 0:
            channel = farm.channel(False)
            farm.submit(channel, farm.share(until), (tmp_path / "go",))
            before = signal.signal(signal.SIGALRM, interrupt)
            with pytest.raises(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                farm.next(channel, SECONDS)
            signal.signal(signal.SIGALRM, before)
            (tmp_path / "go").touch()
            assert farm.next(channel, SECONDS)[1:] == (True, "go")


def interrupt_this_rank():
    os.kill(os.getpid(), signal.SIGINT)


@ranks(2)
def test_ctrl_c_on_a_rank_that_serves_ends_its_service(world):
    farm = pypar._core.Farm(world)
    if world.rank == 0:
        channel, shared = farm.channel(True), farm.share(interrupt_this_rank)
        farm.submit(channel, shared, ())
        farm.submit(channel, farm.share(abs), (-1,))
        done, error = farm.next(channel, SECONDS)[1:]
        assert done or isinstance(error, KeyboardInterrupt)
        assert farm.next(channel, SECONDS)[1:] == (True, 1)
        farm.stop()
    else:
        with pytest.raises(KeyboardInterrupt):
            farm.serve(report)
        farm.serve(report)
    farm.close()


@ranks(1, 2)
def test_tasks_are_taken_back_before_they_begin(world, tmp_path):
    with farming(world) as farm:
        if world.rank == 0:
            channel, shared, go = farm.channel(False), farm.share(until), tmp_path / "go"
            busy = [farm.submit(channel, shared, (go,)) for _ in range(world.size)]
            waiting = [farm.submit(channel, shared, (go,)) for _ in range(50)]
            gone = {task for task in reversed(waiting) if farm.cancel(task)}
            assert len(gone) > 40
            go.touch()
            assert {*results(farm, channel)} == {*busy, *waiting} - gone
            assert not any(farm.cancel(task) for task in busy)


@ranks(1, 2)
def test_a_closed_channel_forgets_its_tasks(world):
    with farming(world) as farm:
        if world.rank == 0:
            channel, shared = farm.channel(False), farm.share(same)
            array = np.zeros(MIB)
            left = weakref.ref(array)
            for _ in range(20):
                farm.submit(channel, shared, (array,))
            del array
            farm.close_channel(channel)
            with pytest.raises(ValueError, match="channel"):
                farm.next(channel)
            until = time.monotonic() + SECONDS
            while left() is not None and time.monotonic() < until:
                assert call(farm, same, 5) == (True, 5)
            assert left() is None


# ---- functions -----------------------------------------------------------------------

LIVING = weakref.WeakSet()


class Counted:
    """A function that knows how many of its kind there are on its rank."""

    def __setstate__(self, state):
        LIVING.add(self)

    def __getstate__(self):
        return {"x": 1}

    def __call__(self):
        gc.collect()
        return len(LIVING)


@ranks(1, 2)
def test_a_function_is_decoded_once_and_dropped_when_it_is_forgotten(world):
    with farming(world) as farm:
        if world.rank == 0:
            channel, shared = farm.channel(True), farm.share(Counted())
            for _ in range(10):
                farm.submit(channel, shared, ())
            assert [value for _, value in results(farm, channel).values()] == [1] * 10
            farm.forget(shared)
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                if call(farm, Counted()) == (True, 1):
                    break
            else:
                pytest.fail("the forgotten function is still there")


# ---- tasks within tasks ------------------------------------------------------------


def fibonacci(n):
    if n < 2:
        return n
    farm = here["farm"]
    channel, shared = farm.channel(False), farm.share(fibonacci)
    farm.submit(channel, shared, (n - 1,))
    farm.submit(channel, shared, (n - 2,))
    found = [value for _, value in results(farm, channel).values()]
    farm.close_channel(channel)
    farm.forget(shared)
    return sum(found)


@ranks(1, 2, 3)
def test_a_task_waits_for_tasks_of_its_own(world):
    with farming(world) as farm:
        if world.rank == 0:
            assert call(farm, fibonacci, 9) == (True, 34)


def by_a_thread(n):
    """A thread of its own collects what a task waits for."""
    if n == 0:
        return 0
    farm, found = here["farm"], []
    channel, shared = farm.channel(False), farm.share(by_a_thread)
    farm.submit(channel, shared, (n - 1,))
    farm.submit(channel, shared, (n - 1,))
    thread = threading.Thread(target=lambda: found.append(results(farm, channel)))
    thread.start()
    thread.join()
    return 1 + sum(value for _, value in found[0].values())


@ranks(1, 2)
def test_another_thread_may_collect_for_a_task(world):
    with farming(world) as farm:
        if world.rank == 0:
            assert call(farm, by_a_thread, 4) == (True, 15)


def depth_of_stack(n):
    farm = here["farm"]
    if n == 0:
        return len(traceback.extract_stack())
    return max(found[1] for found in [call(farm, depth_of_stack, n - 1)])


@ranks(1, 2)
def test_tasks_may_be_nested_deeply(world):
    with farming(world) as farm:
        if world.rank == 0:
            ok, depth = call(farm, depth_of_stack, 40)
            assert ok and depth < 1000


# ---- the process ---------------------------------------------------------------------


@ranks(1, 2)
@pytest.mark.parametrize("what", ["small", "array", "error"])
def test_tasks_keep_nothing(world, what):
    function, argument = {
        "small": (same, [1, "two", 3.0]),
        "array": (same, np.zeros(30_000)),
        "error": (fails, "divide"),
    }[what]
    rounds, smallest = 300, 20
    with farming(world, same) as farm:
        if world.rank == 0:
            channel, shared = farm.channel(False), farm.share(function)

            def work():
                farm.submit(channel, shared, (argument,))
                assert farm.next(channel, SECONDS)[1] is (what != "error")

            assert min(grown(work, rounds) for _ in range(3)) < rounds * smallest


@ranks(1, 2)
def test_farms_follow_each_other_and_live_side_by_side(world):
    for _ in range(5):
        with farming(world) as farm:
            if world.rank == 0:
                assert call(farm, abs, -2) == (True, 2)
    other = world.duplicate()
    farms = [pypar._core.Farm(comm) for comm in (world, other)]
    servers = [threading.Thread(target=farm.serve, args=(report,)) for farm in farms]
    for server in servers:
        server.start()
    if world.rank == 0:
        for farm in farms:
            assert (farm.rank, farm.size) == (0, world.size)
            assert call(farm, abs, -2) == (True, 2)
            farm.stop()
    for server, farm in zip(servers, farms, strict=True):
        server.join()
        farm.close()
    other.free()
