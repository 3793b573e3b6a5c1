# SPDX-License-Identifier: MIT
"""The functions of the old pypar, as scripts written for it call them."""

import itertools
import socket
import time

import numpy as np
import pytest
from forms import form
from ranks import pypar, ranks


@ranks(1, 3)
def test_a_rank_knows_itself(world):
    assert pypar.rank() == world.rank
    assert pypar.size() == world.size
    assert type(pypar.rank()) is type(pypar.size()) is int
    assert pypar.get_processor_name() == socket.gethostname()
    assert pypar.initialized()


@ranks(1)
def test_time_runs(world):
    first = pypar.time()
    time.sleep(0.05)
    assert type(first) is float
    assert 0.05 <= pypar.time() - first < 5


@ranks(1)
def test_the_constants_are_the_old_ones(world):
    names = "MAX MIN SUM PROD LAND BAND LOR BOR LXOR BXOR".split()
    assert [getattr(pypar, name) for name in names] == list(range(1, 11))
    assert pypar.default_tag == 1
    assert pypar.any_source == pypar.any_tag == -1
    assert type(pypar.max_tag) is int and pypar.max_tag >= 32767


@ranks(1)
def test_a_star_import_gives_every_name(world):
    names = {}
    exec("from pypar import *", names)
    for name in """rank size get_processor_name time barrier abort finalize initialized
                   send receive Status broadcast scatter gather reduce balance
                   any_source any_tag max_tag default_tag MAX BXOR""".split():
        assert names[name] is getattr(pypar, name)


@ranks(1)
def test_functions_of_no_argument_ignore_what_they_are_given(world):
    assert pypar.rank(1, "x") == 0
    assert pypar.size(1) == 1
    assert pypar.barrier(1) is None


@ranks(1)
def test_balance_gives_shares_that_differ_by_one_at_most(world):
    assert [pypar.balance(29, 4, p) for p in range(5)] == [
        *((0, 8), (8, 15), (15, 22), (22, 29), (29, 29))
    ]
    assert pypar.balance("6", 4.0, 1) == (2, 4)
    assert pypar.balance(2, 5, 3) == (2, 2)


# -- send and receive --------------------------------------------------------------

SEND_FORMS = [
    dict(zip(("use_buffer", "vanilla", "bypass"), flags, strict=True))
    for flags in itertools.product((False, True), repeat=3)
]
RECEIVE_FORMS = [
    dict(zip(("vanilla", "bypass"), flags, strict=True))
    for flags in itertools.product((False, True), repeat=2)
]


@ranks(2)
@pytest.mark.parametrize("form_of_send", SEND_FORMS, ids=str)
def test_every_form_of_send_meets_every_form_of_receive(world, form_of_send):
    values = ("text", b"bytes", np.arange(5.0), np.arange(5000), {"a": 1}, 3.5, None)
    for value, form_of_receive in itertools.product(values, RECEIVE_FORMS):
        if world.rank == 0:
            pypar.send(value, 1, **form_of_send)
        else:
            assert form(pypar.receive(0, **form_of_receive)) == form(value)


@ranks(2)
@pytest.mark.parametrize("form_of_send", SEND_FORMS, ids=str)
def test_every_form_of_send_fills_a_buffer(world, form_of_send):
    for value, form_of_receive in itertools.product(
        (np.arange(5.0), np.arange(5000), 1j * np.arange(6).reshape(2, 3)), RECEIVE_FORMS
    ):
        if world.rank == 0:
            pypar.send(value, 1, **form_of_send)
        else:
            buffer = np.zeros_like(value)
            assert pypar.receive(0, buffer=buffer, **form_of_receive) is buffer
            assert form(buffer) == form(value)


