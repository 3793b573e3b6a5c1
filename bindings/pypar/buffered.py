# SPDX-License-Identifier: MIT
"""The old pypar's buffered send. Sends manage their own memory, so the functions
around it only keep the books."""

import pickle
from typing import Any, SupportsIndex

from ._core import Request, default_tag, wait_some, world

_OVERHEAD = 96  # an allowance for each message; nothing is allocated by it
_pushed = 0  # bytes asked for by push_for_alloc
_sends: list[Request[None]] = []  # under way


def bsend(
    x: object,
    destination: SupportsIndex,
    use_buffer: object = False,
    vanilla: object = False,
    tag: SupportsIndex = default_tag,
    bypass: object = False,
) -> None:
    """Send x to rank destination from a copy: never waits for the receiver.

    Errors are those of send. use_buffer, vanilla and bypass change nothing."""
    _sends[:] = [send for send in _sends if not send.test()]
    send = world.isend(x, destination, tag, copy=True)
    if not send.test():
        _sends.append(send)


def push_for_alloc(
    x: object,
    vanilla: object = False,
    use_buffer: object = False,
    bypass: object = False,
) -> int:
    """Add the bytes of a message of x to those that alloc() takes; return their sum.

    vanilla, use_buffer and bypass change nothing."""
    global _pushed
    _pushed += _bytes_of(x) + _OVERHEAD
    return _pushed


def _bytes_of(x: Any) -> int:
    if hasattr(x, "nbytes"):
        return int(x.nbytes)
    if isinstance(x, str):
        return len(x.encode(errors="surrogatepass"))
    if isinstance(x, (bytes, bytearray)):
        return len(x)
    return len(pickle.dumps(x, protocol=5))


def alloc(nbytes: int = -1) -> int:
    """Return the size of the buffer: nbytes, or what has been pushed; RuntimeError if
    that is nothing. No memory is allocated: sends have their own."""
    if nbytes < 0:
        nbytes = _pushed
    if nbytes <= 0:
        raise RuntimeError("alloc: nothing has been pushed, and no size is given")
    return int(nbytes)


def dealloc() -> None:
    """Forget the size of the buffer and what has been pushed."""
    global _pushed
    _pushed = 0


def attach() -> None:
    """Use the buffer: every send has memory of its own, so there is nothing to do."""


def detach() -> None:
    """Wait until all buffered sends have left, which is when receivers have begun to
    receive the large ones."""
    while _sends:
        done = wait_some(_sends)
        _sends[:] = [send for send in _sends if send not in done]


def alloc_and_attach() -> None:
    """Do alloc() and attach()."""
    alloc()
    attach()


def detach_and_dealloc() -> None:
    """Do detach() and dealloc()."""
    detach()
    dealloc()
