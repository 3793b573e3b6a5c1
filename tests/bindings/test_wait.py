# SPDX-License-Identifier: MIT
"""While a rank waits: signals reach it, its other threads run, its core is free."""

import gc
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from forms import form
from ranks import pypar, ranks


class SignalAfter:
    """Sends this process a signal while the body runs, from a thread of its own; who
    expects an exception of it does so around this, as it may come at once."""

    def __init__(self, number, seconds=0.3):
        self.timer = threading.Timer(seconds, os.kill, (os.getpid(), number))

    def __enter__(self):
        self.timer.start()

    def __exit__(self, *_):
        self.timer.cancel()
        self.timer.join()


@pytest.fixture
def handler():
    """Set a handler for the time of the test."""
    before = {}

    def set_handler(number, function):
        before[number] = signal.signal(number, function)

    yield set_handler
    for number, function in before.items():
        signal.signal(number, function)


@ranks(2)
@pytest.mark.parametrize("size", [10, 200_000])
def test_ctrl_c_interrupts_a_receive_and_the_message_comes_later(world, handler, size):
    handler(signal.SIGINT, signal.default_int_handler)
    value = np.arange(size)
    if world.rank == 0:
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt), SignalAfter(signal.SIGINT):
                world.receive(1)
        world.send("go", 1)
        assert form(world.receive(1)) == form(value)
        assert world.receive(1) == "last"
    else:
        assert world.receive(0) == "go"
        world.send(value, 0)
        world.send("last", 0)


@ranks(2)
def test_an_interrupted_receive_leaves_messages_for_others_alone(world, handler):
    handler(signal.SIGINT, signal.default_int_handler)
    if world.rank == 0:
        for source, tag in ((1, 5), (-1, 5), (1, -1), (-1, -1)):
            with pytest.raises(KeyboardInterrupt), SignalAfter(signal.SIGINT):
                world.receive(source, tag)
        world.send("go", 1, 9)
        assert [world.receive(1, 7) for _ in range(3)] == [0, 1, 2]
        assert [world.receive(-1, 5) for _ in range(3)] == [0, 1, 2]
    else:
        world.receive(0, 9)
        for i in range(3):
            world.send(i, 0, 5)
            world.send(i, 0, 7)


@ranks(1)
def test_ctrl_c_interrupts_a_receive_into_a_buffer_and_leaves_it(world, handler):
    handler(signal.SIGINT, signal.default_int_handler)
    buffer = np.full(5, -1)
    with pytest.raises(KeyboardInterrupt), SignalAfter(signal.SIGINT):
        world.receive(0, buffer=buffer)
    assert (buffer == -1).all()
    world.send(np.arange(5), 0)
    assert world.receive(0).tolist() == [0, 1, 2, 3, 4]
    assert (buffer == -1).all()


@ranks(2)
def test_ctrl_c_interrupts_a_send_that_waits_and_it_goes_on(world, handler):
    handler(signal.SIGINT, signal.default_int_handler)
    if world.rank == 0:
        for make in (lambda: np.arange(1_000_000), lambda: ["x" * 8_000_000, 1]):
            with pytest.raises(KeyboardInterrupt), SignalAfter(signal.SIGINT):
                world.send(make(), 1)
            gc.collect()
            make()  # takes the place of the other, were that freed
            world.send("small", 1)
        world.send("go", 1, 2)
    else:
        assert world.receive(0, 2) == "go"
        assert form(world.receive(0)) == form(np.arange(1_000_000))
        assert world.receive(0) == "small"
        assert world.receive(0) == ["x" * 8_000_000, 1]
        assert world.receive(0) == "small"


@ranks(2)
def test_ctrl_c_interrupts_a_barrier(world, handler):
    handler(signal.SIGINT, signal.default_int_handler)
    comm = world.duplicate()  # of the world's calls no rank lacks one after this
    if world.rank == 0:
        with pytest.raises(KeyboardInterrupt), SignalAfter(signal.SIGINT):
            comm.barrier()
    world.send("still", 1 - world.rank)
    assert world.receive(1 - world.rank) == "still"


def from_mpi4py(comm):
    return pypar.from_mpi4py(pytest.importorskip("mpi4py.MPI").COMM_WORLD)


def to_mpi4py(comm):
    pytest.importorskip("mpi4py")
    return comm.to_mpi4py()


TOGETHER = {
    "split": lambda comm: comm.split(0),
    "duplicate": lambda comm: comm.duplicate(),
    "node": lambda comm: comm.node,
    "free": lambda comm: comm.free(),
    "to_mpi4py": to_mpi4py,
    "from_mpi4py": from_mpi4py,
    "place": lambda comm: pypar.place("none"),
}


@ranks(2, 3)
@pytest.mark.parametrize("name", TOGETHER)
def test_ctrl_c_in_what_all_do_together_is_an_error_of_all(
    world, handler, tmp_path, name
):
    """Those that come later find that one has come, and gone."""
    handler(signal.SIGINT, signal.default_int_handler)
    call, comm = TOGETHER[name], world.duplicate()
    gone = world.broadcast(tmp_path / "gone", root=1)
    if world.rank == 1:
        with pytest.raises(KeyboardInterrupt), SignalAfter(signal.SIGINT, 1):
            call(comm)
        gone.touch()
    else:
        while not gone.exists():  # not by a message, which would bring the news
            time.sleep(0.01)
        with pytest.raises(pypar.Error, match="failed on rank 1"):
            call(comm)
    call(comm)
    assert world.allgather(world.rank) == list(range(world.size))


