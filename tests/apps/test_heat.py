# SPDX-License-Identifier: MIT
"""apps/heat: the same bits on any number of ranks, and those of NumPy alone."""

import re
import zlib

import numpy as np
import pytest
from mpirun import PYTHON, SOURCE, alone, mpirun, unlabelled

HEAT = [PYTHON, SOURCE / "apps" / "heat.py"]


def plate(rows, columns, steps):
    """The plate after so many steps, computed in one piece."""
    padded = np.zeros((rows + 2, columns + 2))
    padded[0] = 100
    for _ in range(steps):
        now = padded[1:-1, 1:-1]
        vertical = padded[:-2, 1:-1] + padded[2:, 1:-1]
        around = vertical + padded[1:-1, :-2] + padded[1:-1, 2:]
        padded[1:-1, 1:-1] = now + 0.2 * (around - 4 * now)
    return padded[1:-1, 1:-1].copy()


def wanted(rows, columns, steps):
    whole = plate(rows, columns, steps)
    return (
        f"{rows} x {columns} points, {steps} steps: mean {whole.mean():.6f}, "
        f"checksum {zlib.crc32(whole):08x}"
    )


def read(done, dims):
    """The first line of a run that went well on a grid of dims."""
    assert (done.returncode, done.stderr) == (0, ""), done
    result, time = done.stdout.splitlines()
    assert re.fullmatch(rf"{dims} ranks, time \d+\.\d+ s", time), done
    return result


@pytest.mark.parametrize(
    "n, dims", [(1, "1 x 1"), (2, "2 x 1"), (3, "3 x 1"), (4, "2 x 2"), (5, "5 x 1")]
)
@pytest.mark.parametrize("rows, columns, steps", [(40, 30, 100), (7, 61, 33), (5, 2, 9)])
def test_the_same_bits_on_any_number_of_ranks(n, dims, rows, columns, steps):
    size = ["--rows", rows, "--columns", columns, "--steps", steps]
    assert read(mpirun(n, *HEAT, *size), dims) == wanted(rows, columns, steps)


def test_without_mpirun_and_with_what_is_not_given():
    assert read(alone(*HEAT), "1 x 1") == wanted(200, 200, 500)


def test_heat_flows_from_the_hot_edge_and_no_further_than_it_can():
    early, late = plate(9, 9, 3), plate(9, 9, 3000)
    assert (early[:3] > 0).all() and not early[3:].any()
    assert (np.diff(late, axis=0) < 0).all() and 0 < late.min() < late.max() < 100
    assert late[4, 4] == pytest.approx(25)  # of four edges one is at 100


@pytest.mark.parametrize("size", [["--rows", 1], ["--columns", 1]])
def test_ranks_without_a_point_are_refused(size):
    done = mpirun(4, *HEAT, *size)
    points = "1 x 200" if "--rows" in size else "200 x 1"
    complaint = f"heat.py: 2 x 2 ranks want a point each, got {points}\n"
    assert (done.returncode, done.stdout) == (2, ""), done
    assert unlabelled(done.stderr) == complaint, done
