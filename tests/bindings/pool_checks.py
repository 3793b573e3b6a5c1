# SPDX-License-Identifier: MIT
"""What holds for Pool wherever its workers are: test_pool.py has pytest run this file on
processes, and on rank 0 of jobs of several ranks. What it asks of Pool is what
multiprocessing's does."""

import functools
import gc
import itertools
import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
import time
import weakref
from concurrent.futures import BrokenExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.pool import RemoteTraceback
from pathlib import Path

import numpy as np
import pypar
import pytest
from until import until

SECONDS = 60  # what would take longer is lost


def square(x):
    return x * x


def add(a, b, c=0):
    return a + b + c


def fail_at_zero(x):
    if x == 0:
        raise ZeroDivisionError("at zero")
    return x


def unpicklable(_):
    return threading.Lock()


def sleep_from_now_on(folder):
    (folder / str(os.getpid())).touch()
    time.sleep(1000 * SECONDS)


def loop_from_now_on(folder):
    (folder / str(os.getpid())).touch()
    while True:
        pass


def meet(place, count):
    """A task that lasts until count of them are being done."""
    os.close(tempfile.mkstemp(dir=place)[0])
    limit = time.monotonic() + SECONDS
    while len(os.listdir(place)) < count:
        assert time.monotonic() < limit
        time.sleep(0.005)
    return True


def wait_for_files(folder):
    limit = time.monotonic() + SECONDS
    while not os.listdir(folder):
        assert time.monotonic() < limit
        time.sleep(0.005)


class Picky(Exception):
    """Pickles, but is not to be made of what it pickles."""

    def __init__(self, one, two):
        super().__init__("told")


def raise_picky(_):
    raise Picky(1, 2)


def leave(status):
    raise SystemExit(status)


class Scale:
    def __init__(self, factor):
        self.factor = factor

    def times(self, x):
        return self.factor * x

    def __call__(self, x):
        return self.times(x)


@pytest.fixture(scope="module")
def pool():
    with pypar.Pool() as pool:
        yield pool


# -- one call ---------------------------------------------------------------------------


def test_apply_is_a_call(pool):
    assert pool.apply(add, (1, 2)) == 3
    assert pool.apply(add, (1,), {"b": 2, "c": 3}) == 6
    assert pool.apply(dict) == {}


def test_apply_async_is_a_result_that_comes(pool):
    result = pool.apply_async(add, (1, 2))
    assert result.get(SECONDS) == 3
    assert result.ready() and result.successful()
    result.wait()
    assert result.get() == 3


def test_a_result_that_has_not_come_is_told_as_either_timeout(pool, tmp_path):
    result = pool.apply_async(until, (tmp_path / "go",))
    for kind in multiprocessing.TimeoutError, TimeoutError:
        with pytest.raises(kind, match="0.01"):
            result.get(timeout=0.01)
    assert not result.ready()
    with pytest.raises(ValueError, match="not ready"):
        result.successful()
    (tmp_path / "go").touch()
    assert result.get(SECONDS) == "go"


def test_callbacks_are_called_by_a_thread_each_with_its_own(pool):
    told = []
    pool.apply_async(add, (1, 2), callback=told.append).wait(SECONDS)
    pool.map_async(square, range(3), callback=told.append).wait(SECONDS)
    pool.starmap_async(add, [(1, 2)], callback=told.append).wait(SECONDS)
    assert told == [3, [0, 1, 4], [3]]
    pool.apply_async(
        fail_at_zero, (0,), callback=told.append, error_callback=lambda e: told.append(e)
    ).wait(SECONDS)
    pool.map_async(fail_at_zero, [1, 0], error_callback=told.append).wait(SECONDS)
    assert [str(each) for each in told[3:]] == ["at zero"] * 2
    threads = []
    pool.apply_async(
        square, (1,), callback=lambda _: threads.append(threading.current_thread())
    ).wait(SECONDS)
    assert threads and threads[0] is not threading.current_thread()


def test_a_callback_may_hand_in_more(pool):
    more = []
    done = threading.Event()

    def again(value):
        more.append(value)
        if value < 100:
            pool.apply_async(square, (value + 1,), callback=again)
        else:
            done.set()

    pool.apply_async(square, (1,), callback=again)
    assert done.wait(SECONDS)
    assert more == [1, 4, 25, 676]


