# SPDX-License-Identifier: MIT
"""What nobody catches, in any rank: it is told once, and ends the job.

Python goes on to its end, so that what the program wants to do there is done, but has
only some time left: other ranks may wait for this one.

Whoever prints exceptions himself, by a hook of his own, goes on to do so: then the rank
exits with status 1, which ends the job as well, and libpar says so.
"""

import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from types import FrameType, TracebackType
from typing import Any

from . import _core
from .output import goes_to_stderr

GRACE_SECONDS = 1.0  # from the exception to the end of the job, with what is told
AGAIN_SECONDS = 1.0  # several launchers may send the same signal
STDERR = 2  # whatever sys.stderr is now
SIGNALLED = 128  # and the signal's number: libpar tells that where nothing else is wrong
INTERRUPTED = "a signal ended the wait"  # of another rank, says a call with that rank

_HERE = os.path.dirname(os.path.abspath(__file__))

_pid = os.getpid()
_fork = threading.local()  # what holds while its thread forks
_failed = False  # this rank has told why
_signalled: tuple[int, float] | None = None  # SIGTERM, and when


def watch() -> None:
    """From now on the end of this rank is the end of the job, and is told."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _main
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _thread
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _unraisable
    _watch_signals()
    _watch_crashes()


def _watch_signals() -> None:
    """mpirun, srun and batch systems end ranks by SIGTERM, and kill them soon after."""
    in_main = threading.current_thread() is threading.main_thread()
    if in_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _interrupt)
        os.register_at_fork(
            before=_hold_signals,
            after_in_parent=_let_signals_come,
            after_in_child=_forget_signals,
        )


# A signal to a child must find that it is no rank: Python drops what comes too soon.


def _hold_signals() -> None:
    _fork.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _let_signals_come() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _fork.mask)


def _forget_signals() -> None:
    if signal.getsignal(signal.SIGTERM) is _interrupt:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _let_signals_come()


def _watch_crashes() -> None:
    if not faulthandler.is_enabled():
        faulthandler.enable(STDERR)
    _core._crash_after_python()


# -- where Python brings what nobody has caught ----------------------------------------


def _main(
    kind: type[BaseException], value: BaseException, trace: TracebackType | None
) -> None:
    if not _is_the_end():
        sys.__excepthook__(kind, value, trace)
    elif issubclass(kind, KeyboardInterrupt):
        # Python would end itself by SIGINT, and mpirun print a page about that.
        sys.exit(_fail_by_signal(_where(value, trace)))
    else:
        echo = issubclass(kind, _core.Error) and INTERRUPTED in str(value)
        status = SIGNALLED + signal.SIGTERM if echo else 1
        _fail(status, _traceback(kind, value, trace))


def _thread(args: Any) -> None:
    if args.exc_type is SystemExit:  # ends the thread, and no more
        return
    if not _is_rank() or _is_interactive():
        threading.__excepthook__(args)
        return
    name = args.thread.name if args.thread else "?"
    text = _traceback(args.exc_type, args.exc_value, args.exc_traceback)
    _fail(1, f"Exception in thread {name}: {text}")
    _interrupt_main()


def _interrupt_main() -> None:
    """The program's main thread does what is to be done at its end."""
    main = threading.main_thread().ident
    if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.pthread_kill(main, signal.SIGINT)


def _unraisable(args: Any) -> None:
    message = args.err_msg or ""
    at_exit = message.startswith("Exception ignored in atexit callback")
    in_thread = message.startswith("Exception ignored in thread started by")  # by _thread
    if not _is_rank() or in_thread and _is_interactive():
        sys.__unraisablehook__(args)
    elif at_exit and issubclass(args.exc_type, KeyboardInterrupt):
        _fail_by_signal(
            _where(args.exc_value, args.exc_traceback, "the end of the script")
        )
    elif at_exit or in_thread:
        text = _traceback(args.exc_type, args.exc_value, args.exc_traceback)
        _fail(1, f"Exception in {'atexit callback' if at_exit else 'thread'}: {text}")
        if in_thread:
            _interrupt_main()
    elif not (_failed and args.exc_type is KeyboardInterrupt):  # else it is our own
        sys.__unraisablehook__(args)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _signalled
    now = time.monotonic()
    if _is_ours(frame) or _signalled and now - _signalled[1] < AGAIN_SECONDS:
        return
    _signalled = number, now
    raise KeyboardInterrupt


def _is_ours(frame: FrameType | None) -> bool:
    """Whether a hook is under way, which must not be ended by a signal."""
    while frame and frame.f_globals is not globals():
        frame = frame.f_back
    return frame is not None


# -- what is told -----------------------------------------------------------------------


def _is_rank() -> bool:
    """Not so in a child made by fork, nor in a job that is over."""
    return os.getpid() == _pid and _core.initialized()


def _is_interactive() -> bool:
    return bool(
        sys.flags.inspect or hasattr(sys, "ps1") or os.environ.get("PYTHONINSPECT")
    )


def _is_the_end() -> bool:
    """Whether Python ends now: then it has called the hook itself, and no function of
    Python's, such as a console that prints an exception and goes on."""
    hook = sys._getframe(1)
    return hook.f_back is None and _is_rank() and not _is_interactive()


def _traceback(
    kind: type[BaseException], value: BaseException | None, trace: TracebackType | None
) -> str:
    return "".join(traceback.format_exception(kind, value, trace))


def _where(
    value: BaseException | None, trace: TracebackType | None, *outermost: str
) -> str:
    """An interrupt in one line: many ranks are in other places each."""
    frames = [
        f"{os.path.basename(frame.filename)}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(trace)
        if os.path.dirname(os.path.abspath(frame.filename)) != _HERE
        and frame.name != _interrupt.__name__
    ]
    cause = f" ({signal.Signals(_signalled[0]).name})" if _signalled else ""
    text = f": {value}" if value is not None and str(value) else ""
    return f"KeyboardInterrupt{text}{cause} at " + ", ".join([*outermost, *frames])


def _fail_by_signal(text: str) -> int:
    """The status that says so."""
    status = SIGNALLED + (_signalled[0] if _signalled else signal.SIGINT)
    _fail(status, text)
    return status


def _fail(status: int, text: str) -> None:
    """Tell TEXT, once, and have the job end soon."""
    global _failed
    if _failed:
        return
    _failed = True
    if not goes_to_stderr():
        print(text, file=sys.stderr, flush=True)
        text = f"ends the job: {text.rstrip().splitlines()[-1]}"
    _core._abort_later(status, text, GRACE_SECONDS)
