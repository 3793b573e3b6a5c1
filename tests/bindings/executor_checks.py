# SPDX-License-Identifier: MIT
"""What holds for Executor wherever its workers are, run by test_pool.py as pool_checks.py
is: what concurrent.futures' executors do."""

import asyncio
import itertools
import os
import threading
import time
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Future,
    as_completed,
    wait,
)
from concurrent.futures import Executor as AnyExecutor

import pypar
import pytest
from pool_checks import RemoteTraceback, add, fail_at_zero, square
from until import until

SECONDS = 60  # what would take longer is lost


@pytest.fixture(scope="module")
def executor():
    with pypar.Executor() as executor:
        assert isinstance(executor, AnyExecutor)
        yield executor


# -- futures ----------------------------------------------------------------------------


def test_a_future_has_the_result_or_the_exception(executor):
    future = executor.submit(add, 1, b=2)
    assert isinstance(future, Future)
    assert future.result(SECONDS) == 3
    assert future.done() and not future.cancel() and not future.cancelled()
    future = executor.submit(fail_at_zero, 0)
    with pytest.raises(ZeroDivisionError, match="at zero"):
        future.result(SECONDS)
    assert type(future.exception().__cause__) is RemoteTraceback
    assert "in fail_at_zero" in str(future.exception().__cause__)


def test_any_keyword_is_the_functions(executor):
    assert executor.submit(dict, fn=1, self=2, timeout=3).result(SECONDS) == {
        "fn": 1,
        "self": 2,
        "timeout": 3,
    }


def test_callbacks_and_timeouts_are_those_of_futures(executor, tmp_path):
    told = []
    future = executor.submit(until, tmp_path / "go")
    future.add_done_callback(told.append)
    with pytest.raises(TimeoutError):
        future.result(0.01)
    (tmp_path / "go").touch()
    assert future.result(SECONDS) == "go"
    assert wait([future], SECONDS).done == {future}
    limit = time.monotonic() + SECONDS
    while not told and time.monotonic() < limit:
        time.sleep(0.01)
    assert told == [future]


def test_wait_and_as_completed_know_the_futures(executor):
    futures = {executor.submit(square, x): x for x in range(100)}
    for future in as_completed(futures, SECONDS):
        assert future.result() == futures[future] ** 2
    futures = [executor.submit(fail_at_zero, x) for x in (1, 0, 2)]
    done, late = wait(futures, SECONDS)
    assert len(done) == 3 and not late


def test_what_cannot_be_sent_is_an_exception_of_its_future(executor):
    lock = threading.Lock()
    assert isinstance(executor.submit(square, lock).exception(SECONDS), TypeError)
    assert isinstance(executor.submit(lambda: lock).exception(SECONDS), TypeError)
    assert isinstance(
        executor.submit(lambda: threading.Lock()).exception(SECONDS), TypeError
    )
    assert executor.submit(square, 2).result(SECONDS) == 4


def test_what_has_not_begun_can_be_cancelled(tmp_path):
    with pypar.Executor() as executor:
        first = executor.submit(square, 3)
        assert first.result(SECONDS) == 9
        go = [tmp_path / "first", *[tmp_path / "all"] * (200 + executor._max_workers)]
        futures = [executor.submit(until, path) for path in go]
        last = futures[-1]
        assert last.cancel() and last.cancelled() and last.done() and last.cancel()
        with pytest.raises(CancelledError):
            last.result(SECONDS)
        assert last in wait(futures[-1:], SECONDS).done
        go[0].touch()
        assert futures[0].result(SECONDS) == "first"
        executor.shutdown(wait=False, cancel_futures=True)
        go[1].touch()
        executor.shutdown()
        assert all(future.done() for future in futures)
        assert sum(future.cancelled() for future in futures) > 100


def test_asyncio_takes_it(executor):
    async def main():
        loop = asyncio.get_running_loop()
        return await asyncio.gather(
            *(loop.run_in_executor(executor, square, x) for x in range(10))
        )

    assert asyncio.run(main()) == [x * x for x in range(10)]


# -- map --------------------------------------------------------------------------------