@ranks(2)
def test_arguments_have_the_old_order(world):
    if world.rank == 0:
        pypar.send("a", 1, False, False, 7, False)
        pypar.send(np.arange(3), 1, True)
        pypar.send(x="c", destination=1, tag=9)
        pypar.send("d", 1, 0, None, 9)
    else:
        got, status = pypar.receive(0, None, False, 7, True, False)
        assert (got, status.tag, status.source) == ("a", 7, 0)
        buffer = np.zeros(3, int)
        assert pypar.receive(0, buffer) is buffer
        assert buffer.tolist() == [0, 1, 2]
        assert pypar.receive(source=0, tag=9) == "c"
        assert pypar.receive(source=0, tag=9) == "d"


@ranks(2)
def test_any_source_any_tag_and_status(world):
    if world.rank == 0:
        pypar.send(np.arange(10.0), 1, tag=5)
    else:
        got, status = pypar.receive(
            pypar.any_source, tag=pypar.any_tag, return_status=True
        )
        assert (status.source, status.tag, status.error) == (0, 5, 0)
        assert (status.length, status.size, status.bytes()) == (10, 8, 80)
        assert form(got) == form(np.arange(10.0))


@ranks(2)
def test_the_old_example_of_a_status_of_a_text(world):
    text = "P0 says hello"
    if world.rank == 0:
        pypar.send(text, 1)
    else:
        got, status = pypar.receive(0, return_status=True)
        assert got == text and status.bytes() == len(text)


@ranks(2)
@pytest.mark.parametrize("value", ["text", {"a": [1]}, (1, 2), None], ids=repr)
def test_a_buffer_that_cannot_be_filled_gives_the_object(world, value):
    """The old pypar wanted something of the kind and size; the result is what counts."""
    if world.rank == 0:
        for _ in range(3):
            pypar.send(value, 1, use_buffer=True)
    else:
        for buffer in ("    ", [0], {}):
            assert pypar.receive(0, buffer=buffer, vanilla=True) == value


@ranks(2)
def test_one_number_goes_into_a_buffer_of_one_element(world):
    if world.rank == 0:
        pypar.send(np.array(2.5), 1, use_buffer=True)
    else:
        buffer = np.zeros(1)
        pypar.receive(0, buffer)
        assert buffer[0] == 2.5


@ranks(1, 4)
def test_the_ring_of_the_old_readme(world):
    rank, size = pypar.rank(), pypar.size()
    if rank == 0:
        pypar.send("P0", (rank + 1) % size)
        got = pypar.receive(source=rank - 1)
        assert got == "".join(f"P{i}" for i in range(size))
    else:
        got = pypar.receive(source=rank - 1)
        pypar.send(got + f"P{rank}", (rank + 1) % size)


@ranks(4)
def test_a_master_and_its_workers(world):
    tasks = list(range(50))
    if pypar.rank() == 0:
        results = {}
        free = list(range(1, pypar.size()))
        waiting = list(tasks)
        while len(results) < len(tasks):
            while free and waiting:
                pypar.send(waiting.pop(), free.pop(), tag=1)
            (task, result), status = pypar.receive(
                pypar.any_source, tag=pypar.any_tag, return_status=True
            )
            results[task] = result
            free.append(status.source)
        for rank in range(1, pypar.size()):
            pypar.send(SystemExit(), rank, tag=2)
        assert results == {task: task**2 for task in tasks}
    else:
        while True:
            task, status = pypar.receive(0, tag=pypar.any_tag, return_status=True)
            if status.tag == 2:
                assert type(task) is SystemExit
                break
            pypar.send((task, task**2), 0)


# -- broadcast, scatter, gather, reduce ------------------------------------------------


@ranks(1, 2, 3)
def test_broadcast_fills_arrays_and_returns_objects(world):
    for root in range(world.size):
        for extra in ({}, {"vanilla": True}, {"bypass": True}):
            array = np.arange(9.0) if world.rank == root else np.zeros(9)
            got = pypar.broadcast(array, root, **extra)
            assert got is array and (array == np.arange(9.0)).all()
        value = {"list": list(range(3000))}
        assert pypar.broadcast(value if world.rank == root else "x", root) == value
        text = "hello" if world.rank == root else "     "
        assert pypar.broadcast(text, root) == "hello"
        empty = np.zeros(0)
        assert pypar.broadcast(empty, root) is empty


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("length", [12, 13, 3, 1, 0])
def test_scatter_cuts_an_array_and_the_first_ranks_get_what_is_left_over(world, length):
    for root in range(world.size):
        for shape in ((length,), (length, 5)):
            whole = np.arange(np.prod(shape)).reshape(shape)
            lo, hi = pypar.balance(length, world.size, world.rank)
            got = pypar.scatter(whole if world.rank == root else np.zeros(shape), root)
            assert form(got) == form(whole[lo:hi])
            got[...] = -1
            assert (whole == np.arange(np.prod(shape)).reshape(shape)).all()


