# SPDX-License-Identifier: MIT
"""Results kept in a file while a program runs: started again, it does only the rest.

    pool.map(function, items, journal="run.jnl")

does so. A journal is a line of JSON that says of which function it is, and a record for
each result. Each has a check sum; what a kill or a power failure has left of the last one
is dropped, and the result found anew.
"""

import errno
import fcntl
import inspect
import json
import os
import pickle
import platform
import stat
import struct
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple, NoReturn, Self

from . import digest
from ._core import Error
from ._forker import dumps

__all__ = ["Journal", "JournalError", "resume"]

Outcome = tuple[int, bool, Any]

FORMAT = "par journal 1"
HEADER_BYTES = 1 << 16  # at most
SYNC_SECONDS = 1.0  # of work that a power failure may cost; a kill costs none

# The item's place and digest, the bytes of the result's pickle, and the sum of all that.
_RECORD = struct.Struct(f"<Q{digest.BYTES}sQ")
_SUM = struct.Struct("<I")


class JournalError(Error):
    """A file cannot be the journal of this work: it is somebody else's, of another
    function or of other items, or no journal at all."""


class Unkept(Error):
    """A result cannot be pickled, which why says."""

    def __init__(self, why: Exception) -> None:
        super().__init__(why)
        self.why = why


def resume(
    path: str | os.PathLike[str],
    function: Callable[..., Any],
    items: Sequence[Any],
    run: Callable[[list[int]], Iterable[Outcome]],
    *,
    star: bool = False,
) -> Iterator[Outcome]:
    """Yield (place, True, result) for each of the items that the journal path has a result
    of, then what run yields for the places of the others: (place, went it well, result or
    exception), in any order. Each new result is added to the journal before it is yielded;
    an exception is not kept. A result that cannot be pickled, by cloudpickle where that is
    installed, is the exception that says so.

    The journal is made where there is none, and stays: the next run takes it, with more
    items behind these or without. With star the items are all arguments of a call each.
    JournalError, before run is called: it is not of this function and these items.
    OSError: it cannot be read or written.
    """
    with Journal(path, function) as journal:
        names = [digest.of_value(("star", item) if star else item) for item in items]
        journal.check(names)
        rest = [at for at in range(len(items)) if at not in journal]
        for at in sorted(journal):
            yield at, True, journal[at]
        for at, good, value in run(rest):
            if good:
                try:
                    journal.add(at, names[at], value)
                except Unkept as unkept:
                    good, value = False, unkept.why
                    value.add_note(
                        f"the journal {path} cannot keep the result of item {at}"
                    )
            yield at, good, value


