# SPDX-License-Identifier: MIT
"""apps/ring, in C and in Python."""

import re
import socket

import pytest
from mpirun import APPS, BUILD, PYTHON, SOURCE, alone, mpirun, unlabelled

RING = APPS / "ring"
RING_PY = SOURCE / "apps" / "ring.py"
DAMAGE = BUILD / "tests" / "apps" / "libdamage.so"

ranks = pytest.mark.parametrize("n", [1, 2, 3, 16])


def ring(n, *options, laps):
    """The ranks' lines of a ring that went well."""
    done = mpirun(n, RING, "--laps", laps, *options)
    assert (done.returncode, done.stderr) == (0, ""), done
    *places, numbers, verdict = done.stdout.splitlines()
    assert verdict == f"token {n * laps} as expected"
    found = re.fullmatch(
        rf"laps {laps}, hops {n * laps}, time per hop \d+\.\d+ us", numbers
    )
    assert found, numbers
    return places


@ranks
def test_a_line_for_each_rank_in_the_order_of_the_ranks(n):
    places = ring(n, laps=10)
    found = [re.fullmatch(r"rank (\d+) on (\S+), CPUs ([\d,-]+)", p) for p in places]
    assert all(found), places
    assert [int(f[1]) for f in found] == list(range(n))
    assert {f[2] for f in found} == {socket.gethostname()}


@ranks
@pytest.mark.parametrize("size", [1, 4024, 4025, 1000000])
def test_a_payload_goes_around(n, size):
    ring(n, "--bytes", size, laps=5)


@ranks
def test_laps_are_1000_unless_given(n):
    done = mpirun(n, RING)
    assert done.returncode == 0, done
    assert done.stdout.endswith(f"token {1000 * n} as expected\n")


def test_without_mpirun_it_is_a_ring_of_one():
    done = alone(RING, "--laps", "10")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.splitlines()[-1] == "token 10 as expected"


def test_the_cpus_are_those_that_the_kernel_allows():
    bound = [1, "--bind-to", "core"]
    kernel = mpirun(*bound, "grep", "Cpus_allowed_list", "/proc/self/status")
    allowed = kernel.stdout.split()[1]
    done = mpirun(*bound, RING, "--laps", "1")
    assert done.stdout.splitlines()[0].endswith(f", CPUs {allowed}"), (done, kernel)


@pytest.mark.parametrize(
    "byte, complaint",
    [
        (8 + 5, "ring: 1 of 30 payloads came damaged"),  # 8 bytes of count first
        (2, f"ring: token {30 ^ 1 << 16} came back, and not 30"),
    ],
    ids=["payload", "count"],
)
def test_damage_on_the_way_is_noticed(byte, complaint):
    preload = ["-x", f"LD_PRELOAD={DAMAGE}"]
    damage = ["-x", "DAMAGE_RECEIVE=5", "-x", f"DAMAGE_BYTE={byte}"]
    done = mpirun(3, *preload, *damage, RING, "--laps", "10", "--bytes", "10")
    assert (done.returncode, unlabelled(done.stderr)) == (1, f"{complaint}\n"), done
    assert "as expected" not in done.stdout


@ranks
def test_in_python_each_appends_its_name(n, tmp_path):
    done = mpirun(n, "-wdir", tmp_path, PYTHON, RING_PY)
    assert (done.returncode, done.stderr) == (0, ""), done
    names = "".join(f"P{rank}" for rank in range(n))
    host = socket.gethostname()
    assert done.stdout == f"'{names}' came back to rank 0 of {n} on {host}\n"


def test_in_python_without_mpirun():
    done = alone(PYTHON, RING_PY)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.startswith("'P0' came back")
