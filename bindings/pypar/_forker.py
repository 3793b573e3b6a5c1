# SPDX-License-Identifier: MIT
"""The program that isolated.py starts: it forks processes that do tasks, one after the
other, and tells how each of them ended.

It runs as a program of its own and imports neither pypar, which would start MPI, nor
anything of its user's: so its only thread may fork at any time, and what it has forked
may start MPI, threads and devices like any fresh process.
"""

import ctypes
import faulthandler
import importlib
import os
import pickle
import select
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]
from multiprocessing.reduction import recv_handle
from types import FrameType
from typing import Any, NoReturn

try:
    dumps = importlib.import_module("cloudpickle").dumps  # it has no types
except ImportError:
    dumps = pickle.dumps

START, KILL = "start", "kill"  # what we are told; after START comes a socket's handle
HERE = b"here"  # the first word of a process

# Launchers send them to all of the rank's group, and it says what becomes of its tasks.
FOR_THE_RANK = (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)

TAIL_BYTES = 4096  # of what a process has written to stderr last
STDERR = 2
PR_SET_PDEATHSIG = 1


def main(handle: int) -> None:
    control = Connection(handle)
    sys.path[:] = control.recv()
    signal.signal(signal.SIGTERM, _leave)
    for number in FOR_THE_RANK:
        signal.signal(number, signal.SIG_IGN)
    try:
        while True:
            if control.recv() == START:
                control.send(_attend(control, recv_handle(control)))
    except EOFError:  # who has started us has gone
        pass


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise EOFError


# ---- one process -----------------------------------------------------------------------


def _attend(control: Connection, handle: int) -> tuple[int, int, bytes]:
    """Fork a process that does the tasks which come by HANDLE, and see to it until it has
    ended: with which status, how much memory it had at most, and its last words."""
    stderr, stderr_of_child = os.pipe()
    forker = os.getpid()
    pid = os.fork()
    if pid == 0:
        control.close()
        os.close(stderr)
        _be_child(forker, handle, stderr_of_child)
    os.setpgid(pid, pid)  # it does so, too: whoever comes first
    os.close(handle)
    os.close(stderr_of_child)
    try:
        tail = _watch(control, pid, stderr)
    finally:
        os.killpg(pid, signal.SIGKILL)  # what it has started ends with it
        _, status, usage = os.wait4(pid, 0)
        os.close(stderr)
    return status, usage.ru_maxrss * 1024, tail


def _watch(control: Connection, pid: int, stderr: int) -> bytes:
    """Pass on what the process writes to STDERR until it has ended; kill it when told to.
    Return its last words."""
    child = os.pidfd_open(pid)
    tail = b""
    watched: list[Any] = [stderr, control, child]
    try:
        while child in watched:
            ready, _, _ = select.select(watched, [], [])
            if stderr in ready:
                if words := _pass_on(stderr):
                    tail = (tail + words)[-TAIL_BYTES:]
                else:
                    watched.remove(stderr)  # it has closed it
            if child in ready:  # a pipe holds no more than has been read just now
                watched.remove(child)
            if control in ready and control.recv() == KILL:
                os.kill(pid, signal.SIGKILL)
    finally:
        os.close(child)
    return tail


def _pass_on(stderr: int) -> bytes:
    words = os.read(stderr, 1 << 16)
    try:
        os.write(STDERR, words)
    except OSError:  # nobody listens: the words are still kept for the report
        pass
    return words


# ---- in the process --------------------------------------------------------------------


def _be_child(forker: int, handle: int, stderr: int) -> NoReturn:
    status = 1
    try:
        os.setpgid(0, 0)  # with its children: they are killed together
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != forker:  # it ended before it could matter
            os._exit(status)
        for number in signal.SIGTERM, *FOR_THE_RANK:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(stderr, STDERR)
        os.close(stderr)
        faulthandler.enable(STDERR)
        if sys.stdout:  # which is None where the rank's is closed
            sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        _serve(Connection(handle))
        status = 0
    finally:
        for stream in sys.stdout, sys.stderr:
            if stream:
                stream.flush()
        os._exit(status)


def _serve(data: Connection) -> None:
    """Say that we are there, and do tasks: each is (name of the function, the function's
    pickle if it is new), and then the arguments' pickle; its answer is the pickle of
    (went it well, result)."""
    data.send_bytes(HERE)
    pickles: dict[bytes, bytes] = {}
    functions: dict[bytes, Callable[..., Any]] = {}
    while True:
        try:
            name, new = data.recv()
            arguments = data.recv_bytes()
        except EOFError:  # no more tasks
            return
        if new:
            pickles[name] = new
        try:
            if name not in functions:
                functions[name] = _made(pickles[name])
            args, kwargs = pickle.loads(arguments)
            answer = dumps((True, functions[name](*args, **kwargs)))
        except BaseException as error:
            answer = _failure(error)
        data.send_bytes(answer)


def _made(pickled: bytes) -> Callable[..., Any]:
    function, initializer, initargs = pickle.loads(pickled)
    if initializer:
        initializer(*initargs)
    made: Callable[..., Any] = function
    return made


def _failure(error: BaseException) -> bytes:
    """ERROR with its traceback; if it cannot be pickled and read again, what it says."""
    trace = error.__traceback__
    try:
        answer: bytes = dumps((False, ExceptionWithTraceback(error, trace)))
        pickle.loads(answer)
    except Exception:
        told = RuntimeError(f"{type(error).__name__}: {error}")
        answer = dumps((False, ExceptionWithTraceback(told.with_traceback(trace), trace)))
    return answer


if __name__ == "__main__":
    main(int(sys.argv[1]))
