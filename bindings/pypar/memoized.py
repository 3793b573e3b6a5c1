# SPDX-License-Identifier: MIT
"""Results kept in a folder: what one rank or run has computed, no other computes again.

@pypar.memoize(store="results")
def energy(structure, cutoff=5.0): ...
"""

import functools
import inspect
import os
import pickle
import stat
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from . import digest
from ._forker import dumps

__all__ = ["memoize"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

SUM_BYTES = 4


def memoize(
    store: str | os.PathLike[str],
) -> Callable[[Callable[_Arguments, _Result]], Callable[_Arguments, _Result]]:
    """Decorate a function: a result that is in the folder store is taken from there, and
    what is not there is computed and put there, for all ranks and later runs.

    The folder is made where there is none; all ranks and hosts that see it share it. A
    result is known by the function's code, the values that it keeps and the arguments, so
    a changed function computes anew. What it raises is not kept, nor, with a RuntimeWarning,
    what cannot be pickled, by cloudpickle where that is installed. Two ranks that need the
    same at the same time both compute it. To forget all, remove the folder.

    PermissionError, by the call: store belongs to another user, or others may write to it;
    what lies there is unpickled, which can run code.
    """
    folder = Path(store)

    def decorate(
        function: Callable[_Arguments, _Result],
    ) -> Callable[_Arguments, _Result]:
        signature = inspect.signature(function)
        code = digest.of_function(function)

        @functools.wraps(function)
        def memoized(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = [bound.args, sorted(bound.kwargs.items())]
            file = folder / digest.of_value([code, given]).hex()
            _check_owner(folder)
            kept: list[_Result] = _read(file)
            if kept:
                return kept[0]
            result = function(*args, **kwargs)
            try:
                body = dumps(result, digest.PROTOCOL)
            except Exception as error:
                name = getattr(function, "__qualname__", function)
                _warn(f"the store {folder} cannot keep what {name} returns: {error!r}")
            else:
                _write(file, body)
            return result

        return memoized

    return decorate


def _check_owner(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise PermissionError(
            f"the store {folder} belongs to user {found.st_uid}, and this is {os.geteuid()}"
        )
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mode = stat.S_IMODE(found.st_mode)
        raise PermissionError(
            f"others may write to the store {folder} (mode {mode:o}): chmod go-w it"
        )


def _read(file: Path) -> list[_Result]:
    """The result in FILE, if it is there and whole."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return []
    if data[:SUM_BYTES] != _sum(data[SUM_BYTES:]):  # a power failure: it is made anew
        return []
    return [pickle.loads(memoryview(data)[SUM_BYTES:])]


def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=3)


def _write(file: Path, body: bytes) -> None:
    """By one step, as others may read it at any time."""
    new = file.with_name(f".{file.name}.{os.urandom(4).hex()}")
    try:
        new.write_bytes(_sum(body) + body)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _sum(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(SUM_BYTES)
