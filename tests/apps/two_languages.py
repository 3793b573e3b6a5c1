# SPDX-License-Identifier: MIT
"""The Python side of a job of C and Python ranks; see two_languages.c."""

import numpy as np
import pypar

# In the order of par_type, from PAR_BOOL on.
DTYPES = "? i1 i2 i4 i8 u1 u2 u4 u8 f4 f8 c8 c16".split()
BYTE_TAG, CHAR_TAG, BOOL_TAG, LOCATION_TAG, OWN_TAG = 0, 1, 2, 16, 50

world = pypar.world
peer = world.size - 1 - world.rank


def return_double(tag, dtype, count):
    got, status = world.receive(peer, tag=tag, return_status=True)
    expected = (np.arange(count) % 50 - 25).astype(dtype)
    assert got.dtype == expected.dtype and got.shape == (count,), (got, dtype)
    assert np.array_equal(got, expected), got
    assert (status.source, status.tag) == (peer, tag), status
    assert (status.length, status.size) == (count, got.itemsize), status
    world.send(got + got, peer, tag=tag)


def return_double_values(tag, dtype, count):
    got, status = world.receive(peer, tag=tag, return_status=True)
    assert got.dtype == [("value", dtype), ("index", "i8")], got.dtype
    assert (status.length, status.size) == (count, 16), status
    assert np.array_equal(got["value"], np.arange(count) % 50 - 25), got
    assert np.array_equal(got["index"], np.arange(count)), got
    got["value"] *= 2
    world.send(got, peer, tag=tag)


for count in 0, 1, 7, 1000, 100000:
    for tag, dtype in enumerate(DTYPES, start=BOOL_TAG):
        return_double(tag, dtype, count)
    for tag, dtype in enumerate(["f8", "i8"], start=LOCATION_TAG):
        return_double_values(tag, dtype, count)

text = world.receive(peer, tag=CHAR_TAG)
assert text == "Grüße"
world.send(2 * text, peer, tag=CHAR_TAG)

data = world.receive(peer, tag=BYTE_TAG)
assert type(data) is bytes and data == b"\x01\xff\x80"
world.send(2 * data, peer, tag=BYTE_TAG)

world.send(10 * np.arange(6, dtype="i4").reshape(2, 3), peer, tag=OWN_TAG)
world.send({"not": ["for", "C"]}, peer, tag=OWN_TAG + 1)

world.barrier()
print(f"Python rank {world.rank}: all as expected\n", end="")  # in one piece
