# SPDX-License-Identifier: MIT
"""What a Status says about the message."""

import numpy as np
import pytest
from ranks import pypar, ranks


def status_of(world, value, tag=5):
    world.send(value, world.rank, tag)
    got, status = world.receive(pypar.any_source, pypar.any_tag, return_status=True)
    return status


@ranks(2)
def test_a_status_names_source_and_tag(world):
    if world.rank == 0:
        world.send("a", 1, tag=42)
    else:
        got, status = world.receive(-1, -1, return_status=True)
        assert got == "a"
        assert type(status) is pypar.Status
        assert (status.source, status.tag, status.error) == (0, 42, 0)


@ranks(1)
@pytest.mark.parametrize("dtype", ["i1", "f4", "f8", "?", "U3", "i4,f8", ">i4", "M8[s]"])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (30, 40), (300, 400)], ids=str)
def test_length_and_size_of_an_array_are_elements_and_bytes(world, dtype, shape):
    value = np.zeros(shape, dtype)
    status = status_of(world, value)
    assert (status.length, status.size) == (value.size, value.itemsize)
    assert status.bytes() == value.nbytes


@ranks(1)
def test_bytes_of_a_complex_array_are_its_bytes(world):
    assert status_of(world, np.zeros(5, complex)).bytes() == 80


@ranks(1)
@pytest.mark.parametrize("value", ["", "text", "x" * 10_000, b"bytes", b"y" * 10_000])
def test_length_of_a_text_is_its_length(world, value):
    status = status_of(world, value)
    assert (status.length, status.size, status.bytes()) == (len(value), 1, len(value))


@ranks(1)
@pytest.mark.parametrize("value", [None, 5, [1, 2], {"a": np.zeros(2000)}], ids=str)
def test_bytes_of_an_object_are_length_times_size(world, value):
    status = status_of(world, value)
    assert status.size == 1
    assert status.bytes() == status.length >= 0


@ranks(1)
def test_a_larger_object_has_more_bytes(world):
    small = status_of(world, [b"x" * 10, 1]).bytes()
    large = status_of(world, [b"x" * 10_000, 1]).bytes()
    assert large - small == 9990 or large - small > 9990


@ranks(1)
def test_the_text_of_a_status_shows_its_fields(world):
    text = repr(status_of(world, np.zeros(7), tag=42))
    for word in ("source", "tag", "42", "length", "7", "size", "8"):
        assert word in text


@ranks(1)
def test_without_return_status_there_is_only_the_object(world):
    world.send((1, 2), 0)
    assert world.receive(0, return_status=False) == (1, 2)
