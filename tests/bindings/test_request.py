# SPDX-License-Identifier: MIT
"""Operations under way: isend, ireceive, wait, test, cancel, await, probe."""

import asyncio
import gc
import random
import signal
import textwrap
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from forms import form
from mpirun import PYTHON, mpirun
from ranks import pypar, ranks

VALUES = {
    "number": lambda: 5,
    "text": lambda: "text",
    "list": lambda: [1, {"a": None}],
    "long list": lambda: list(range(5000)),
    "array": lambda: np.arange(10.0),
    "large array": lambda: np.arange(300_000.0),
    "strided": lambda: np.arange(300_000)[::3],
    "holder": lambda: {"a": np.arange(100_000)},
}


@ranks(2)
@pytest.mark.parametrize("name", VALUES)
def test_what_is_sent_so_arrives(world, name):
    other = 1 - world.rank
    receiving = world.ireceive(other, 5)
    sending = world.isend(VALUES[name](), other, 5)
    assert form(receiving.wait()) == form(VALUES[name]())
    assert sending.wait() is None
    assert receiving.done and sending.done
    status = receiving.status
    assert (status.source, status.tag) == (other, 5)
    assert sending.status is None


@ranks(2)
@pytest.mark.parametrize("name", VALUES)
def test_both_forms_meet_the_blocking_ones(world, name):
    value = VALUES[name]()
    if world.rank == 0:
        world.isend(value, 1).wait()
        assert form(world.ireceive(1).wait()) == form(value)
    else:
        assert form(world.receive(0)) == form(value)
        world.send(value, 0)


@ranks(1)
def test_a_request_is_not_done_before_its_message(world):
    request = world.ireceive(0, 3)
    assert not request.test() and not request.done
    assert request.status is None
    with pytest.raises(pypar.Error):
        request.result  # noqa: B018
    assert "under way" in repr(request) and "receive" in repr(request)
    world.send("now", 0, 3)
    assert request.wait(10) == "now"
    assert request.test() and request.done
    assert "done" in repr(request)
    for _ in range(2):
        assert request.wait() == request.result == "now"


@ranks(2)
def test_a_large_send_is_not_done_before_it_is_received(world):
    if world.rank == 0:
        sending = world.isend(np.zeros(1_000_000), 1)
        world.send("go", 1, 2)
        assert world.receive(1, 3) == "not yet"
        assert not sending.test()
        world.send("now", 1, 4)
        assert sending.wait() is None
    else:
        assert world.receive(0, 2) == "go"
        world.send("not yet", 0, 3)
        assert world.receive(0, 4) == "now"
        assert world.receive(0).size == 1_000_000


@ranks(1)
def test_a_wait_with_a_timeout_ends_and_the_operation_goes_on(world):
    request = world.ireceive(0)
    for seconds in (0, 0.05, 0.2):
        before = time.monotonic()
        with pytest.raises(TimeoutError):
            request.wait(seconds)
        assert seconds <= time.monotonic() - before < seconds + 20
    world.send("at last", 0)
    assert request.wait(timeout=10) == "at last"
    assert request.wait(0) == "at last"


@ranks(1)
@pytest.mark.parametrize("timeout", [-1, float("nan"), -0.001])
def test_no_such_timeout(world, timeout):
    request = world.ireceive(0)
    with pytest.raises(ValueError):
        request.wait(timeout)
    with pytest.raises(ValueError):
        pypar.wait_some([request], timeout)
    with pytest.raises(TypeError):
        request.wait("1")
    assert request.cancel()


@ranks(2)
@pytest.mark.parametrize("size", [10, 500_000])
def test_a_copy_is_sent_where_that_is_asked_for(world, size):
    other = 1 - world.rank
    value = np.arange(size)
    held = [value, b"x" * size]
    requests = [world.isend(value, other, 5, copy=True)]
    requests.append(world.isend(held, other, tag=6, copy=True))
    value[:] = -1
    assert (world.receive(other, 5) == np.arange(size)).all()
    assert (world.receive(other, 6)[0] == np.arange(size)).all()
    for request in requests:
        request.wait()


@ranks(1)
def test_receives_take_their_messages_in_the_order_they_were_started(world):
    requests = [world.ireceive(0, 5) for _ in range(20)]
    any_tag = world.ireceive(0, -1)
    for i in range(21):
        world.send(i, 0, 5)
    assert any_tag.wait() == 20
    for i in reversed(range(20)):
        assert requests[i].wait() == i


