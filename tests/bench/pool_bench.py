# SPDX-License-Identifier: MIT
"""pool_bench.py - pools of two workers: what a task costs who hands it in.

One process has the orders and hands in; its workers are the affair of the pool, which
the first argument names: the other ranks of its mpirun, or processes that it starts.
"""

import os
import secrets
import sys
from collections import deque
from contextlib import ExitStack, contextmanager
from functools import cached_property
from itertools import repeat

import measure
from pool_tasks import WORKERS, fibonacci, same, shares, total


class Pool(measure.Form):
    """A pool whose interface is multiprocessing's; OPEN gives a new one."""

    def __init__(self, open_pool):
        super().__init__(0, 1)
        self.open = open_pool
        self.ends = ExitStack()

    @cached_property
    def pool(self):
        return self.ends.enter_context(self.open())

    def each(self, function, things):
        """What a task for each of THINGS comes to, as they are done."""
        return self.pool.imap_unordered(function, things)

    def all(self, function, things):
        """What THINGS come to, in order, in as many tasks as the pool likes."""
        return self.pool.map(function, things)

    def first(self):
        """What the first task of a new pool comes to."""
        with self.open() as pool:
            return pool.apply(same, (1,))

    # ---- the orders ------------------------------------------------------------

    def tasks(self, work, count):
        work.got = sum(self.each(same, range(count)))

    def chunks(self, work, count):
        work.got = sum(self.all(same, range(count)))

    def arrays(self, work, count):
        work.got = deque(self.each(same, repeat(work.out, count)), 1)[0]

    def uneven(self, work, count):
        for _ in repeat(None, count):
            work.got = sum(self.each(fibonacci, work.out))

    def start(self, work, count):
        work.got = sum(self.first() for _ in repeat(None, count))


class Executor(Pool):
    """That of mpi4py."""

    def each(self, function, things):
        return self.pool.map(function, things, unordered=True)

    def all(self, function, things):
        size = len(things) // (4 * WORKERS) + 1  # there is no default; it is Pool's
        return self.pool.map(function, things, chunksize=size)

    def first(self):
        with self.open() as pool:
            return pool.submit(same, 1).result()


class Joblib(Pool):
    def each(self, function, things):
        return self.all(function, things, batch_size=1)

    def all(self, function, things, **batches):
        import joblib

        delayed = joblib.delayed(function)
        return joblib.Parallel(WORKERS, **batches)(map(delayed, things))


class Dask(Pool):
    def each(self, function, things, **batches):
        from distributed import as_completed

        futures = self.pool.map(function, list(things), pure=False, **batches)
        return (value for _, value in as_completed(futures, with_results=True))

    def all(self, function, things):
        size = len(things) // (4 * WORKERS) + 1
        return self.each(function, things, batch_size=size)


class Ideal(Pool):
    """No pool: two processes do their shares at once, as busy as each other, and nothing
    else takes time. On cores that slow each other down that counts, too."""

    def uneven(self, work, count):
        mine, theirs = shares(work.out)
        for _ in repeat(None, count):
            rest = self.pool.submit(total, theirs)
            work.got = total(mine) + rest.result()


def pypar_pool():
    import pypar

    return pypar.Pool()


def multiprocessing_pool():
    import multiprocessing

    return multiprocessing.Pool(WORKERS)


def mpi4py_pool():
    from mpi4py.futures import MPIPoolExecutor

    return MPIPoolExecutor(WORKERS)


def dask_pool():
    from distributed import Client

    return Client(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None)


@contextmanager
def ray_pool():
    """Of daemons that listen on the loopback, to who knows a word, and leave no trace."""
    os.environ |= {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # off, it has 127.0.0.1 for its node's
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),  # or else it is kept in a file at home
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    import ray
    from ray.util.multiprocessing import Pool as RayPool

    ray.init(
        address="local",
        num_cpus=WORKERS,
        num_gpus=0,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        _temp_dir=os.path.dirname(sys.argv[1]),  # the driver's
    )
    try:
        with RayPool(WORKERS) as pool:
            yield pool
    finally:
        ray.shutdown()


def one_process():
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(WORKERS - 1)


FORMS = {
    "pypar": Pool(pypar_pool),
    "multiprocessing": Pool(multiprocessing_pool),
    "mpi4py": Executor(mpi4py_pool),
    "joblib": Joblib(None),
    "dask": Dask(dask_pool),
    "ray": Pool(ray_pool),
    "ideal": Ideal(one_process),
}

if __name__ == "__main__":
    name = sys.argv.pop(1)
    form = FORMS[name]
    with form.ends:
        if name == "pypar":
            form.pool  # noqa: B018 - where ranks other than 0 stay
        measure.run(0, {"-": form}, lambda: None, os._exit)