# -- many calls --------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("chunksize", [None, 1, 3, 1000])
def test_map_is_in_order_whatever_the_chunks(pool, length, chunksize):
    items = range(length)
    assert pool.map(square, items, chunksize) == [x * x for x in items]
    assert pool.map(square, iter(items), chunksize) == [x * x for x in items]
    pairs = list(zip(items, items, strict=True))
    assert pool.starmap(add, pairs, chunksize) == [2 * x for x in items]
    assert pool.starmap_async(add, pairs, chunksize).get(SECONDS) == [
        2 * x for x in items
    ]


@pytest.mark.parametrize("length", [0, 1, 7, 500])
@pytest.mark.parametrize("chunksize", [1, 3, 1000])
def test_imap_gives_one_by_one_in_order_or_as_they_come(pool, length, chunksize):
    squares = [x * x for x in range(length)]
    results = pool.imap(square, range(length), chunksize)
    assert iter(results) is results
    assert list(results) == squares
    with pytest.raises(StopIteration):
        next(results)
    assert sorted(pool.imap_unordered(square, range(length), chunksize)) == squares


def test_imap_takes_some_items_ahead_and_no_more(pool):
    taken = itertools.count()
    results = pool.imap(square, taken)
    first = next(taken)
    assert 2 <= first < 10000
    assert list(itertools.islice(results, 2000)) == [
        x * x for x in range(2001) if x != first
    ]
    results.close()


@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_imap_takes_an_array_as_it_is_before_the_next_item(pool, size):
    def source():
        array = np.empty(size)
        for value in range(50):
            array[:] = value
            yield array

    for imap in pool.imap, pool.imap_unordered:
        assert sorted(imap(np.mean, source())) == list(range(50))


def test_imap_goes_on_after_the_exception_of_an_item(pool):
    results = pool.imap(fail_at_zero, [1, 0, 2])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError, match="at zero"):
        next(results)
    assert list(results) == [2]
    good, bad = [], 0
    results = pool.imap_unordered(fail_at_zero, [0, 1, 0, 2])
    while True:
        try:
            good.append(next(results))
        except StopIteration:
            break
        except ZeroDivisionError:
            bad += 1
    assert sorted(good) == [1, 2] and bad == 2


