# SPDX-License-Identifier: MIT
"""joblib, and scikit-learn by it, on the ranks of the job.

    import pypar.joblib
    from joblib import parallel_config

    with parallel_config(backend="pypar"):
        GridSearchCV(...).fit(X, y)

The ranks other than 0 become workers when they come to the first call, as with Pool.
"""

import functools
import importlib
from abc import ABCMeta
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from ._core import cpus, world
from .executor import Executor

__all__ = ["Backend"]

_joblib = importlib.import_module("joblib.parallel")  # it has no types

_Done = Callable[[Future[Any]], object]


class Backend(
    _joblib.AutoBatchingMixin,  # type: ignore[misc, name-defined]
    _joblib.ParallelBackendBase,  # type: ignore[misc, name-defined]
    metaclass=ABCMeta,
):
    """What joblib knows as "pypar". Without n_jobs it takes all ranks. Keywords are those
    of pypar.Executor, such as isolate: parallel_config(backend="pypar", isolate=True)."""

    supports_retrieve_callback = True
    default_n_jobs = -1

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """How many workers n_jobs asks for: below 0 all, but for -1 - n_jobs of them."""
        if n_jobs == 0:
            raise ValueError("n_jobs=0: wants a number of workers, or -1 for all")
        there = world.size if world.size > 1 else cpus()
        if n_jobs is None:
            return 1
        return min(n_jobs, there) if n_jobs > 0 else max(there + 1 + n_jobs, 1)

    def configure(
        self,
        n_jobs: int = 1,
        parallel: Any = None,
        prefer: str | None = None,
        require: str | None = None,
        **for_processes: Any,
    ) -> int:
        """Have workers; return how many. What else joblib gives is for its processes."""
        n_jobs = self.effective_n_jobs(n_jobs)
        self._open = functools.partial(Executor, n_jobs, **self.backend_kwargs)
        self._executor = self._open()
        self.parallel = parallel
        return n_jobs

    def submit(
        self, func: Callable[[], Any], callback: _Done | None = None
    ) -> Future[Any]:
        """Have a worker call func; callback is told when it is done."""
        future = self._executor.submit(_call, func)
        if callback:
            future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: Future[Any]) -> Any:
        """The result of what submit() has returned."""
        return out.result()

    def terminate(self) -> None:
        """No tasks will come."""
        self._executor.shutdown(wait=False)
        self.reset_batch_stats()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Take back what has not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        if ensure_ready:
            self._executor = self._open()


def _call(func: Callable[[], Any]) -> Any:
    """Functions are kept by the workers, arguments are not: joblib's are one of a kind."""
    return func()


_joblib.register_parallel_backend("pypar", Backend)
