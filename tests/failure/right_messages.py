# SPDX-License-Identifier: MIT
"""Programs that wait long and in tricky ways, and are right: nobody may be blamed."""

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pypar
from programs import on, run

LARGE = bytes(1 << 20)  # a send of it waits for its receive
LONG = 4  # seconds, of which a detector that is too eager makes something


def compute(seconds):
    """Work without a call that the library could see."""
    end = time.monotonic() + seconds
    x = 1
    while time.monotonic() < end:
        x = x * 1103515245 % 2147483647
    return x


@on(3)
def a_late_sender(world):
    if world.rank == 0:
        time.sleep(LONG)
        for dest in (1, 2):
            world.send("late", dest)
    else:
        assert world.receive(0) == "late"


@on(3)
def a_sender_that_computes(world):
    if world.rank == 0:
        compute(LONG)
    world.send("x", (world.rank + 1) % world.size)
    world.receive((world.rank - 1) % world.size)


@on(4)
def a_slow_token(world):
    if world.rank == 0:
        world.send("token", 1)
        world.receive(world.size - 1)
    else:
        token = world.receive(world.rank - 1)
        time.sleep(1.5)
        world.send(token, (world.rank + 1) % world.size)


@on(4)
def a_server_of_anybody_whose_clients_sleep(world):
    if world.rank == 0:
        for _ in range(2 * (world.size - 1)):
            request, status = world.receive(-1, return_status=True)
            world.send(request + 1, status.source)
    else:
        for _ in range(2):
            time.sleep(random.Random(world.rank).uniform(1, 2.5))
            world.send(world.rank, 0)
            assert world.receive(0) == world.rank + 1


@on(3)
def a_large_send_whose_receiver_comes_late(world):
    if world.rank == 0:
        world.send(LARGE, 1)
    elif world.rank == 1:
        time.sleep(LONG)
        assert world.receive(0) == LARGE
    world.barrier()


@on(2)
def large_sends_that_cross_with_started_receives(world):
    other = 1 - world.rank
    request = world.ireceive(other)
    time.sleep(LONG * world.rank)
    world.send(LARGE, other)
    assert request.wait() == LARGE


@on(2)
def a_receive_that_a_send_started_earlier_will_meet(world):
    other = 1 - world.rank
    requests = [world.isend(LARGE, other) for _ in range(3)]
    time.sleep(LONG * world.rank)
    for _ in range(3):
        assert world.receive(other) == LARGE
    for request in requests:
        request.wait()


@on(2)
def waits_with_a_timeout_that_meet_each_other(world):
    other = 1 - world.rank
    request = world.ireceive(other)
    for _ in range(3):
        try:
            request.wait(timeout=1)
        except TimeoutError:
            pass
    world.send("at last", other)
    assert request.wait() == "at last"


@on(2)
def one_waits_and_the_other_only_for_a_time(world):
    if world.rank == 0:
        assert world.receive(1) == "given up"
    else:
        request = world.ireceive(0)
        try:
            request.wait(timeout=LONG)
        except TimeoutError:
            request.cancel()
        world.send("given up", 0)


@on(2)
def one_waits_and_the_other_asks_now_and_then(world):
    if world.rank == 0:
        assert world.receive(1) == "tired of asking"
    else:
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            assert world.iprobe(0) is None
            time.sleep(0.05)
        world.send("tired of asking", 0)


@on(3)
def a_rank_waits_for_a_socket_of_another(world):
    if world.rank == 0:
        listener = socket.create_server(("127.0.0.1", 0))
        world.send(listener.getsockname(), 1)
        peer, _ = listener.accept()
        assert peer.recv(1) == b"x"
        world.send("heard", 2)
    elif world.rank == 1:
        address = world.receive(0)
        time.sleep(LONG)
        socket.create_connection(address).sendall(b"x")
    else:
        assert world.receive(0) == "heard"


@on(2)
def a_rank_waits_for_a_program_that_it_started(world):
    if world.rank == 0:
        subprocess.run([sys.executable, "-c", f"import time; time.sleep({LONG})"])
        world.send("done", 1)
    else:
        assert world.receive(0) == "done"


@on(2)
def a_signal_handler_sends_what_both_wait_for(world):
    if world.rank == 0:
        signal.signal(signal.SIGALRM, lambda *_: world.send("alarm", 1))
        signal.setitimer(signal.ITIMER_REAL, LONG)
        assert world.receive(1) == "answer"
    else:
        assert world.receive(0) == "alarm"
        world.send("answer", 0)