class Journal:
    """The results in the file path, by the places of the items: results of function, which
    is not called here. The file is made where there is none, for its user alone. One process
    has it at a time; closing it writes it to the disk for good.

    JournalError: path is somebody else's, open in another process, of another function,
    or no journal. OSError: it cannot be read or written.
    """

    def __init__(
        self, path: str | os.PathLike[str], function: Callable[..., Any]
    ) -> None:
        self._path = os.fspath(path)
        self._places: dict[int, _Place] = {}
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._check_owner()
            self._lock()
            self._end = self._begin(_header(function))
            self._read()
        except BaseException:
            os.close(self._file)
            raise
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def __contains__(self, at: object) -> bool:
        return at in self._places

    def __getitem__(self, at: int) -> Any:
        """The result of item number at. KeyError: there is none."""
        place = self._places[at]
        try:
            return pickle.loads(_read_at(self._file, place.offset, place.length))
        except Exception as error:
            error.add_note(f"in the journal {self._path}, as the result of item {at}")
            raise

    def check(self, names: list[bytes]) -> None:
        """See that each result is of the item that has these digests now.

        JournalError: one is not.
        """
        for at, place in sorted(self._places.items()):
            if at >= len(names):
                self._refuse(
                    f"has a result of item {at}, and there are {len(names)} items"
                )
            if place.name != names[at]:
                self._refuse(f"was begun with other items: number {at} is not the same")

    def add(self, at: int, name: bytes, result: Any) -> None:
        """Keep the result of item number at, whose digest is name. It outlives this
        process from now on, and a power failure a second later.

        Unkept, by what pickle raises: the result cannot be pickled."""
        try:
            body = dumps(result, digest.PROTOCOL)
        except Exception as error:
            raise Unkept(error) from error
        head = _RECORD.pack(at, name, len(body))
        _write_at(self._file, self._end, b"".join((head, body, _sum(head, body))))
        self._places[at] = _Place(name, self._end + len(head), len(body))
        self._end += len(head) + len(body) + _SUM.size
        if time.monotonic() > self._synced + SYNC_SECONDS:
            os.fsync(self._file)
            self._synced = time.monotonic()

    def close(self) -> None:
        """Write all to the disk for good; let others have the file."""
        if self._file >= 0:
            try:
                os.fsync(self._file)
            finally:
                os.close(self._file)
                self._file = -1

    # -- opening ---------------------------------------------------------------------

    def _refuse(self, why: str) -> NoReturn:
        raise JournalError(
            f"the journal {self._path} {why}; give another file, or remove it"
        )

    def _check_owner(self) -> None:
        """What is read from it is unpickled, which runs code."""
        found = os.fstat(self._file)
        if not stat.S_ISREG(found.st_mode):
            self._refuse("is not a file")
        if found.st_uid != os.geteuid():
            self._refuse(f"belongs to user {found.st_uid}, and this is {os.geteuid()}")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            self._refuse(
                f"may be written by others (mode {stat.S_IMODE(found.st_mode):o})"
            )

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._refuse("is in use, here or by another process")
        except OSError as error:
            # Some parallel file systems have no locks: two jobs on one journal would
            # then damage it, which its sums show.
            if error.errno not in (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP):
                raise

    def _begin(self, header: dict[str, str]) -> int:
        """Where the records begin."""
        line = json.dumps(header).encode() + b"\n"
        found = _read_at(self._file, 0, HEADER_BYTES).partition(b"\n")
        if not found[1] and line.startswith(found[0]):  # empty, or torn
            _write_at(self._file, 0, line)
            return len(line)
        try:
            has = json.loads(found[0])
            same = has["format"] == FORMAT
        except (ValueError, TypeError, KeyError):
            same = False
        if not same:
            self._refuse("is something else")
        for key, text in _DIFFERENCES.items():
            if has.get(key) != header[key]:
                self._refuse(text.format(has.get(key), header[key]))
        return len(found[0]) + 1

    def _read(self) -> None:
        size = os.fstat(self._file).st_size
        with open(self._file, "rb", closefd=False) as file:
            file.seek(self._end)
            while record := _next_record(file):
                at, place = record
                self._places[at] = place
                self._end = place.offset + place.length + _SUM.size
        if self._end < size:
            _warn_of_loss(self._path, len(self), size - self._end)
            os.ftruncate(self._file, self._end)


class _Place(NamedTuple):
    name: bytes  # the digest of the item
    offset: int  # of the result's pickle in the file
    length: int


_DIFFERENCES = {
    "python": "was begun by Python {}, and this is {}",
    "function": "is of the function {}, and this is {}",
    "digest": "is of the function as it was before its code, or a value in it, changed",
}


def _header(function: Callable[..., Any]) -> dict[str, str]:
    named = inspect.unwrap(function)
    name = getattr(named, "__qualname__", type(named).__qualname__)
    return {
        "format": FORMAT,
        "function": f"{getattr(named, '__module__', type(named).__module__)}.{name}",
        "digest": digest.of_function(function).hex(),
        "python": ".".join(platform.python_version_tuple()[:2]),  # digests depend on it
    }


def _next_record(file: BinaryIO) -> tuple[int, _Place] | None:
    """The record that FILE stands at; None where there is none, or not a whole one."""
    head = file.read(_RECORD.size)
    if len(head) < _RECORD.size:
        return None
    at, name, length = _RECORD.unpack(head)
    offset = file.tell()
    if length > os.fstat(file.fileno()).st_size - offset:
        return None
    body = file.read(length)
    if file.read(_SUM.size) != _sum(head, body):
        return None
    return at, _Place(name, offset, length)


def _sum(head: bytes, body: bytes) -> bytes:
    return _SUM.pack(zlib.crc32(body, zlib.crc32(head)))


def _warn_of_loss(path: str, kept: int, lost: int) -> None:
    warnings.warn(
        f"the journal {path} ends in {lost} bytes that are no whole result: they are "
        f"dropped, and {kept} results are kept",
        RuntimeWarning,
        stacklevel=2,
    )


# ---- the file ----------------------------------------------------------------------------
# A call of the kernel's reads or writes 2 GiB at most.


def _read_at(file: int, offset: int, length: int) -> bytes:
    parts = []
    while length and (part := os.pread(file, length, offset)):
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return b"".join(parts)


def _write_at(file: int, offset: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        offset += written
        view = view[written:]
