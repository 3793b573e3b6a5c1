"""The old pypar's buffered send. Sends manage their own memory, so the functions
around it only keep the books."""

import pickle

from ._core import default_tag, wait_some, world

_OVERHEAD = 96  # an allowance for each message; nothing is allocated by it
_pushed = 0  # bytes asked for by push_for_alloc
_sends = []  # under way


def bsend(x, destination, use_buffer=False, vanilla=False, tag=default_tag, bypass=False):
    """Send x to rank destination from a copy: never waits for the receiver."""
    _sends[:] = [send for send in _sends if not send.test()]
    send = world.isend(x, destination, tag, copy=True)
    if not send.test():
        _sends.append(send)


def push_for_alloc(x, vanilla=False, use_buffer=False, bypass=False):
    """Add the bytes of a message of x to those that alloc() takes; return their sum."""
    global _pushed
    _pushed += _bytes_of(x) + _OVERHEAD
    return _pushed


def _bytes_of(x):
    if hasattr(x, "nbytes"):
        return x.nbytes
    if isinstance(x, str):
        return len(x.encode(errors="surrogatepass"))
    if isinstance(x, (bytes, bytearray)):
        return len(x)
    return len(pickle.dumps(x, protocol=5))


def alloc(nbytes=-1):
    """Return the size of the buffer: nbytes, or what has been pushed."""
    if nbytes < 0:
        nbytes = _pushed
    if nbytes <= 0:
        raise RuntimeError("alloc: nothing has been pushed, and no size is given")
    return int(nbytes)


def dealloc():
    """Forget the size of the buffer and what has been pushed."""
    global _pushed
    _pushed = 0


def attach():
    """Use the buffer: every send has memory of its own, so there is nothing to do."""


def detach():
    """Wait until all buffered sends have left."""
    while _sends:
        done = wait_some(_sends)
        _sends[:] = [send for send in _sends if send not in done]


def alloc_and_attach():
    """alloc() and attach()."""
    alloc()
    attach()


def detach_and_dealloc():
    """detach() and dealloc()."""
    detach()
    dealloc()
