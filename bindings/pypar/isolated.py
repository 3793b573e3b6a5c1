# SPDX-License-Identifier: MIT
"""Functions that run in a process of their own, so that a crash ends no rank.

    from pypar.isolated import Isolated, WorkerCrashed

    careful = Isolated(function, timeout=60, retries=2)
    try:
        result = careful(argument)
    except WorkerCrashed as crash:
        print(crash, crash.signal, crash.peak_memory)

``Pool(isolate=True)`` and ``Executor(isolate=True)`` do their tasks by this.
"""

import os
import pickle
import signal as signals
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures.process import BrokenProcessPool
from hashlib import blake2b
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.reduction import send_handle
from typing import Any, NamedTuple

from . import _core, _forker
from ._forker import dumps

__all__ = ["Isolated", "TaskTimeout", "WorkerCrashed"]

MAX_FUNCTIONS = 64  # that a process keeps; then a fresh one takes its place
LINES = 10  # of its last words that a report shows
LOOK = 0.1  # seconds between looks whether anybody still wants a result


class WorkerCrashed(BrokenProcessPool):
    """A task has ended its process, by a crash, os._exit() or a signal from outside, each
    time that it was tried. The process was the task's own: the rank and its other tasks
    go on.

    signal is what has killed the process, or None, and status the exit status of one that
    left by itself, or None; tries is how many times the task was tried; peak_memory the most
    memory, in bytes, that the process had since it began; stderr what it wrote there last;
    rank and host are those that it worked for.
    """

    def __init__(
        self,
        text: str = "",
        *,
        signal: int | None = None,
        status: int | None = None,
        tries: int = 1,
        peak_memory: int = 0,
        stderr: str = "",
        rank: int = 0,
        host: str = "",
    ) -> None:
        super().__init__(text)
        self.signal = signal
        self.status = status
        self.tries = tries
        self.peak_memory = peak_memory
        self.stderr = stderr
        self.rank = rank
        self.host = host


class TaskTimeout(WorkerCrashed, TimeoutError):
    """A task has taken longer than its time limit and was killed."""


