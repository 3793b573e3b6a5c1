# SPDX-License-Identifier: MIT
"""apps/mandelbrot.py, and mandelbrot.c, which draws the same."""

import re

import pytest
from mpirun import APPS, PYTHON, SOURCE, alone, mpirun, unlabelled

MANDELBROT = [PYTHON, SOURCE / "apps" / "mandelbrot.py"]
WAYS = ["--blockwise", "--cyclic", "--dynamic", "--pool"]
WIDTH, HEIGHT, ITERATIONS = 40, 31, 60
SIZE = ["--width", WIDTH, "--height", HEIGHT, "--iterations", ITERATIONS]


def pixel(column, row):
    re = -2.2 + 3.0 * (column + 0.5) / WIDTH
    im = 1.125 - 2.25 * (row + 0.5) / HEIGHT
    x = y = count = 0
    while x * x + y * y <= 4 and count < ITERATIONS:
        x, y = x * x - y * y + re, 2 * x * y + im
        count += 1
    return 255 - 255 * count // ITERATIONS


@pytest.fixture(scope="module")
def picture():
    """The file that any run of SIZE must write."""
    pixels = bytes(pixel(x, y) for y in range(HEIGHT) for x in range(WIDTH))
    assert 0.1 < pixels.count(0) / len(pixels) < 0.5  # the set itself
    return b"P5\n%d %d\n255\n" % (WIDTH, HEIGHT) + pixels


def rows(done):
    """How many rows each rank of a run that went well has computed."""
    assert (done.returncode, done.stderr) == (0, ""), done
    *ranks, total = done.stdout.splitlines()
    number = r"\d+\.\d{3} s"
    assert re.fullmatch(
        rf"time {number}, computed {number}, the busiest rank {number}", total
    ), done
    found = [
        re.fullmatch(rf"rank (\d+) computed (\d+) rows in {number}", r) for r in ranks
    ]
    assert [int(f[1]) for f in found] == list(range(len(ranks))), done
    return [int(f[2]) for f in found]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_every_way_and_number_of_ranks_gives_the_same_picture(n, way, picture, tmp_path):
    out = tmp_path / "out.pgm"
    done = mpirun(n, *MANDELBROT, way, *SIZE, "--out", out)
    computed = rows(done)
    assert len(computed) == n and sum(computed) == HEIGHT
    assert out.read_bytes() == picture


@pytest.mark.parametrize("n", [1, 2, 4])
def test_who_computes_how_many_rows(n):
    for way in "--blockwise", "--cyclic":
        even = [HEIGHT // n + (rank < HEIGHT % n) for rank in range(n)]
        assert rows(mpirun(n, *MANDELBROT, way, *SIZE)) == even
    first, *others = rows(mpirun(n, *MANDELBROT, "--dynamic", *SIZE))
    assert first == (HEIGHT if n == 1 else 0)
    assert first + sum(others) == HEIGHT


@pytest.mark.parametrize("way", WAYS)
def test_more_ranks_than_rows(way, tmp_path):
    out = tmp_path / "out.pgm"
    done = mpirun(5, *MANDELBROT, way, "--height", 2, "--width", 3, "--out", out)
    assert sum(rows(done)) == 2
    assert out.stat().st_size == len(b"P5\n3 2\n255\n") + 6


def test_without_mpirun_and_without_a_file():
    assert rows(alone(*MANDELBROT, *SIZE)) == [HEIGHT]


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("path", ["nowhere/out.pgm", ""])
def test_a_file_that_cannot_be_written_is_refused_at_once(n, path, tmp_path):
    out = tmp_path / path if path else ""
    done = mpirun(n, *MANDELBROT, "--out", out)
    complaint = f"argument --out: cannot write {out}: No such file or directory"
    assert (done.returncode, done.stdout) == (2, ""), done
    assert unlabelled(done.stderr) == f"mandelbrot.py: {complaint}\n"


@pytest.mark.parametrize("n", [1, 2, 4])
def test_the_program_in_c_draws_the_same_picture(n, picture, tmp_path):
    out = tmp_path / "out.pgm"
    command = " ".join(map(str, [APPS / "mandelbrot", *SIZE]))
    done = mpirun(n, "sh", "-c", f"exec {command} >{out}.$OMPI_COMM_WORLD_RANK")
    assert (done.returncode, done.stdout) == (0, ""), done
    *ranks, total = unlabelled(done.stderr).splitlines()
    assert re.fullmatch(r"time \d+\.\d{3} s", total), done
    found = [re.fullmatch(r"rank (\d+) computed (\d+) rows", rank) for rank in ranks]
    assert [int(f[1]) for f in found] == list(range(n)), done
    assert sum(int(f[2]) for f in found) == HEIGHT
    assert (tmp_path / "out.pgm.0").read_bytes() == picture


def test_the_program_in_c_says_that_it_cannot_write():
    done = alone("sh", "-c", f"exec {APPS / 'mandelbrot'} >/dev/full")
    assert done.returncode == 1, done
    assert unlabelled(done.stderr).endswith("mandelbrot: the picture cannot be written\n")