@ranks(2)
def test_requests_end_in_any_order(world):
    other, count = 1 - world.rank, 200
    order = list(range(count))
    sizes = [(i * 997) % 9000 for i in range(count)]
    receiving = {i: world.ireceive(other, i) for i in order}
    random.Random(world.rank).shuffle(order)
    sending = [world.isend(np.full(sizes[i], i), other, i) for i in order]
    random.Random(9).shuffle(order)
    for i in order:
        got = receiving[i].wait()
        assert got.size == sizes[i] and (got == i).all()
    for request in sending:
        request.wait()
    world.barrier()  # MPI may still hold some of them, and moves only while it is called


@ranks(2)
def test_into_a_buffer(world):
    other = 1 - world.rank
    for size in (5, 100_000):
        buffer = np.full(size + 3, -1)
        request = world.ireceive(other, 1, buffer)
        sending = world.isend(np.arange(size), other)
        assert request.wait() is buffer
        assert (buffer[:size] == np.arange(size)).all() and (buffer[size:] == -1).all()
        assert request.status.length == size
        sending.wait()


@ranks(1)
def test_a_message_that_does_not_fit_its_buffer_stays(world):
    request = world.ireceive(0, 1, np.zeros(3))
    world.send(np.arange(5.0), 0)
    for _ in range(2):
        with pytest.raises(pypar.SizeMismatch):
            request.wait()
    assert request.done
    assert "failed" in repr(request)
    assert world.receive(0).tolist() == [0, 1, 2, 3, 4]


# -- several ----------------------------------------------------------------------


@ranks(2)
def test_wait_some_gives_those_that_are_done(world):
    other = 1 - world.rank
    requests = [world.ireceive(other, tag) for tag in range(6)]
    assert pypar.wait_some(requests, 0) == []
    assert pypar.wait_some(requests, timeout=0.1) == []
    world.barrier()
    for tag in (4, 2):
        world.send(tag, other, tag)
    got = []
    while len(got) < 2:
        done = pypar.wait_some([r for r in requests if r not in got])
        assert done
        got += done
    assert sorted(request.result for request in got) == [2, 4]
    assert set(pypar.wait_some(requests)) == set(got)  # those done stay done
    world.barrier()
    for tag in (0, 1, 3, 5):
        world.send(tag, other, tag)
    assert [request.wait() for request in requests] == list(range(6))
    assert pypar.wait_some(requests) == requests


@ranks(1)
def test_wait_some_of_none_one_twice_and_of_other_things(world):
    assert pypar.wait_some([]) == []
    request = world.ireceive(0)
    world.send(5, 0)
    assert pypar.wait_some([request, request]) == [request, request]
    assert request.result == 5
    with pytest.raises(TypeError, match="Request"):
        pypar.wait_some([request, 5])
    with pytest.raises(TypeError):
        pypar.wait_some(5)


@ranks(4)
def test_a_master_waits_for_whoever_comes_first(world):
    if world.rank:
        for i in range(50):
            world.send((world.rank, i), 0, tag=world.rank)
        return
    pending = {world.ireceive(rank, rank): rank for rank in range(1, world.size)}
    got = []
    while pending:
        for request in pypar.wait_some(pending):
            rank = pending.pop(request)
            got.append(request.result)
            if request.result[1] < 49:
                pending[world.ireceive(rank, rank)] = rank
    for rank in range(1, world.size):
        assert [i for r, i in got if r == rank] == list(range(50))


# -- ends that are not the usual -----------------------------------------------------


@ranks(1)
def test_a_cancelled_receive_loses_no_message(world):
    request = world.ireceive(0, 4)
    assert request.cancel() is True
    with pytest.raises(pypar.Error, match="cancel"):
        request.wait()
    assert request.done
    world.send("kept", 0, 4)
    assert world.receive(0, 4) == "kept"
    assert request.cancel() is False


@ranks(2)
def test_what_has_come_or_is_a_send_cannot_be_cancelled(world):
    if world.rank == 0:
        request = world.ireceive(1)
        world.send("go", 1)
        assert world.probe(1, 2).tag == 2  # sent after the other
        assert request.cancel() is False
        assert request.wait() == "came"
        sending = world.isend(np.zeros(500_000), 1, 3)
        assert sending.cancel() is False
        sending.wait()
    else:
        world.receive(0)
        world.send("came", 0)
        world.send("second", 0, 2)
        assert world.receive(0, 3).size == 500_000
        return
    assert world.receive(1, 2) == "second"


@ranks(1)
def test_a_dropped_receive_leaves_its_message_to_others(world):
    world.ireceive(0, 6)
    world.send("kept", 0, 6)
    assert world.receive(0, 6) == "kept"
    world.send("there already", 0, 6)
    world.ireceive(0, 6)
    assert world.receive(0, 6) == "there already"


