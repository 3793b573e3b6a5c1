# SPDX-License-Identifier: MIT
"""The hosts themselves: each is apart from the others, and nothing of them stays."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hosts import Cluster
from mpirun import APPS


@pytest.fixture
def folders(four_hosts, tmp_path):  # where there are no hosts it is skipped
    def new(name):
        (tmp_path / name).mkdir()
        return tmp_path / name

    return new


def test_a_host_has_its_own_name_and_processes_and_memory(cluster):
    script = "touch /dev/shm/mine; hostname; cat /proc/1/comm; readlink /proc/self/ns/net"
    name, process, network = cluster.run("sh", "-c", script, host="h2").stdout.split()
    assert (name, process) == ("h2", "cat")
    assert network != os.readlink("/proc/self/ns/net")
    assert cluster.run("ls", "/dev/shm", host="h2").stdout == "mine\n"
    assert cluster.run("ls", "/dev/shm", host="h3").stdout == ""
    assert cluster.run("rm", "/dev/shm/mine", host="h2").returncode == 0


def test_a_command_goes_to_another_host_as_by_ssh(cluster):
    done = cluster.run("ssh", "-x", "h3", "hostname; env; exit 7")
    assert done.returncode == 7
    host, *environment = done.stdout.splitlines()
    names = {line.partition("=")[0] for line in environment}
    assert host == "h3" and names == {"HOME", "PATH", "PWD", "TMPDIR"}
    done = cluster.run("ssh", "h9", "true")
    assert done.returncode == 255 and "h9" in done.stderr


def test_a_host_that_is_killed_loses_all_that_runs_there(folders):
    with Cluster(folders("one"), hosts=2) as cluster:
        cluster.start("sleep", "600", host="h1", output=os.devnull)
        while "sleep 600 " not in cluster.traces()["processes"]:
            time.sleep(0.05)
        cluster.kill("h1")
        assert "sleep 600 " not in cluster.traces()["processes"]
        assert cluster.run("ssh", "h1", "true").returncode == 255
        cluster.boot("h1")
        assert cluster.mpirun("h1,h2", APPS / "ring", "--laps", "3").returncode == 0


def test_two_clusters_never_meet(folders):
    def ring(cluster):
        return cluster.mpirun("h1:2,h2", APPS / "ring", "--laps", "20")

    with Cluster(folders("a"), 2) as a, Cluster(folders("b"), 2) as b:
        a.run("touch", "/dev/shm/mine", host="h1")
        assert b.run("ls", "/dev/shm", host="h1").stdout == ""
        with ThreadPoolExecutor() as pool:
            for done in pool.map(ring, [a, b]):
                assert done.returncode == 0 and "token 60 as expected" in done.stdout


def test_nothing_stays_where_the_tests_are_killed(folders):
    folder = folders("one")
    script = (
        "import sys, time; from hosts import Cluster\n"
        f"with Cluster({str(folder)!r}, hosts=2) as cluster:\n"
        "    cluster.start('sleep', '601', host='h1', output='/dev/null')\n"
        "    time.sleep(0.5); print('up', flush=True); time.sleep(600)\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    tests = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path}, text=True,
    )  # fmt: skip
    try:
        assert tests.stdout.readline() == "up\n"
        assert of_folder(folder)
    finally:
        tests.send_signal(signal.SIGKILL)
        tests.communicate()
    limit = time.monotonic() + 60
    while of_folder(folder) and time.monotonic() < limit:
        time.sleep(0.1)
    assert of_folder(folder) == []


def of_folder(folder):
    """The processes that know of a cluster's folder."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                environment = (process / "environ").read_bytes()
                command = (process / "cmdline").read_bytes()
            except OSError:  # it has ended
                continue
            if (
                bytes(folder) in environment + command
                and int(process.name) != os.getpid()
            ):
                found.append(command)
    return found
