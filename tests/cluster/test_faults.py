# SPDX-License-Identifier: MIT
"""What becomes of a job whose host cannot be reached any more: it ends with a word that
names the host, or it goes on; what is delivered is right. docs/slurm.md has the table."""

import textwrap
import threading
import time
from contextlib import contextmanager

import pytest
from hosts import Cluster
from mpirun import PYTHON

# Rank 3 is alone on h3. Who gets something wrong says so.
BEGIN = """
    import sys, time, zlib
    from pathlib import Path

    def begin():
        Path({begun!r}).touch()

    def must(right):
        if not right:
            print("WRONG", flush=True)

    if {phase!r} == "init":
        import os
        if os.uname().nodename == "h3":
            begin()
            time.sleep(600)

    import numpy as np
    from pypar import SUM, world

    last = world.size - 1
    world.barrier()
    if world.rank == 0:
        begin()
"""
PHASES = {
    "init": "",
    "receive": """
        world.receive(0 if world.rank else last) if world.rank < last else time.sleep(600)
    """,
    "send": """
        sent = np.arange(2_000_000)
        while world.rank == 0:
            world.send(sent, last)
        while world.rank == last:
            must(zlib.crc32(world.receive(0)) == zlib.crc32(sent))
        world.receive(0)
    """,
    "small collective": """
        while True:
            must(world.allreduce(world.rank + 1, SUM) == 10)
    """,
    "large collective": """
        part = np.arange(1_000_000)
        while True:
            must((world.allreduce(part * (world.rank + 1), SUM) == part * 10).all())
    """,
    "finalize": """
        if world.rank == last:
            time.sleep(600)
    """,
    "until it is over": """
        n = 0
        while not world.broadcast(Path({over!r}).exists()):
            n += 1
            parts = world.alltoall([np.full(3000, n + to) for to in range(world.size)])
            must(all((part == n + world.rank).all() for part in parts))
        print("done")
    """,
    "each once": """
        sent = np.arange(200_000)
        if world.rank == 0:
            world.send(sent, last)
            must(world.receive(last) == zlib.crc32(sent))
        elif world.rank == last:
            world.send(zlib.crc32(world.receive(0)), 0)
        for n in range(50):
            must(world.allreduce(world.rank + n, SUM) == 6 + 4 * n)
        part = np.arange(100_000)
        must((world.allreduce(part * (world.rank + 1), SUM) == part * 10).all())
        parts = world.alltoall([sent + to for to in range(world.size)])
        must(all((part == sent + world.rank).all() for part in parts))
        print("done")
    """,
}
TO_BE_CUT = [phase for phase in PHASES if phase not in ("until it is over", "each once")]
# Open MPI's own are 300 s and more.
WATCHFUL = {
    "oob_tcp_keepalive_time": "2",
    "oob_tcp_keepalive_intvl": "1",
    "oob_tcp_keepalive_probes": "3",
}
PATIENCE = 15  # seconds that mpirun gets to notice


@pytest.fixture
def hosts(four_hosts, tmp_path):  # where there are no hosts it is skipped
    (tmp_path / "cluster").mkdir()
    with Cluster(tmp_path / "cluster", hosts=3) as cluster:
        yield cluster


@pytest.fixture
def job(hosts, tmp_path):
    """Run PHASE on the hosts, and FAULT() in its midst; how the job ended."""

    def run(phase, fault, *options, ended=None):
        begun, script = tmp_path / "begun", tmp_path / "script.py"
        text = textwrap.dedent(BEGIN) + textwrap.dedent(PHASES[phase])
        over = str(tmp_path / "over")
        script.write_text(text.format(begun=str(begun), over=over, phase=phase))
        words = ["sh", "-c", f'echo $$ >{tmp_path}/mpirun.pid; exec "$@"', "sh", "mpirun"]
        words += ["--host", "h1:2,h2,h3", "-x", "PYTHONPATH"]
        with meanwhile(begun, fault, ended or threading.Event()):
            done = hosts.run(*words, *options, PYTHON, script, timeout=150)
        assert "WRONG" not in done.stdout, done
        return done

    return run


@contextmanager
def meanwhile(begun, fault, ended):
    """FAULT() a moment after the file BEGUN is there; ENDED is set at the end."""

    def watch():
        limit = time.monotonic() + 60
        while not begun.exists() and time.monotonic() < limit:
            time.sleep(0.05)
        time.sleep(0.5)
        fault()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("phase", TO_BE_CUT)
def test_a_cable_that_is_out_ends_the_job_where_mpirun_looks(hosts, job, phase):
    options = [word for pair in WATCHFUL.items() for word in ("--mca", *pair)]
    done = job(phase, lambda: hosts.unplug("h3"), *options)
    assert done.returncode != 0 and "on node h3" in done.stderr, done


def test_a_cable_that_is_out_for_a_moment_delays_the_job(hosts, job, tmp_path):
    def unplug_for_a_moment():
        hosts.unplug("h3")
        time.sleep(1)
        hosts.plug("h3")
        time.sleep(1)
        (tmp_path / "over").touch()

    done = job("until it is over", unplug_for_a_moment)
    assert done.returncode == 0 and done.stdout == "done\n" * 4, done


@pytest.mark.parametrize("phase", TO_BE_CUT)
def test_a_host_that_dies_ends_the_job(hosts, job, phase, tmp_path):
    """Where mpirun of Open MPI 4.1 takes it for a host that has never been there it waits
    for ever: its user ends it, and the other hosts have to be rid of the ranks."""
    ended = threading.Event()

    def die():
        hosts.kill("h3")
        if not ended.wait(PATIENCE):
            hosts.kill("h1")
            hosts.kill("h2")
        if not ended.wait(PATIENCE / 3):
            hosts.run("kill", (tmp_path / "mpirun.pid").read_text().strip())

    done = job(phase, die, ended=ended)
    assert done.returncode != 0 and done.stderr, done


def test_a_cable_that_is_slow_and_loses_packets_delays_the_job(hosts, job):
    """From the start of the job to its end, through all phases."""
    hosts.slow_down("h3")
    done = job("each once", lambda: None)
    assert done.returncode == 0 and done.stdout == "done\n" * 4, done
    assert hosts.lost("h3") > 0


def test_a_host_that_is_down_from_the_start_is_named(hosts):
    hosts.kill("h3")
    done = hosts.mpirun("h1,h3", PYTHON, "-c", "import pypar")
    assert done.returncode != 0 and "no host h3" in done.stderr, done