class Isolated:
    """A callable that runs function in a process of its own: isolated(*args) is
    function(*args), and raises what it raises, with the process's traceback as the cause.

    The process is made when it is first needed, by a fork of one that has never started
    MPI. Each thread has one, for all that it isolates, and keeps it until it has crashed
    or done maxtasksperchild tasks. It has imported nothing: function, arguments and results are
    pickled, classes and functions of ``__main__`` by value where cloudpickle is installed.
    In a process initializer(*initargs) is called before function's first task.

    A task that takes longer than timeout seconds is killed, with all processes that it has
    started. One that has crashed or was killed is tried again up to retries times; what
    it raises is not.

    WorkerCrashed: the last try has crashed too; TaskTimeout: it took too long.
    TypeError: function cannot be called. ValueError: a number is out of its range.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        timeout: float | None = None,
        retries: int = 0,
        maxtasksperchild: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
    ) -> None:
        for each in (function, initializer or function):
            if not callable(each):
                raise TypeError(f"Isolated wants a function, not {each!r}")
        if timeout is not None and not timeout > 0:
            raise ValueError(f"timeout={timeout!r}: wants seconds above 0, or None")
        if retries < 0:
            raise ValueError(f"retries={retries!r}: wants a number from 0 on")
        if maxtasksperchild is not None and maxtasksperchild < 1:
            raise ValueError(
                f"maxtasksperchild={maxtasksperchild!r}: wants a number from 1 on, or None"
            )
        self.__wrapped__ = function
        self._initializer = initializer, tuple(initargs)
        self._timeout = timeout
        self._retries = retries
        self._maxtasks = maxtasksperchild
        self._pickled: _Function | None = None

    def __repr__(self) -> str:
        return f"Isolated({self.__wrapped__!r})"

    def __getstate__(self) -> dict[str, Any]:
        # A class of __main__ must be the same one in function and in its arguments: so
        # the rank that calls is the one that pickles both.
        return {**self.__dict__, "_pickled": None}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        arguments = dumps((args, kwargs))
        if not self._pickled:
            self._pickled = _Function.of((self.__wrapped__, *self._initializer))
        process = _of_this_thread()
        tries = 1
        while isinstance(
            answer := process.call(self._pickled, arguments, self._timeout), _Death
        ):
            if tries > self._retries:
                raise answer.told(tries, self._timeout)
            tries += 1
        if self._maxtasks and process.tasks >= self._maxtasks:
            process.retire()
        good, value = pickle.loads(answer)
        if good:
            return value
        raise value


class _Function(NamedTuple):
    name: bytes  # a digest of the pickle
    pickle: bytes

    @classmethod
    def of(cls, made_of: object) -> "_Function":
        pickled = dumps(made_of)
        return cls(blake2b(pickled, digest_size=16).digest(), pickled)


class _Death(NamedTuple):
    """How a process ended."""

    status: int  # as os.wait() has it
    peak_memory: int
    stderr: bytes
    is_late: bool = False

    def told(self, tries: int, timeout: float | None) -> WorkerCrashed:
        """The exception that says so."""
        code = os.waitstatus_to_exitcode(self.status)
        rank, host = _core.world.rank, _core.get_processor_name()
        stderr = self.stderr.decode(errors="replace")
        if self.is_late:
            how = f"took longer than {timeout:g} s and was killed"
        elif code < 0:
            how = f"was killed by {_name(-code)}{_WHY.get(-code, '')}"
        else:
            how = f"left Python with status {code}"
        text = (
            f"a task {how}, on rank {rank} of {host}"
            f"{f', {tries} times' if tries > 1 else ''}; "
            f"its process had {self.peak_memory / 2**20:.0f} MiB of memory at most"
        )
        if lines := stderr.splitlines()[-LINES:]:
            text += "\nIts last words:\n" + "\n".join(f"    {line}" for line in lines)
        kind = TaskTimeout if self.is_late else WorkerCrashed
        return kind(
            text,
            signal=_signal(-code) if code < 0 else None,
            status=code if code >= 0 else None,
            tries=tries,
            peak_memory=self.peak_memory,
            stderr=stderr,
            rank=rank,
            host=host,
        )


_WHY: dict[int, str] = {signals.SIGKILL: " (so the kernel does where memory runs out)"}


def _name(number: int) -> str:
    return getattr(_signal(number), "name", f"signal {number}")


def _signal(number: int) -> int:
    """As one of signal.Signals, if it has a name."""
    try:
        return signals.Signals(number)
    except ValueError:
        return number


# ---- the process of a thread -------------------------------------------------------------


class _Process:
    """A process for tasks, and the program that forks it: see _forker.py."""

    def __init__(self) -> None:
        self.owner = os.getpid()  # who may use it; 0: nobody
        self.tasks = 0  # that the process has done
        self._functions: set[bytes] = set()  # names of those that it has
        self._data: Connection | None = None
        self._start_forker()

    def call(
        self, function: _Function, arguments: bytes, timeout: float | None
    ) -> bytes | _Death:
        """The answer to a task, or how the process has ended over it."""
        if self._data and self._data.poll():  # it has ended since
            self._reap()
        if len(self._functions) >= MAX_FUNCTIONS and function.name not in self._functions:
            self.retire()
        try:
            data = self._data or self._start()
            return self._ask(data, function, arguments, timeout)
        except (EOFError, ConnectionError):
            return self._reap()
        except BaseException:  # such as Ctrl-C: nobody waits for the answer any more
            self._end()
            self.owner = 0
            raise

    def retire(self) -> None:
        """Let the process end, so that a fresh one does the next task."""
        if self._data:
            self._data.close()
            self._reap()

    def _ask(
        self,
        data: Connection,
        function: _Function,
        arguments: bytes,
        timeout: float | None,
    ) -> bytes | _Death:
        new = function.name not in self._functions
        data.send((function.name, function.pickle if new else None))
        data.send_bytes(arguments)
        self._functions.add(function.name)
        ready = _wait([data, self._control], timeout)
        if not ready:
            self._control.send(_forker.KILL)
            return self._reap()._replace(is_late=True)
        if data not in ready:
            return self._reap()
        answer = data.recv_bytes()
        self.tasks += 1
        return answer

    def _start_forker(self) -> None:
        ours, theirs = Pipe()
        handle = theirs.fileno()
        with theirs:
            forker = subprocess.Popen(
                [sys.executable, "-P", _forker.__file__, str(handle)],
                stdin=subprocess.DEVNULL,
                pass_fds=[handle],
            )
        ours.send(sys.path)
        self._control, self._forker = ours, forker
        self._end = weakref.finalize(self, _end, ours, forker)

    def _start(self) -> Connection:
        ours, theirs = Pipe()
        with theirs:
            self._control.send(_forker.START)
            send_handle(self._control, theirs.fileno(), self._forker.pid)
        self._data = ours
        ours.recv_bytes()  # it is there: from now on its time counts
        return ours

    def _reap(self) -> _Death:
        """Wait for the end of the process."""
        try:
            death = _Death(*self._control.recv())
        except (EOFError, ConnectionError):  # all of it was killed from outside
            self._end()
            death = _Death(_wait_status(self._forker.returncode), 0, b"")
            self._start_forker()
        if self._data:
            self._data.close()
        self._data = None
        self._functions.clear()
        self.tasks = 0
        return death


def _wait_status(returncode: int) -> int:
    return -returncode if returncode < 0 else returncode << 8


def _end(control: Connection, forker: "subprocess.Popen[bytes]") -> None:
    """The forker ends, and kills its process, when nobody is left to speak to it."""
    control.close()
    forker.wait()


def _wait(connections: list[Connection], timeout: float | None) -> Sequence[object]:
    """As multiprocessing.connection.wait, but an exception that another thread raises here,
    or its breaker, ends it."""
    until = None if timeout is None else time.monotonic() + timeout
    while True:
        left = LOOK if until is None else min(LOOK, until - time.monotonic())
        ready = wait(connections, max(0, left))
        if ready or left <= 0:
            return ready
        if breaker().is_set():
            raise _core._Interrupted


_thread = threading.local()


def breaker() -> threading.Event:
    """Once it is set, isolated calls of this thread are broken off."""
    if not hasattr(_thread, "breaker"):
        _thread.breaker = threading.Event()
    event: threading.Event = _thread.breaker
    return event


def _of_this_thread() -> _Process:
    process: _Process | None = getattr(_thread, "process", None)
    if not process or process.owner != os.getpid():  # a fork has copied its parent's
        process = _thread.process = _Process()
    return process
