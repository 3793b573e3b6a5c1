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
    before, first = time.monotonic(), pypar.time()
    time.sleep(0.05)
    last, after = pypar.time(), time.monotonic()
    assert type(first) is float
    # Clocks may go at slightly different rates.
    assert 0.04 <= last - first < 1.1 * (after - before)


@ranks(1)
def test_the_constants_are_the_old_ones(world):
    names = "MAX MIN SUM PROD LAND BAND LOR BOR LXOR BXOR MAXLOC MINLOC".split()
    assert [getattr(pypar, name) for name in names] == list(range(1, 13))
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


@ranks(1, 2, 3)
def test_inplace_reduce_has_its_result_in_the_roots_array(world):
    for root in range(world.size):
        mine = np.arange(12.0).reshape(3, 4)[:, ::2]
        assert pypar.inplace_reduce(mine, pypar.SUM, root) is None
        factor = world.size if world.rank == root else 1
        assert (mine == np.arange(12.0).reshape(3, 4)[:, ::2] * factor).all()


WRONG_BUFFERS = {
    "longer": lambda good: np.zeros((len(good) + 1, *good.shape[1:])),
    "shorter": lambda good: np.zeros((len(good) - 1, *good.shape[1:])),
    "of integers": lambda good: np.zeros(good.shape, int),
    "of another precision": lambda good: np.zeros(good.shape, "f4"),
    "to be repeated in": lambda good: np.zeros((2, *good.shape)),
}


@ranks(1, 2)
@pytest.mark.parametrize("name", WRONG_BUFFERS)
def test_a_buffer_that_does_not_fit_a_result_is_refused(world, name):
    """Nothing is cast, cut or repeated on the quiet."""
    mine = np.arange(4.0) + 0.5
    calls = [
        (lambda b: pypar.scatter(np.tile(mine, world.size), 0, b), mine, True),
        (lambda b: pypar.gather(mine, 0, b), np.tile(mine, world.size), False),
        (lambda b: pypar.reduce(mine, pypar.SUM, 0, b), mine, False),
    ]
    for call, good, everywhere in calls:
        buffer = WRONG_BUFFERS[name](good)
        if everywhere or world.rank == 0:
            with pytest.raises((pypar.Error, ValueError, TypeError)):
                call(buffer)
        else:
            call(buffer)
        assert not buffer.any()
    world.barrier()


@ranks(1, 2)
def test_a_buffer_of_another_shape_and_the_same_size_is_filled(world):
    mine = np.arange(6.0) + 10 * world.rank
    buffer = np.zeros((world.size, 3, 2))
    got = pypar.gather(mine, 0, buffer)
    assert got is buffer
    if world.rank == 0:
        assert (buffer[-1] == np.arange(6.0).reshape(3, 2) + 10 * (world.size - 1)).all()
    part = np.zeros((2, 3))
    pypar.scatter(np.arange(6.0 * world.size), 0, part)
    assert (part.ravel() == np.arange(6.0) + 6 * world.rank).all()


# -- buffered sends -------------------------------------------------------------------


@ranks(2)
@pytest.mark.parametrize("size", [10, 500_000])
def test_bsend_never_waits_and_sends_a_copy(world, size):
    other = 1 - world.rank
    value = np.arange(size)
    held = {"a": value}
    pypar.push_for_alloc(value)
    pypar.alloc_and_attach()
    for _ in range(3):
        pypar.bsend(value, other)
        pypar.bsend(held, other, tag=2)
        value += 1  # after the send has returned, this is nobody's business
    for i in range(3):
        assert (pypar.receive(other) == np.arange(size) + i).all()
        assert (pypar.receive(other, tag=2)["a"] == np.arange(size) + i).all()
    pypar.detach_and_dealloc()


@ranks(2)
def test_bsend_takes_what_send_takes(world):
    if world.rank == 0:
        pypar.bsend("a", 1, False, False, 7, False)
        pypar.bsend(np.arange(3), 1, use_buffer=True)
        pypar.bsend(3.5, destination=1, vanilla=True, bypass=False)
    else:
        assert pypar.receive(0, tag=7) == "a"
        buffer = np.zeros(3, int)
        assert pypar.receive(0, buffer).tolist() == [0, 1, 2]
        assert pypar.receive(0) == 3.5


@ranks(2)
def test_detach_waits_until_all_has_left(world):
    if world.rank == 0:
        for i in range(5):
            pypar.bsend(np.full(300_000, i), 1)
        pypar.detach()
        world.send("gone", 1, 3)
    else:
        time.sleep(0.2)
        assert world.iprobe(0, 3) is None
        for i in range(5):
            assert (world.receive(0) == i).all()
        assert world.receive(0, 3) == "gone"


@ranks(1)
def test_the_size_of_the_buffer_is_reckoned_as_before(world):
    pypar.dealloc()
    with pytest.raises(RuntimeError):
        pypar.alloc()
    first = pypar.push_for_alloc(np.zeros(100))
    assert first >= 800
    second = pypar.push_for_alloc("text" * 100)
    assert second >= first + 400
    third = pypar.push_for_alloc({"a": 1}, vanilla=True)
    assert third > second
    assert pypar.alloc() == third
    assert pypar.alloc(12345) == 12345
    assert pypar.attach() is None and pypar.detach() is None
    pypar.dealloc()
    with pytest.raises(RuntimeError):
        pypar.alloc()


# -- names of before 2007 ---------------------------------------------------------------


@ranks(2)
def test_deprecated_names_warn_and_work(world):
    other = 1 - world.rank
    buffer, whole = np.zeros(3), np.zeros(6)
    calls = [
        ("Barrier", lambda: pypar.Barrier()),
        ("Initialized", lambda: pypar.Initialized()),
        ("Wtime", lambda: pypar.Wtime()),
        ("Get_processor_name", lambda: pypar.Get_processor_name()),
        ("bcast", lambda: pypar.bcast(buffer, 0)),
        ("raw_send", lambda: pypar.raw_send(np.full(3, 5.0), other)),
        ("raw_receive", lambda: pypar.raw_receive(buffer, other)),
        ("raw_scatter", lambda: pypar.raw_scatter(np.arange(6.0), buffer, 0)),
        ("raw_gather", lambda: pypar.raw_gather(buffer, whole, 0)),
        ("raw_reduce", lambda: pypar.raw_reduce(buffer, np.zeros(3), pypar.SUM, 0)),
    ]
    for name, call in calls:
        with pytest.warns(
            DeprecationWarning, match=f"pypar.{name} is deprecated"
        ) as seen:
            call()
        assert seen[0].filename == __file__
    assert buffer.tolist() == [[0, 1, 2], [3, 4, 5]][world.rank]
    assert whole.tolist() == ([0, 1, 2, 3, 4, 5] if world.rank == 0 else [0] * 6)


@ranks(1)
def test_the_constants_are_in_mpiext_too(world):
    import pypar.mpiext

    assert pypar.mpiext.MPI_ANY_SOURCE == pypar.any_source
    assert pypar.mpiext.MPI_ANY_TAG == pypar.any_tag
    assert pypar.mpiext.SUM == pypar.SUM
    assert pypar.init([]) is None