@on(2)
def a_signal_from_another_process_ends_what_looks_dead(world):
    if world.rank == 0:
        signal.signal(signal.SIGUSR1, lambda *_: world.send("signal", 1))
        killer = f"sleep {LONG}; kill -USR1 $PPID"
        child = subprocess.Popen(["sh", "-c", killer])
        assert world.receive(1) == "answer"
        child.wait()
    else:
        assert world.receive(0) == "signal"
        world.send("answer", 0)


@on(3)
def a_rank_is_stopped_for_a_while(world):
    if world.rank == 1:
        resume = f"sleep {LONG}; kill -CONT $PPID"
        child = subprocess.Popen(["sh", "-c", resume])
        signal.raise_signal(signal.SIGSTOP)
        child.wait()
        for dest in (0, 2):
            world.send("awake", dest)
    else:
        assert world.receive(1) == "awake"


@on(2)
def a_rank_is_stopped_while_it_waits(world):
    if world.rank == 1:
        child = subprocess.Popen(
            ["sh", "-c", f"sleep 1; kill -STOP $PPID; sleep {LONG}; kill -CONT $PPID"]
        )
        assert world.receive(0) == "x"
        world.send("y", 0)
        child.wait()
    else:
        time.sleep(2.5)
        world.send("x", 1)
        assert world.receive(1) == "y"


@on(4)
def messages_in_both_directions_with_long_pauses(world):
    chooser = random.Random(world.rank)
    for step in range(4):
        time.sleep(chooser.uniform(0, 1.3))
        world.send(step, (world.rank + 1) % world.size)
        assert world.receive((world.rank - 1) % world.size) == step


@on(3)
def the_last_to_finalize_is_late(world):
    if world.rank == 2:
        compute(LONG)


@on(3)
def a_message_for_a_rank_is_followed_by_the_end_of_its_sender(world):
    if world.rank == 0:
        for dest in (1, 2):
            world.send("goodbye", dest)
    else:
        time.sleep(LONG)
        assert world.receive(0) == "goodbye"


@on(3)
def the_end_of_a_rank_leaves_a_large_message_under_way(world):
    if world.rank == 0:
        world.isend(LARGE, 1)
    elif world.rank == 1:
        time.sleep(LONG)
        assert world.receive(0) == LARGE


@on(2)
def a_cycle_that_a_cancel_opens(world):
    if world.rank == 0:
        request = world.ireceive(1)
        time.sleep(LONG)
        assert request.cancel()
        world.send("x", 1)
    else:
        assert world.receive(0) == "x"


@on(2)
def a_probe_for_what_comes_late(world):
    if world.rank == 0:
        time.sleep(LONG)
        world.send("x", 1, tag=9)
    else:
        assert world.probe(0, -1).tag == 9
        world.receive(0, -1)


@on(2)
def a_thread_opens_a_named_pipe_that_has_no_writer_yet(world):
    with tempfile.TemporaryDirectory() as folder:
        path = world.broadcast(os.path.join(folder, "pipe"), root=0)
        if world.rank == 0:
            os.mkfifo(path)
            world.send("there it is", 1)

            def read():
                with open(path) as pipe:
                    world.send(pipe.read(), 0)

            reader = threading.Thread(target=read)
            reader.start()
            assert world.receive(0) == "x"
            reader.join()
            world.send("y", 1)
        else:
            assert world.receive(0) == "there it is"
            time.sleep(LONG)
            with open(path, "w") as pipe:
                pipe.write("x")
            assert world.receive(0) == "y"


@on(4)
def a_pipeline_with_pauses(world):
    chooser = random.Random(world.rank)
    before, after = (world.rank - 1) % 4, (world.rank + 1) % 4
    receives = [world.ireceive(before, tag=tag) for tag in range(8)]
    sends = []
    for tag in chooser.sample(range(8), 8):
        time.sleep(chooser.uniform(0, 0.8))
        sends.append(world.isend(tag, after, tag=tag))
    left = receives
    while left:
        done = pypar.wait_some(left, timeout=chooser.choice([None, 0.1]))
        left = [request for request in left if request not in done]
    assert [request.result for request in receives] == list(range(8))
    for send in sends:
        send.wait()


run()