@pytest.mark.parametrize("chunksize", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_imap_raises_the_exception_of_its_items_source_in_its_place(
    pool, chunksize, count
):
    def source():
        yield from range(1, count + 1)
        raise LookupError("of the source")

    for imap in pool.imap, pool.imap_unordered:
        results = imap(square, source(), chunksize)
        got = []
        with pytest.raises(LookupError, match="of the source"):
            while True:
                got.append(results.next(SECONDS))
        rest = list(results)  # where order is that of arrival
        assert sorted(got + rest) == [x * x for x in range(1, count + 1)]
        assert imap == pool.imap_unordered or rest == []


def test_next_of_imap_has_a_timeout_and_may_be_called_again(pool, tmp_path):
    results = pool.imap(until, [tmp_path / "go"])
    for seconds in 0.01, 0, -1:
        with pytest.raises(multiprocessing.TimeoutError):
            results.next(timeout=seconds)
    (tmp_path / "go").touch()
    assert results.next(SECONDS) == "go"


def test_several_imaps_at_a_time_and_one_of_anothers_results(pool):
    inner = pool.imap(square, range(200))
    outer = pool.imap(square, inner)
    other = pool.imap_unordered(square, range(200))
    assert [next(other) in range(40000) for _ in range(100)] == [True] * 100
    assert list(outer) == [x**4 for x in range(200)]
    assert len(list(other)) == 100


@pytest.mark.parametrize("call", ["map", "imap", "imap_unordered", "starmap"])
@pytest.mark.parametrize("chunksize", [0, -1])
def test_a_chunk_has_one_item_at_least(pool, call, chunksize):
    with pytest.raises(ValueError, match=f"chunksize is {chunksize}"):
        getattr(pool, call)(square, [1], chunksize)
    if "map" in call and "imap" not in call:
        with pytest.raises(ValueError, match=f"chunksize is {chunksize}"):
            getattr(pool, call)(square, [1], chunksize, progress=True)


@pytest.mark.parametrize("call", ["map", "imap", "imap_unordered", "starmap"])
@pytest.mark.parametrize("chunksize", [1.5, "3"])
def test_a_chunk_has_a_whole_number_of_items(pool, call, chunksize):
    with pytest.raises(TypeError, match=f"chunksize is {chunksize!r}"):
        getattr(pool, call)(square, [1], chunksize)


def test_arrays_go_both_ways(pool):
    arrays = [np.arange(n, dtype=float) for n in (0, 1, 1000, 100_000)]
    for got, array in zip(pool.imap(square, arrays), arrays, strict=True):
        assert got.dtype == array.dtype
        np.testing.assert_array_equal(got, array * array)


@pytest.mark.parametrize(
    "array",
    [
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.array(["2020-01-01"], "M8[D]"),
        np.array([1, 2], ">i4"),
        np.array(["ä", "b"]),
        np.array([1, "a", None], object),
        np.arange(10)[::2],
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_of_any_type_go_both_ways(pool, array):
    got = pool.apply(np.copy, (array,))
    assert got.dtype == array.dtype
    np.testing.assert_array_equal(got, array)


def test_many_small_tasks_lose_nothing(pool):
    assert sum(pool.imap_unordered(square, range(5000))) == sum(
        x * x for x in range(5000)
    )


# -- what may be called --------------------------------------------------------------------


def test_functions_may_be_anything(pool):
    offset = 10

    def closure(x):
        return x + offset

    assert pool.map(lambda x: x + 1, [1, 2]) == [2, 3]
    assert pool.map(closure, [1, 2]) == [11, 12]
    assert pool.map(functools.partial(add, 100), [1, 2], 1) == [101, 102]
    assert pool.map(Scale(3).times, [1, 2]) == [3, 6]
    assert pool.map(Scale(4), [1, 2]) == [4, 8]
    assert pool.map(str, [1, 2]) == ["1", "2"]
    assert pool.map("{}!".format, [1, 2]) == ["1!", "2!"]


def test_a_function_that_has_changed_is_sent_again(pool):
    scale = Scale(2)
    assert pool.map(scale, [1]) == [2]
    scale.factor = 3
    assert pool.map(scale, [1]) == [3]
    offset = 1

    def closure(x):
        return x + offset

    assert pool.apply(closure, (0,)) == 1
    offset = 2
    assert pool.apply(closure, (0,)) == 2


def test_any_number_of_functions(pool):
    results = [pool.apply_async(lambda x, n=n: x + n, (1,)) for n in range(300)]
    assert [result.get(SECONDS) for result in results] == [n + 1 for n in range(300)]


# -- exceptions ------------------------------------------------------------------------------


def test_an_exception_has_the_workers_traceback_as_its_cause(pool):
    for call in pool.apply, lambda f, args: pool.map(f, args):
        with pytest.raises(ZeroDivisionError, match="at zero") as caught:
            call(fail_at_zero, (0,))
        assert type(caught.value.__cause__) is RemoteTraceback
        told = str(caught.value.__cause__)
        assert "in fail_at_zero" in told and "pool_checks.py" in told


def test_map_raises_once_all_are_done_that_of_the_first_item(pool, tmp_path):
    def leave_a_trace(x):
        if x in (3, 5):
            raise ValueError(f"item {x}")
        (tmp_path / str(x)).touch()

    with pytest.raises(ValueError, match="item 3"):
        pool.map(leave_a_trace, range(9), chunksize=1)
    assert sorted(os.listdir(tmp_path)) == list("0124678")


def test_what_cannot_be_sent_is_an_exception_of_its_task(pool):
    lock = threading.Lock()
    with pytest.raises(TypeError, match="lock"):
        pool.apply(unpicklable, (0,))
    with pytest.raises(TypeError, match="lock"):
        pool.apply(square, (lock,))
    with pytest.raises(TypeError, match="lock"):
        pool.map(square, [1, lock])
    results = pool.imap(square, [1, lock, 2])
    assert next(results) == 1
    with pytest.raises(TypeError, match="lock"):
        next(results)
    assert list(results) == [4]
    with pytest.raises(TypeError, match="lock"):
        pool.apply(lambda: lock)
    assert pool.apply(square, (3,)) == 9


def test_an_exception_that_cannot_be_read_again_is_told_in_words(pool):
    with pytest.raises(RuntimeError, match="Picky: told") as caught:
        pool.apply(raise_picky, (0,))
    assert "in raise_picky" in str(caught.value.__cause__)


def test_a_task_cannot_end_its_worker_by_leaving_python(pool):
    with pytest.raises(SystemExit):
        pool.apply(leave, (3,))
    assert pool.map(square, range(10)) == [x * x for x in range(10)]


# -- tasks that hand in tasks ---------------------------------------------------------------


def fibonacci(n):
    if n < 2:
        return n
    pool = pypar.Pool()
    later = pool.apply_async(fibonacci, (n - 1,))
    return pool.apply(fibonacci, (n - 2,)) + later.get()


def test_tasks_may_hand_in_tasks_to_any_depth(pool):
    assert pool.map(fibonacci, range(7)) == [0, 1, 1, 2, 3, 5, 8]


def sum_of_squares(n):
    with pypar.Pool() as pool:
        total = sum(pool.imap_unordered(square, range(n)))
        assert total == sum(pool.map(square, range(n)))
        return total


def test_tasks_may_have_pools_of_their_own(pool):
    wanted = [sum(x * x for x in range(n)) for n in range(12)]
    assert list(pool.imap(sum_of_squares, range(12))) == wanted


def total(array):
    return int(array.sum())


def totals_of_large(count):
    arrays = [np.full(300_000, k) for k in range(count)]
    with pypar.Pool() as pool:
        return pool.map(total, arrays, chunksize=1)


def test_tasks_may_hand_in_large_ones_that_others_do(pool):
    wanted = [300_000 * k for k in range(6)]
    assert pool.map(totals_of_large, [6] * 5, chunksize=1) == [wanted] * 5
    assert pool.apply(totals_of_large, (6,)) == wanted


# -- the initializer --------------------------------------------------------------------------

prepared = []


def prepare(*words):
    prepared.append(words)


def what_is_prepared(_):
    return os.getpid(), threading.get_ident(), prepared[-1], len(prepared)


def test_the_initializer_is_called_once_before_the_first_task():
    for word in "first", "second":
        with pypar.Pool(initializer=prepare, initargs=(word, 2)) as pool:
            seen = set(pool.map(what_is_prepared, range(50), chunksize=1))
        assert {words for *_, words, _ in seen} == {(word, 2)}
        assert len({worker for worker, *_ in seen}) == len({each[::3] for each in seen})


def test_tasks_behind_an_initializer_that_fails_say_so():
    with pypar.Pool(initializer=fail_at_zero, initargs=(0,)) as pool:
        for _ in range(3):
            with pytest.raises(BrokenExecutor, match="ZeroDivisionError: at zero"):
                pool.apply(square, (1,))
    with pytest.raises(TypeError, match="callable"):
        pypar.Pool(initializer=3)


# -- its life -----------------------------------------------------------------------------------


def test_there_may_be_several_pools_and_one_after_the_other(pool):
    for _ in range(3):
        with pypar.Pool() as one, pypar.Pool(1) as other:
            first = one.map_async(square, range(100))
            assert other.map(square, range(100)) == first.get(SECONDS)
    assert pool.apply(square, (2,)) == 4


def test_no_more_tasks_are_done_at_a_time_than_there_are_processes(tmp_path):
    def alone(number):
        file = os.open(tmp_path / "lock", os.O_CREAT | os.O_EXCL)
        time.sleep(0.002)
        os.close(file)
        os.unlink(tmp_path / "lock")
        return number

    with pypar.Pool(processes=1) as pool:
        assert pool.map(alone, range(10), chunksize=1) == list(range(10))
        assert sorted(pool.imap_unordered(alone, range(10))) == list(range(10))


@pytest.mark.parametrize("name", ["processes", "maxtasksperchild"])
@pytest.mark.parametrize("value", [0, -1])
def test_numbers_are_from_1_on(name, value):
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        pypar.Pool(**{name: value})


@pytest.mark.parametrize("name", ["processes", "maxtasksperchild"])
@pytest.mark.parametrize("value", [1.5, "3"])
def test_numbers_are_whole(name, value):
    with pytest.raises(TypeError, match=f"{name} is {value!r}"):
        pypar.Pool(**{name: value})


@pytest.mark.parametrize("name, value", [("timeout", -1), ("retries", -1)])
def test_what_isolated_tasks_cannot_have_is_told_at_once(name, value):
    with pytest.raises(ValueError, match=f"{name}=-1"):
        pypar.Pool(**{name: value})


def test_after_close_what_was_handed_in_is_done():
    pool = pypar.Pool()
    assert "state=RUN" in repr(pool)
    later = pool.map_async(square, range(100), chunksize=1)
    results = pool.imap(square, range(1000))
    in_chunks = pool.imap(square, range(1000), chunksize=3)
    with pytest.raises(ValueError, match="still running"):
        pool.join()
    pool.close()
    for call in pool.map, pool.imap, pool.imap_unordered, pool.map_async, pool.apply:
        with pytest.raises(ValueError, match="not running"):
            call(square, [1])
    with pytest.raises(ValueError, match="not running"):
        pool.__enter__()
    pool.join()
    assert later.ready() and later.get() == [x * x for x in range(100)]
    assert list(results) == [x * x for x in range(1000)]
    assert list(in_chunks) == [x * x for x in range(1000)]
    assert "state=CLOSE" in repr(pool)
    pool.close()
    pool.join()


def test_a_result_nobody_waits_for_is_made(tmp_path):
    pool = pypar.Pool()
    pool.imap_unordered(lambda name: (tmp_path / str(name)).touch(), range(100))
    pool.close()
    pool.join()
    assert len(os.listdir(tmp_path)) == 100


def test_terminate_takes_back_what_has_not_begun(tmp_path):
    def begin(name):
        (tmp_path / str(name)).touch()
        time.sleep(0.1)

    with pypar.Pool() as pool:
        later = pool.map_async(begin, range(1000), chunksize=1)
        results = pool.imap(begin, range(1000, 2000))
    with pytest.raises(RuntimeError, match="ended"):
        later.get(SECONDS)
    with pytest.raises(RuntimeError, match="ended"):
        results.next(SECONDS)
    pool.join()
    with pytest.raises(ValueError, match="not running"):
        pool.apply(square, (1,))
    assert len(os.listdir(tmp_path)) < 1000


def test_terminate_wakes_who_waits(tmp_path):
    pool = pypar.Pool()
    later = pool.apply_async(until, (tmp_path / "go",))
    results = pool.imap(until, [tmp_path / "go"])
    timer = threading.Timer(0.1, pool.terminate)
    timer.start()
    with pytest.raises(RuntimeError, match="ended"):
        results.next(SECONDS)
    with pytest.raises(RuntimeError, match="ended"):
        later.get(SECONDS)
    (tmp_path / "go").touch()
    timer.join()


@pytest.mark.parametrize("task", [sleep_from_now_on, loop_from_now_on])
@pytest.mark.parametrize("isolate", [False, True])
def test_terminate_ends_what_has_begun(tmp_path, task, isolate):
    begun, place = tmp_path / "begun", tmp_path / "place"
    begun.mkdir()
    place.mkdir()
    with pypar.Pool(isolate=isolate) as pool:
        later = pool.map_async(task, [begun] * 20, chunksize=1)
        wait_for_files(begun)
    with pytest.raises(RuntimeError, match="ended"):
        later.get(SECONDS)
    pool.join()
    with pypar.Pool() as pool:  # which has all workers
        count = pool._session.size
        fresh = functools.partial(meet, place, count)  # nobody knows how long that takes
        assert all(pool.starmap(fresh, [()] * count, chunksize=1))


def test_terminate_kills_the_processes_of_isolated_tasks(tmp_path):
    with pypar.Pool(isolate=True) as pool:
        pool.map_async(sleep_from_now_on, [tmp_path] * 2, chunksize=1)
        wait_for_files(tmp_path)
    limit = time.monotonic() + SECONDS
    for pid in os.listdir(tmp_path):
        while Path("/proc", pid).exists():
            assert time.monotonic() < limit
            time.sleep(0.005)


def test_terminate_tells_all_who_wait(tmp_path):
    pool = pypar.Pool()
    later = pool.map_async(sleep_from_now_on, [tmp_path] * 3, chunksize=1)
    told = []

    def wait():
        try:
            later.get(SECONDS)
        except RuntimeError as error:
            told.append(str(error))

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for_files(tmp_path)
    pool.terminate()
    for thread in threads:
        thread.join()
    assert told == ["the pool has ended before this was done"] * 4


def test_terminate_may_come_just_when_a_task_ends():
    rounds = 200 if pypar.size() > 1 else 5  # processes are to be made anew
    for i in range(rounds):
        with pypar.Pool() as pool:
            pool.map_async(time.sleep, [0.001 + i % 7 / 7000] * 20, chunksize=1)
            time.sleep(0.002 + i % 11 / 11000)
    with pypar.Pool() as pool:
        assert pool.map(square, range(100)) == [x * x for x in range(100)]


def test_ctrl_c_ends_what_has_begun(tmp_path):
    def interrupt():
        wait_for_files(tmp_path)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), pypar.Pool() as pool:
            threading.Thread(target=interrupt).start()
            pool.map(sleep_from_now_on, [tmp_path] * 10, chunksize=1)
    finally:
        signal.signal(signal.SIGINT, before)
    with pypar.Pool() as pool:
        assert pool.map(square, [1, 2]) == [1, 4]


def test_a_pool_cannot_be_sent(pool):
    with pytest.raises(NotImplementedError, match="pickled"):
        pickle.dumps(pool)


def test_what_nobody_has_any_more_ends():
    threads = threading.active_count()
    pool = pypar.Pool()
    seen = weakref.ref(pool)
    assert pool.map(square, [1]) == [1]
    assert list(pool.imap(square, [2])) == [4]
    results = pool.imap(square, itertools.count())
    next(results)
    del pool, results
    gc.collect()
    assert seen() is None
    limit = time.monotonic() + SECONDS
    while threading.active_count() > threads and time.monotonic() < limit:
        time.sleep(0.01)
    assert threading.active_count() <= threads


def test_a_result_keeps_its_pool():
    assert pypar.Pool().map_async(square, [1, 2]).get(SECONDS) == [1, 4]
    assert list(pypar.Pool().imap(square, [1, 2])) == [1, 4]


# -- isolated tasks, a journal, progress -----------------------------------------------------------


def crash_at_zero(x):
    if x == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def test_with_isolate_a_crash_is_an_exception_of_its_task_alone():
    with pypar.Pool(isolate=True) as pool:
        later = [pool.apply_async(crash_at_zero, (x,)) for x in (1, 0, 2)]
        assert [later[0].get(SECONDS), later[2].get(SECONDS)] == [1, 2]
        with pytest.raises(BrokenProcessPool, match="SIGKILL"):
            later[1].get(SECONDS)
        with pytest.raises(BrokenProcessPool, match="SIGKILL"):
            pool.map(crash_at_zero, [1, 2, 0])


def test_a_task_may_have_a_time_limit():
    with pypar.Pool(timeout=0.2) as pool:
        with pytest.raises(TimeoutError, match=r"0\.2"):
            pool.apply(time.sleep, (SECONDS,))


def test_isolated_tasks_have_an_initializer_too():
    with pypar.Pool(isolate=True, initializer=prepare, initargs=("isolated",)) as pool:
        assert pool.apply(what_is_prepared, (0,))[2] == ("isolated",)


def test_a_journal_spares_what_is_done(pool, tmp_path):
    journal, traces = tmp_path / "journal", tmp_path / "traces"
    traces.mkdir()

    def leave_a_trace(x):
        file = traces / str(x)
        file.write_text(file.read_text() + "x" if file.exists() else "x")
        if x == 3 and not (tmp_path / "again").exists():
            raise ValueError("item 3")
        return x * x

    with pytest.raises(ValueError, match="item 3"):
        pool.map(leave_a_trace, range(6), journal=journal)
    (tmp_path / "again").touch()
    squares = [x * x for x in range(6)]
    assert pool.map(leave_a_trace, range(6), journal=journal) == squares
    assert pool.starmap(max, [(1, 2), (4, 3)], journal=tmp_path / "other") == [2, 4]
    assert [len((traces / str(x)).read_text()) for x in range(6)] == [1, 1, 1, 2, 1, 1]


def test_a_map_that_ends_early_takes_back_what_has_not_begun(pool, tmp_path, monkeypatch):
    def leave_a_trace(x):
        (tmp_path / str(x)).touch()
        time.sleep(0.01)

    def find_the_disk_full(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr("pypar.journal.Journal.add", find_the_disk_full)
    journal = tmp_path / "journal"
    with pytest.raises(OSError, match="full"):
        pool.map(leave_a_trace, range(1000), journal=journal)
    journal.unlink()
    pool.map(square, range(1000))
    assert len(os.listdir(tmp_path)) < 1000


@pytest.mark.parametrize("chunksize", [None, 3])
def test_progress_is_shown(pool, capsys, chunksize):
    pytest.importorskip("tqdm")
    items = range(20)
    squares = [x * x for x in items]
    assert pool.map(square, items, chunksize, progress=True) == squares
    assert "20/20" in capsys.readouterr().err