@ranks(2)
@pytest.mark.parametrize("size", [10, 1_000_000])
def test_a_dropped_send_arrives_all_the_same(world, size):
    if world.rank == 0:
        for i in range(5):
            world.isend(np.full(size, i), 1)
        gc.collect()
        np.full(size, -1)  # would find its memory, had it been freed
        world.send("go", 1, 2)
    else:
        world.receive(0, 2)
        for i in range(5):
            assert (world.receive(0) == i).all()


@ranks(1)
def test_a_request_keeps_what_it_needs_and_nothing_afterwards(world):
    buffer = np.zeros(5)
    there = weakref.ref(buffer)
    request = world.ireceive(0, 1, buffer)
    del buffer
    gc.collect()
    assert there() is not None
    world.send(np.arange(5.0), 0)
    assert request.wait().tolist() == [0, 1, 2, 3, 4]
    del request
    gc.collect()
    assert there() is None


@ranks(1)
def test_wrong_arguments(world):
    for call in (lambda: world.isend("x", 1), lambda: world.ireceive(1),
                 lambda: world.isend("x", 0, -1), lambda: world.ireceive(0, -2),
                 lambda: world.probe(1), lambda: world.iprobe(0, -2)):  # fmt: skip
        with pytest.raises(ValueError, match="rank 0"):
            call()
    for call in (lambda: world.isend("x", 0.0), lambda: world.ireceive("0"),
                 lambda: world.isend("x"), lambda: world.probe(None),
                 lambda: world.isend(threading.Lock(), 0), lambda: pypar.Request()):  # fmt: skip
        with pytest.raises(TypeError):
            call()


# -- signals and threads ---------------------------------------------------------------


@ranks(1)
def test_ctrl_c_interrupts_a_wait_and_the_operation_goes_on(world):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        request = world.ireceive(0)
        for wait in (request.wait, lambda: pypar.wait_some([request])):
            timer = threading.Timer(0.3, signal.raise_signal, (signal.SIGINT,))
            with pytest.raises(KeyboardInterrupt):
                timer.start()
                wait()
            timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    world.send("later", 0)
    assert request.wait() == "later"


@ranks(1)
def test_many_threads_wait_for_one_request(world):
    request = world.ireceive(0)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(request.wait) for _ in range(4)]
        time.sleep(0.2)
        world.send("all", 0)
        assert [future.result(30) for future in waiting] == ["all"] * 4


@ranks(2)
def test_threads_start_and_end_requests(world):
    other = 1 - world.rank

    def swap(tag):
        for i in range(100):
            receiving = world.ireceive(other, tag)
            sending = world.isend((tag, i, "x" * (i * 91)), other, tag)
            assert receiving.wait(30)[:2] == (tag, i)
            sending.wait(30)
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(swap, range(10, 14)))


# -- await -------------------------------------------------------------------------------


@ranks(2)
@pytest.mark.parametrize("loops", ["asyncio", "uvloop"])
def test_requests_can_be_awaited(world, loops):
    new_loop = pytest.importorskip(loops).new_event_loop
    other = 1 - world.rank

    async def swap(tag):
        receiving = world.ireceive(other, tag)
        await asyncio.sleep(0.001 * (tag % 5))
        await world.isend((tag, "x" * (tag * 300)), other, tag)
        return await receiving

    async def main():
        return await asyncio.gather(*(swap(tag) for tag in range(40)))

    for _ in range(2):  # two event loops
        with asyncio.Runner(loop_factory=new_loop) as runner:
            assert [tag for tag, _ in runner.run(main())] == list(range(40))


@ranks(1)
def test_an_event_loop_goes_on_while_a_request_is_awaited(world):
    async def main():
        request = world.ireceive(0)
        ticks = 0

        async def tick():
            nonlocal ticks
            while ticks < 20:
                await asyncio.sleep(0.01)
                ticks += 1
            world.send("enough", 0)

        ticking = asyncio.create_task(tick())
        assert await request == "enough"
        assert ticks == 20
        await ticking
        assert await request == "enough"  # again, when it is done

    asyncio.run(asyncio.wait_for(main(), 30))


@ranks(1)
def test_two_tasks_await_one_request(world):
    async def main():
        request = world.ireceive(0)

        async def wait():
            return await request

        tasks = [asyncio.create_task(wait()) for _ in range(2)]
        await asyncio.sleep(0.1)
        world.send("both", 0)
        return await asyncio.wait_for(asyncio.gather(*tasks), 30)

    assert asyncio.run(main()) == ["both", "both"]