@ranks(2)
def test_ctrl_c_stays_one_while_what_a_collective_call_sends_is_waited_for(
    world, handler, tmp_path
):
    comm, came = world.duplicate(), world.broadcast(tmp_path / "came", root=1)

    def stop(number, frame):
        came.touch()
        raise KeyboardInterrupt("mine")

    if world.rank == 1:
        handler(signal.SIGINT, stop)
        with pytest.raises(KeyboardInterrupt), SignalAfter(signal.SIGINT, 1):
            comm.allgather(np.ones(300_000))
    else:
        while not came.exists():
            time.sleep(0.01)
        time.sleep(0.5)  # so that the other looks where it waits
        with suppress(pypar.Error):  # or it learns that from its next call
            comm.allgather(np.ones(300_000))
    world.barrier()


@ranks(1)
def test_a_handler_that_returns_lets_the_wait_go_on(world, handler):
    seen = []

    def note(number, frame):
        seen.append(number)
        world.send("from the handler", 0)

    handler(signal.SIGALRM, note)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    assert world.receive(0) == "from the handler"
    assert seen == [signal.SIGALRM]


@ranks(1)
def test_the_exception_of_a_handler_passes(world, handler):
    def fail(number, frame):
        raise LookupError("mine")

    handler(signal.SIGALRM, fail)
    with pytest.raises(LookupError, match="mine"):
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        world.receive(0)


@ranks(1)
def test_a_signal_is_answered_soon(world, handler):
    """Once in several times: the machine may stand still meanwhile."""
    late, came = [], []
    handler(signal.SIGALRM, lambda *_: came.append(time.monotonic()))
    while len(late) < 6 and (not late or late[-1] >= 1):
        due = time.monotonic() + 0.2
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        timer = threading.Timer(1.5, world.send, ("end", 0))
        timer.start()
        world.receive(0)  # what comes only now is 1.3 s late
        timer.join()
        late.append(came[-1] - due)
    assert late[-1] < 1, late


# -- threads --------------------------------------------------------------------


@ranks(1)
def test_a_waiting_thread_lets_others_run(world):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(world.receive, 0, 5)
        time.sleep(0.1)
        counted = sum(range(1_000_000))  # with the waiting thread beside it
        world.send("other", 0, 6)
        assert world.receive(0, 6) == "other"
        assert not waiting.done()
        world.send(counted, 0, 5)
        assert waiting.result(30) == counted


@ranks(2)
def test_threads_of_both_ranks_talk_at_once(world):
    other, count = 1 - world.rank, 300

    def talk(tag):
        for i in range(count):
            value = (tag, i, "x" * (i * 29 % 9000))
            if world.rank == 0:
                world.send(value, other, tag)
                assert world.receive(other, tag) == value
            else:
                world.send(world.receive(other, tag), other, tag)
        return tag

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(talk, range(100, 108))) == list(range(100, 108))


@ranks(2)
def test_threads_share_the_messages_of_one_tag(world):
    """Each message goes to one of those who wait for it, to exactly one."""
    count = 400
    if world.rank == 0:
        for i in range(count):
            world.send((i, b"y" * (i * 37 % 9000)), 1, 3)
    else:
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(lambda _: world.receive(0, 3)[0], range(count)))
        assert sorted(got) == list(range(count))


@ranks(2)
def test_threads_send_arrays_at_once(world):
    other = 1 - world.rank

    def swap(tag):
        mine = np.full(50_000 + tag, world.rank)
        buffer = np.zeros(50_000 + tag, int)
        with ThreadPoolExecutor(1) as side:
            sending = side.submit(world.send, mine, other, tag)
            world.receive(other, tag, buffer=buffer)
            sending.result(30)
        return (buffer == other).all()

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(swap, range(1, 9)))


@ranks(1)
def test_ctrl_c_goes_to_the_main_thread_while_another_waits(world, handler):
    handler(signal.SIGINT, signal.default_int_handler)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(world.receive, 0, 5)
        with pytest.raises(KeyboardInterrupt), SignalAfter(signal.SIGINT):
            world.receive(0, 6)
        assert not waiting.done()
        world.send("for the thread", 0, 5)
        assert waiting.result(30) == "for the thread"


@ranks(2)
def test_a_long_wait_leaves_the_core_to_others(world):
    """In one of several: all that goes on beside it makes it dearer."""
    shares = []
    for _ in range(3):
        if world.rank == 0:
            before, used = time.monotonic(), time.process_time()
            world.receive(1)
            used = time.process_time() - used
            shares.append(used / (time.monotonic() - before))
            world.send("again", 1)
        else:
            time.sleep(1)
            world.send("at last", 0)
            world.receive(0)
    if world.rank == 0:
        assert min(shares) < 0.25, shares


@ranks(2)
def test_a_thread_that_computes_does_not_starve_one_that_receives(world):
    """The GIL is asked for again after a wait, and got."""
    rounds, stop = 100, threading.Event()

    def compute():
        while not stop.is_set():
            sum(range(1000))

    computing = threading.Thread(target=compute)
    if world.rank == 0:
        computing.start()
    try:
        for i in range(rounds):
            if world.rank == 0:
                world.send(i, 1)
                assert world.receive(1) == i
            else:
                world.send(world.receive(0), 0)
    finally:
        stop.set()
        if world.rank == 0:
            computing.join()


@ranks(1)
def test_pypar_is_used_by_a_thread_while_the_main_thread_joins_it(world):
    results = []

    def work():
        world.send([1, 2], 0)
        results.append(world.receive(0))
        results.append(pypar.world.gather(5))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert results == [[1, 2], [5]]
