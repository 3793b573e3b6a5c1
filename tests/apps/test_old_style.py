# SPDX-License-Identifier: MIT
"""Scripts in the manner of those of 2005, as 2to3 leaves them, run as they are.

They check themselves what they receive: with `assert`, which ends the job.
"""

import re
import socket

import pytest
from mpirun import PYTHON, SOURCE, alone, mpirun

FOLDER = SOURCE / "tests" / "apps" / "old_style"
HOST = socket.gethostname()


def run(n, name, *arguments):
    """What script NAME prints on N ranks, where it ends well and warns of nothing."""
    done = mpirun(n, PYTHON, FOLDER / f"{name}.py", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


ranks = pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
some_ranks = pytest.mark.parametrize("n", [2, 3, 4, 5])


@ranks
def test_ring(n):
    out = run(n, "ring")
    for rank in range(n):
        assert out.count(f"I am processor {rank} of {n} on node {HOST}") == 1, out
    names = "".join(f"P{rank}" for rank in range(n))
    came = f'message "{names}" from processor {n - 1} ({len(names)} bytes)'
    assert f"Processor 0 received {came}" in out
    assert f"Each of {n - 1} processors added 1: True" in out


@some_ranks
def test_master_slave(n):
    total = 25 * 24 / 2 * 2
    assert run(n, "master_slave") == f"[MASTER]: 25 works done, sum {total:.1f}\n"


@pytest.mark.parametrize(
    "name, complaint",
    [
        ("master_slave", "Demo must run on at least 2 processors to continue\n"),
        ("timing", "Program needs at least two processors - aborting\n"),
    ],
)
def test_what_needs_two_ranks_aborts_on_one(name, complaint):
    done = alone(PYTHON, FOLDER / f"{name}.py")
    assert (done.returncode, done.stdout, done.stderr) == (1, complaint, ""), done


@ranks
def test_scatter_gather(n):
    assert run(n, "scatter_gather").splitlines() == [
        f"Processor {n - 1}: gathered ({6 * n}, 2)",
        f'Processor {n - 1}: gathered "{"ABCD" * n}"',
    ]


RAW_NAMES = "send receive scatter gather reduce".split()


@ranks
def test_raw_forms(n):
    done = mpirun(n, PYTHON, FOLDER / "raw_forms.py")
    said = f"Raw forms OK on {n} processors, started at True\n"
    assert (done.returncode, done.stdout) == (0, said), done
    warned = set(re.findall(r"DeprecationWarning: pypar\.(\w+) is", done.stderr))
    others = {"Barrier", "Initialized", "bcast", "Wtime", "Finalize"}
    assert warned == {f"raw_{name}" for name in RAW_NAMES} | others, done


@ranks
def test_reduce(n):
    names = "SUM, PROD, MAX, MIN, LAND, LOR, LXOR, BAND, BOR, BXOR"
    assert run(n, "reduce") == f"Reduction OK for {names}\n"


@some_ranks
def test_timing(n):
    head, rule, columns, *rows, again, fit = run(n, "timing", 2, 6).splitlines()
    assert head == f"Timing {n} processors on {HOST}, 2 repeats"
    assert columns.split() == ["bytes", "secs"] and rule == again == 40 * "-"
    sizes = [80, 240, 800, 2400, 8000, 24000]
    assert [int(row.split()[0]) for row in rows] == sizes
    assert all(float(row.split()[1]) > 0 for row in rows)
    number = r"-?\d\.\d\de[+-]\d\d"
    assert re.fullmatch(rf"tcomm\(bytes\) = {number} \+ {number} \* bytes", fit), fit


SQUARES = sum(i * i for i in range(100))


@ranks
def test_fallback(n):
    assert run(n, "fallback") == f"Done with pypar on {n}: {SQUARES}\n"


def test_fallback_where_pypar_cannot_start():
    done = alone(PYTHON, FOLDER / "fallback.py", env={"PAR_INLINE": "nonsense"})
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout == f"Done sequentially on 1: {SQUARES}\n"


@ranks
def test_bsend(n):
    errors = float(sum(range(n)))
    assert run(n, "bsend") == f"All to all with bsend OK, errors {errors:.1f}\n"


@ranks
def test_messages(n):
    clients = n - 1
    expected = f"{9 * clients} objects and {50003 * clients} numbers\n"
    assert run(n, "messages") == expected


def test_each_script_has_its_test():
    names = {file.stem for file in FOLDER.glob("*.py")}
    assert names == {name[len("test_") :] for name in globals()} & names