@ranks(1)
def test_an_awaited_receive_that_fails_raises_there(world):
    async def main():
        request = world.ireceive(0, 1, np.zeros(2))
        world.send(np.arange(5.0), 0)
        with pytest.raises(pypar.SizeMismatch):
            await request
        return await world.ireceive(0)

    assert asyncio.run(main()).size == 5


@ranks(1)
def test_an_await_that_is_given_up_leaves_the_request_as_it_is(world):
    async def main():
        request = world.ireceive(0)

        async def wait():
            return await request

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(wait(), 0.1)
        world.send("later", 0)
        return await asyncio.wait_for(wait(), 30)

    assert asyncio.run(main()) == "later"


# Of a communicator with a Request that somebody has, and that is not done, free raises.


async def timed_out(comm):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await comm.ireceive(0, 5)


async def cancelled(comm):
    async def wait():
        await comm.ireceive(0, 5)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@ranks(1)
@pytest.mark.parametrize("give_up", [timed_out, cancelled])
def test_a_receive_whose_await_is_given_up_leaves_its_message_to_others(world, give_up):
    comm = world.duplicate()

    async def main():
        never = asyncio.create_task(asyncio.wait_for(world.ireceive(0, 9), 30))
        await give_up(comm)
        gc.collect()
        comm.send("the message", 0, 5)
        assert await comm.ireceive(0, 5) == "the message"
        world.send("end", 0, 9)
        assert await never == "end"

    asyncio.run(main())
    comm.free()


@ranks(1)
def test_of_two_tasks_that_await_one_request_one_may_give_up(world):
    async def main():
        request = world.ireceive(0)

        async def wait():
            return await request

        stays = asyncio.create_task(wait())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wait(), 0.05)
        world.send("for the other", 0)
        return await asyncio.wait_for(stays, 30)

    assert asyncio.run(main()) == "for the other"


@ranks(1)
def test_a_receive_that_is_awaited_when_the_loop_ends_is_let_go(world):
    comm = world.duplicate()

    async def wait():
        await comm.ireceive(0, 5)

    async def main():
        asyncio.get_running_loop().waits = asyncio.create_task(wait())
        await asyncio.sleep(0.05)

    asyncio.run(main())
    gc.collect()
    comm.free()


@ranks(1)
def test_a_request_that_ends_after_its_loop_was_closed_harms_no_other(world):
    async def wait(tag):
        return await world.ireceive(0, tag)

    loop = asyncio.new_event_loop()
    task = loop.create_task(wait(5))
    task._log_destroy_pending = False
    loop.run_until_complete(asyncio.sleep(0.05))
    loop.close()
    world.send("nobody hears of it", 0, 5)
    world.send("heard", 0, 6)
    assert asyncio.run(asyncio.wait_for(wait(6), 30)) == "heard"


def test_a_script_ends_well_with_requests_under_way(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import asyncio
            import pypar
            world = pypar.world
            other = 1 - world.rank
            kept = world.ireceive(other, 5)
            world.isend("nobody receives this", other, 6)
            async def main():
                async def wait():
                    await world.ireceive(other, 7)
                try:
                    await asyncio.wait_for(wait(), 0.2)
                except asyncio.TimeoutError:
                    print("end")
            asyncio.run(main())
            """
        )
    )
    done = mpirun(2, PYTHON, script, env={"PAR_LEFTOVERS": "off"})
    assert done.returncode == 0, done
    assert done.stderr == "" and done.stdout.count("end") == 2, done


# -- probe ---------------------------------------------------------------------------------


@ranks(2)
@pytest.mark.parametrize("size", [10, 1_000_000])
def test_a_probe_sees_a_message_and_leaves_it(world, size):
    if world.rank == 0:
        assert world.receive(1) == "go"
        world.send(np.zeros(size, "f4"), 1, 7)
    else:
        assert world.iprobe(0, 7) is None
        world.send("go", 0)
        for source, tag in ((0, 7), (-1, 7), (0, -1), (-1, -1)):
            status = world.probe(source, tag)
            assert (status.source, status.tag) == (0, 7)
            assert (status.length, status.size, status.bytes()) == (size, 4, 4 * size)
            assert world.iprobe(source, tag).tag == 7
        assert world.iprobe(0, 8) is None
        assert world.receive(0, 7).size == size
        assert world.iprobe(0, 7) is None


@ranks(1)
def test_ctrl_c_interrupts_a_probe(world):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer = threading.Timer(0.3, signal.raise_signal, (signal.SIGINT,))
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            world.probe(0)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    world.send("x", 0)
    assert world.probe(0).tag == 1
    assert world.receive(0) == "x"