@ranks(2, 3)
def test_scatter_fills_a_buffer(world):
    whole = np.arange(world.size * 4.0)
    buffer = np.zeros(4)
    assert pypar.scatter(whole, 0, buffer) is buffer
    assert (buffer == np.arange(4.0) + 4 * world.rank).all()


@ranks(1, 2, 3)
@pytest.mark.parametrize("whole", ["abcdefgh", b"abcdefgh", list(range(8)), "äöü€😀xyz"])
def test_scatter_cuts_texts_and_lists(world, whole):
    lo, hi = pypar.balance(len(whole), world.size, world.rank)
    assert form(pypar.scatter(whole)) == form(whole[lo:hi])


@ranks(1, 2, 3)
def test_gather_joins_arrays_on_the_root_and_gives_zeros_elsewhere(world):
    for root in range(world.size):
        for shape in ((4,), (2, 3), (0,)):
            mine = np.full(shape, world.rank + 1.0)
            got = pypar.gather(mine, root)
            full = (shape[0] * world.size, *shape[1:])
            assert got.shape == full and got.dtype == float
            if world.rank == root:
                parts = [np.full(shape, rank + 1.0) for rank in range(world.size)]
                assert (got == np.concatenate(parts)).all()
            else:
                assert not got.any()


@ranks(1, 2, 3)
def test_gather_fills_a_buffer_on_the_root(world):
    buffer = np.full(3 * world.size, -1)
    got = pypar.gather(np.full(3, world.rank), 0, buffer=buffer)
    assert got is buffer
    if world.rank == 0:
        assert buffer.tolist() == [rank for rank in range(world.size) for _ in range(3)]
    else:
        assert (buffer == -1).all()


@ranks(1, 2, 3)
def test_gather_joins_texts(world):
    got = pypar.gather("abc"[world.rank] * 2)
    length = 2 * world.size
    assert got == ("aabbcc"[:length] if world.rank == 0 else " " * length)


@ranks(1, 2, 3)
def test_scatter_and_gather_are_inverse(world):
    whole = np.arange(world.size * 6.0).reshape(world.size * 3, 2)
    got = pypar.gather(pypar.scatter(whole))
    if world.rank == 0:
        assert form(got) == form(whole)


@ranks(1, 2, 3)
def test_reduce_fills_a_buffer_on_the_root_and_leaves_it_elsewhere(world):
    for root in range(world.size):
        for extra in ({}, {"vanilla": 1}, {"bypass": True}):
            buffer = np.full(5, -1.0)
            got = pypar.reduce(np.arange(5.0), pypar.SUM, root, buffer=buffer, **extra)
            assert got is buffer
            expected = np.arange(5.0) * world.size if world.rank == root else [-1] * 5
            assert buffer.tolist() == list(expected)


@ranks(1, 2, 3)
def test_reduce_works_without_a_buffer(world):
    got = pypar.reduce(np.arange(6).reshape(2, 3) + world.rank, pypar.MAX, 0)
    if world.rank == 0:
        assert form(got) == form(np.arange(6).reshape(2, 3) + world.size - 1)
    else:
        assert got is None


@ranks(1, 2, 3)
def test_reduce_of_complex_arrays_sums_them(world):
    buffer = np.zeros(4, complex)
    pypar.reduce(np.full(4, 1 + 2j), pypar.SUM, 0, buffer)
    if world.rank == 0:
        assert (buffer == world.size * (1 + 2j)).all()
