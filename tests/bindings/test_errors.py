# SPDX-License-Identifier: MIT
"""Wrong arguments: the right exception, a text that says what would be right, and
a world that works on."""

import numpy as np
import pytest
from ranks import pypar, ranks


@pytest.fixture(autouse=True)
def works_on(request):
    """After whatever a test has done wrong, messages still arrive."""
    yield
    world = pypar.world
    world.send("still", world.rank, tag=12345)
    assert world.receive(world.rank, tag=12345) == "still"


def check(error, *words):
    """ERROR's text has the words and names this rank."""
    text = str(error.value)
    for word in (f"rank {pypar.rank()}", *map(str, words)):
        assert word in text, f"{word!r} is not in {text!r}"


@ranks(1)
def test_the_exceptions_are_runtime_errors(world):
    assert issubclass(pypar.Error, RuntimeError)
    assert issubclass(pypar.TypeMismatch, pypar.Error)
    assert issubclass(pypar.SizeMismatch, pypar.Error)
    assert pypar.Error.__module__ == "pypar"


WRONG_RANKS = [2, 3, -3, 2**31 - 1, 2**31, -(2**31) - 1, 2**63, 10**30, -(10**30)]


@ranks(2)
@pytest.mark.parametrize("dest", [*WRONG_RANKS, -1, -2])
def test_no_such_destination(world, dest):
    for send in (world.send, pypar.send):
        with pytest.raises(ValueError) as error:
            send("x", dest)
        check(error, dest, "0", "1")


@ranks(2)
@pytest.mark.parametrize("source", [*WRONG_RANKS, -2])
def test_no_such_source(world, source):
    for receive in (world.receive, pypar.receive):
        with pytest.raises(ValueError) as error:
            receive(source)
        check(error, source, "0", "1")


@ranks(2)
@pytest.mark.parametrize("tag", [-1, -2, 2**31, -(2**31), 10**30, "max_tag + 1"])
def test_no_such_tag(world, tag):
    if tag == "max_tag + 1":
        tag = pypar.max_tag + 1
    calls = [lambda: world.send("x", 0, tag), lambda: pypar.send("x", 0, tag=tag)]
    if tag != -1:  # any tag
        calls += [lambda: world.receive(0, tag), lambda: pypar.receive(0, tag=tag)]
    for call in calls:
        with pytest.raises(ValueError) as error:
            call()
        check(error, tag, 0, pypar.max_tag)


NO_INTEGERS = [1.0, "1", None, b"1", [1], 1j, np.float64(1), np.array([0, 1])]


@ranks(2)
@pytest.mark.parametrize("value", NO_INTEGERS, ids=repr)
def test_ranks_and_tags_are_integers(world, value):
    for call in (
        lambda: world.send("x", value),
        lambda: world.receive(value),
        lambda: world.send("x", 0, value),
        lambda: world.receive(0, value),
        lambda: pypar.send("x", value),
        lambda: pypar.receive(value),
        lambda: pypar.send("x", 0, tag=value),
        lambda: pypar.receive(0, tag=value),
    ):
        with pytest.raises(TypeError) as error:
            call()
        if not isinstance(value, np.ndarray):
            check(error, repr(value), "integer")


@ranks(2)
@pytest.mark.parametrize("root", [2, -1, 2**31, 2**63, 10**30])
def test_no_such_root(world, root):
    for call in (
        lambda: world.broadcast(1, root),
        lambda: world.scatter([1, 2], root),
        lambda: world.gather(1, root),
        lambda: world.reduce(1, pypar.SUM, root),
        lambda: world.reduce(np.zeros(3), pypar.SUM, root),
        lambda: pypar.broadcast(1, root),
        lambda: pypar.scatter("ab", root),
        lambda: pypar.gather("a", root),
        lambda: pypar.reduce(np.zeros(3), pypar.SUM, root),
    ):
        with pytest.raises(ValueError) as error:
            call()
        check(error, root, "root", "0", "1")


@ranks(2)
@pytest.mark.parametrize("root", [0.0, "0", None, [0]], ids=repr)
def test_a_root_is_an_integer(world, root):
    for call in (
        lambda: world.broadcast(1, root),
        lambda: world.scatter([1, 2], root),
        lambda: world.gather(1, root),
        lambda: world.reduce(1, pypar.SUM, root),
        lambda: pypar.broadcast(1, root),
        lambda: pypar.scatter("ab", root),
        lambda: pypar.gather("a", root),
        lambda: pypar.reduce(np.zeros(3), pypar.SUM, root),
    ):
        with pytest.raises(TypeError) as error:
            call()
        check(error, repr(root), "root")


@ranks(2)
@pytest.mark.parametrize("op", [0, 13, -1, 42, 2**40])
def test_no_such_operation(world, op):
    for value in (5, np.zeros(3), "x"):
        for call in (world.reduce, pypar.reduce):
            with pytest.raises(ValueError) as error:
                call(value, op)
            check(error, op, "op")


@ranks(2)
@pytest.mark.parametrize("op", ["SUM", None, 3.0, [3]], ids=repr)
def test_an_operation_is_a_number_or_a_function(world, op):
    for value in (5, np.zeros(3)):
        with pytest.raises(TypeError) as error:
            world.reduce(value, op)
        check(error, repr(op), "op")


@ranks(1)
def test_missing_unknown_and_doubled_arguments(world):
    for call in (
        lambda: world.send(),
        lambda: world.send("x"),
        lambda: world.send("x", 0, 1, 2),
        lambda: world.send("x", 0, no_such=1),
        lambda: world.send("x", 0, dest=0),
        lambda: world.receive(0, 1, None, False, 5),
        lambda: world.receive(0, no_such=1),
        lambda: world.receive(0, source=0),
        lambda: world.gather(),
        lambda: world.reduce(),
        lambda: world.barrier(1),
        lambda: pypar.send("x"),
        lambda: pypar.send("x", 0, dest=0),
        lambda: pypar.receive(),
        lambda: pypar.receive(0, no_such=1),
        lambda: pypar.broadcast(),
        lambda: pypar.scatter(),
        lambda: pypar.gather(),
        lambda: pypar.reduce(1),
    ):
        with pytest.raises(TypeError):
            call()


@ranks(1)
def test_the_exception_of_an_index_passes(world):
    class Bad:
        def __index__(self):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        world.send("x", Bad())
    with pytest.raises(KeyError, match="mine"):
        world.receive(0, Bad())


@ranks(1)
def test_a_status_and_a_comm_cannot_be_made_or_changed(world):
    with pytest.raises(TypeError):
        type(world)()
    world.send(1, 0)
    _, status = world.receive(0, return_status=True)
    with pytest.raises(AttributeError):
        status.source = 5
    with pytest.raises(AttributeError):
        world.rank = 5


@ranks(2)
def test_a_refused_message_names_both_sides_and_where_it_came_from(world):
    if world.rank == 0:
        world.send(np.zeros(7, "f4"), 1, tag=42)
    else:
        with pytest.raises(pypar.TypeMismatch) as error:
            world.receive(0, 42, buffer=np.zeros(9, "i8"))
        check(error, "rank 0", "42", "7", "float32", "9", "int64")
        with pytest.raises(pypar.SizeMismatch) as error:
            world.receive(0, 42, buffer=np.zeros(6, "f4"))
        check(error, "rank 0", "42", "7", "float32", "6")
        assert world.receive(0, 42).size == 7
