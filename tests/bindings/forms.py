# SPDX-License-Identifier: MIT
"""What the tests of any value share: what is the same, and a round trip."""

import dataclasses
import struct
from collections import Counter

import numpy as np


def form(value):
    """VALUE as something that compares: equal for values of equal type and
    content all the way down, to the sign of a zero and the bits of a NaN."""
    kind = type(value)
    if kind in (list, tuple):
        return kind, [form(item) for item in value]
    if isinstance(value, (list, tuple)):
        return kind, [form(item) for item in value], getattr(value, "__dict__", None)
    if isinstance(value, dict):
        return kind, [(form(key), form(item)) for key, item in value.items()]
    if isinstance(value, (set, frozenset)):
        return kind, Counter(repr(form(item)) for item in value)
    if kind is float:
        return kind, repr(value), struct.pack("d", value)
    if kind is complex:
        return kind, repr(value), struct.pack("dd", value.real, value.imag)
    if dataclasses.is_dataclass(kind):
        return kind, [form(getattr(value, f.name)) for f in dataclasses.fields(value)]
    if isinstance(value, BaseException):
        return kind, form(value.args), value.__dict__
    if isinstance(value, (np.ndarray, np.generic)):
        return _array_form(value)
    return kind, value


def _array_form(array):
    about = (
        type(array),
        array.dtype,
        array.shape,
        array.flags.fnc,
    )  # Fortran, not C, order
    if array.dtype.hasobject:
        return *about, [form(item) for item in array.ravel().tolist()]
    if array.dtype.char in "gG":  # has bytes that mean nothing
        return *about, array.ravel().tolist()
    if array.dtype.names:  # field by field: what lies between fields means nothing
        return *about, [_array_form(array[name]) for name in array.dtype.names]
    return *about, array.tobytes(), str(array)


def carried(world, value, tag=1):
    """VALUE as it arrives in this rank: from the other of two, which on rank 0
    is the echo of what rank 1 received, and from itself."""
    if world.rank == 0:
        world.send(value, 1, tag)
        got = world.receive(1, tag)
    else:
        got = world.receive(0, tag)
        world.send(got, 0, tag)
    world.send(value, world.rank, tag)
    return got, world.receive(world.rank, tag)