@pytest.mark.parametrize("chunksize", [1, 3, 100])
@pytest.mark.parametrize("buffersize", [None, 1, 5])
def test_map_is_that_of_several_iterables_in_order(executor, chunksize, buffersize):
    results = executor.map(
        add, range(50), itertools.count(), chunksize=chunksize, buffersize=buffersize
    )
    assert list(results) == [2 * x for x in range(50)]
    assert list(executor.map(square, [], chunksize=chunksize)) == []


def test_a_buffer_bounds_what_is_taken_ahead(executor):
    taken = itertools.count()
    results = executor.map(square, taken, buffersize=4)
    assert next(taken) == 4
    assert [next(results) for _ in range(4)] == [0, 1, 4, 9]
    assert next(taken) <= 9
    results.close()


def test_maps_timeout_counts_from_the_call(executor, tmp_path):
    assert list(executor.map(square, [1, 2], timeout=SECONDS)) == [1, 4]
    results = executor.map(until, [tmp_path / "go"], timeout=0.01)
    with pytest.raises(TimeoutError):
        next(results)
    (tmp_path / "go").touch()


def test_map_raises_where_the_result_would_be_and_ends(executor):
    results = executor.map(fail_at_zero, [1, 0, 2])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError, match="at zero"):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


@pytest.mark.parametrize("name", ["chunksize", "buffersize"])
def test_numbers_are_from_1_on(executor, name):
    with pytest.raises(ValueError, match=f"{name} is 0"):
        executor.map(square, [1], **{name: 0})
    with pytest.raises(ValueError, match="max_workers is 0"):
        pypar.Executor(0)


# -- its life -----------------------------------------------------------------------------


def test_shutdown_waits_for_what_was_handed_in(tmp_path):
    executor = pypar.Executor()
    futures = [executor.submit(square, x) for x in range(100)]
    executor.map(lambda name: (tmp_path / str(name)).touch(), range(100))
    executor.shutdown()
    assert [future.result(0) for future in futures] == [x * x for x in range(100)]
    assert len(os.listdir(tmp_path)) == 100
    for call in executor.submit, executor.map:
        with pytest.raises(RuntimeError, match="after shutdown"):
            call(square, [1])
    executor.shutdown()


@pytest.mark.parametrize("chunksize", [1, 2])
def test_shutdown_ends_a_map_with_a_buffer(chunksize):
    with pypar.Executor() as executor:
        endless = executor.map(
            square, itertools.count(), chunksize=chunksize, buffersize=4
        )
        whole = executor.map(square, range(4), chunksize=chunksize, buffersize=4)
        assert next(endless) == 0
    for x in range(1, 4):
        assert next(endless) == x * x
    with pytest.raises(RuntimeError, match="after shutdown"):
        list(endless)
    assert list(whole) == [0, 1, 4, 9]


def test_shutdown_need_not_wait(tmp_path):
    executor = pypar.Executor()
    future = executor.submit(until, tmp_path / "go")
    executor.shutdown(wait=False)
    assert not future.done()
    (tmp_path / "go").touch()
    assert future.result(SECONDS) == "go"


def test_a_future_keeps_its_executor():
    assert pypar.Executor().submit(square, 3).result(SECONDS) == 9
    assert list(pypar.Executor().map(square, [1, 2])) == [1, 4]


def test_an_initializer_that_fails_breaks_it():
    with pypar.Executor(initializer=fail_at_zero, initargs=(0,)) as executor:
        with pytest.raises(BrokenExecutor, match="at zero"):
            executor.submit(square, 1).result(SECONDS)
        limit = time.monotonic() + SECONDS
        with pytest.raises(BrokenExecutor, match="at zero"):
            while time.monotonic() < limit:
                executor.submit(square, 1)


def count_leaves(depth):
    if depth == 0:
        return 1
    executor = pypar.Executor()
    futures = [executor.submit(count_leaves, depth - 1) for _ in range(2)]
    return sum(future.result() for future in as_completed(futures))


def test_tasks_may_wait_for_tasks_by_any_function_of_the_standard_library(executor):
    assert list(executor.map(count_leaves, [3] * 4)) == [8] * 4
