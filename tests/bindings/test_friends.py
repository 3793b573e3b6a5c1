# SPDX-License-Identifier: MIT
"""Libraries that take a pool or an executor of anybody's: dask, asyncio, tqdm, samplers."""

import pytest
from mpirun import PYTHON, mpirun

SCRIPT = """
import asyncio, io
import dask
import pypar
from tqdm import tqdm


@dask.delayed
def increment(x):
    return x + 1


@dask.delayed
def add(*terms):
    return sum(terms), pypar.rank()


def likelihood(point):
    return -sum(x * x for x in point)


class Sampler:  # as emcee's: it asks for no more than pool.map
    def __init__(self, function, pool):
        self.function, self.map = function, pool.map

    def best(self, points):
        return max(zip(self.map(self.function, points), points))


async def squares(executor):
    loop = asyncio.get_running_loop()
    calls = [loop.run_in_executor(executor, pow, n, 2) for n in range(20)]
    try:
        await loop.run_in_executor(executor, divmod, 1, 0)
    except ZeroDivisionError:
        return await asyncio.gather(*calls)


with pypar.Executor() as executor:
    with dask.config.set(scheduler=executor):
        total, _ = add(*[increment(n) for n in range(50)]).compute()
        assert total == sum(range(51))
    assert asyncio.run(squares(executor)) == [n * n for n in range(20)]

with pypar.Pool() as pool:
    points = [(x, y) for x in range(-3, 4) for y in range(-3, 4)]
    assert Sampler(likelihood, pool).best(points) == (0, (0, 0))
    bar = io.StringIO()
    for _ in tqdm(pool.imap_unordered(abs, range(30)), total=30, file=bar, mininterval=0):
        pass
    assert "30/30" in bar.getvalue(), bar.getvalue()
print("done")
"""

# Its schedulers of threads and of processes do their tasks on a pool that they are given.
DASK = """
import os
import dask
import pypar


@dask.delayed
def increment(x):
    return x + 1, os.getpid()


@dask.delayed
def add(*terms):
    return sum(term for term, _ in terms), {os.getpid(), *(pid for _, pid in terms)}


@dask.delayed
def fail(x):
    raise KeyError(x)


def check(total, pids):
    assert total == sum(range(51)), total
    assert os.getpid() not in pids


tree = add(*[increment(n) for n in range(50)])
for kind in pypar.Executor, pypar.Pool:
    with kind(2) as pool:  # of which rank 0 is none
        with dask.config.set(pool=pool):
            check(*tree.compute())
        for scheduler in "threads", "processes":
            with dask.config.set(pool=pool, scheduler=scheduler):
                check(*tree.compute())
            (got,) = dask.compute(tree, scheduler=scheduler, pool=pool)
            check(*got)
        try:
            dask.compute(fail(1), scheduler="processes", pool=pool)
        except KeyError as error:
            assert str(error).startswith("1"), error  # a traceback may follow
        else:
            raise AssertionError("nothing was raised")
        assert pool.submit(divmod, 7, 2).result() == (3, 1)
print("done")
"""


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("text", [SCRIPT, DASK])
def test_they_take_the_ranks(script, n, text):
    done = mpirun(n, PYTHON, script(text), timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", ""), done
