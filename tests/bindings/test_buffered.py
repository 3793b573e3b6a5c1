# SPDX-License-Identifier: MIT
"""The old pypar's buffered send, and the books kept around it."""

import inspect
import textwrap
import time

import numpy as np
import pytest
from forms import form
from mpirun import PYTHON, mpirun
from ranks import pypar, ranks

LARGE = 500_000  # elements: far more than a send can be rid of before its receiver


@pytest.fixture(autouse=True)
def tidy(request):
    """The books are the process's: no test meets those of the one before."""
    yield
    if request.node.get_closest_marker("ranks"):
        pypar.detach_and_dealloc()


# -- bsend ---------------------------------------------------------------------------


@ranks(2)
@pytest.mark.parametrize("count", [1, 3])
def test_a_large_array_is_gone_before_anybody_receives_and_may_change(world, count):
    if world.rank == 0:
        array = np.arange(LARGE)
        for i in range(count):
            assert pypar.bsend(array, 1) is None
            array += 1
            assert array[0] == i + 1
        world.send("go", 1, 2)
        pypar.detach()
    else:
        assert world.receive(0, 2) == "go"  # not before all have been sent
        for i in range(count):
            assert form(world.receive(0)) == form(np.arange(LARGE) + i)


@ranks(2)
@pytest.mark.parametrize(
    "value",
    [np.arange(LARGE)[::3], np.arange(5.0), 2.5, "text", b"bytes", None,
     {"a": np.ones(LARGE)}, "x" * LARGE, b"y" * LARGE, ["list"]],
    ids=lambda value: f"{type(value).__name__} {len(str(value))}",
)  # fmt: skip
def test_anything_can_be_sent(world, value):
    other = 1 - world.rank
    pypar.bsend(value, other)  # both do before they receive
    assert form(world.receive(other)) == form(value)


@ranks(2)
def test_an_object_that_changes_arrives_as_it_was(world):
    if world.rank == 0:
        value = {"array": np.zeros(LARGE), "list": [0] * LARGE}
        pypar.bsend(value, 1)
        value["array"][:] = 1
        value["list"][:] = [1]
        value["more"] = 1
        world.send("go", 1, 2)
    else:
        assert world.receive(0, 2) == "go"
        got = world.receive(0)
        assert got.keys() == {"array", "list"}
        assert not got["array"].any() and got["list"] == [0] * LARGE


def _parameters(function):
    """Without their types, which a function in C has in the stub alone."""
    found = inspect.signature(function).parameters.values()
    return [parameter.replace(annotation=parameter.empty) for parameter in found]


@ranks(2)
def test_the_arguments_are_those_of_send(world):
    assert _parameters(pypar.bsend) == _parameters(pypar.send)
    if world.rank == 0:
        pypar.bsend("a", 1, False, False, 7, False)
        pypar.bsend(np.arange(3), 1, use_buffer=True)
        pypar.bsend(np.arange(3), 1, bypass=True, vanilla=True)
        pypar.bsend(x="b", destination=np.int64(1), tag=np.uint8(9))
    else:
        assert world.receive(0, 9) == "b"
        assert pypar.receive(0, tag=7) == "a"
        for _ in range(2):
            buffer = np.zeros(3, int)
            assert pypar.receive(0, buffer) is buffer and buffer.tolist() == [0, 1, 2]


@ranks(2)
def test_buffered_and_other_sends_keep_their_order(world):
    if world.rank == 0:
        for i in range(10):
            pypar.bsend(np.full(LARGE if i % 2 else 1, i), 1)
            pypar.bsend(i, 1)
            pypar.send(str(i), 1)
    else:
        for i in range(10):
            assert world.receive(0)[0] == i
            assert world.receive(0) == i
            assert world.receive(0) == str(i)


@ranks(1)
def test_wrong_arguments_are_refused(world):
    for wrong in (
        lambda: pypar.bsend(1, 1),
        lambda: pypar.bsend(1, -1),
        lambda: pypar.bsend(1, 0, tag=-2),
    ):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(TypeError):
        pypar.bsend(1, "0")
    pypar.detach()  # there is nothing to wait for


@ranks(2)
def test_detach_waits_until_all_have_left(world):
    if world.rank == 0:
        pypar.bsend(np.zeros(LARGE), 1)
        pypar.bsend(np.zeros(LARGE), 1, tag=3)
        before = time.monotonic()
        world.send("go", 1, 2)
        pypar.detach()
        assert time.monotonic() - before >= 0.3
        pypar.detach()  # there is nothing left to wait for
    else:
        assert world.receive(0, 2) == "go"
        time.sleep(0.15)
        world.receive(0, 3)
        time.sleep(0.15)
        world.receive(0)


def test_what_was_sent_last_arrives_though_nobody_detaches(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import numpy, pypar, time
            if pypar.rank() == 0:
                pypar.bsend(numpy.arange({LARGE}), 1)
                pypar.bsend("end", 1)
            else:
                time.sleep(0.3)
                assert pypar.receive(0)[-1] == {LARGE - 1}
                print(pypar.receive(0))
            """
        )
    )
    for end in "", "pypar.finalize()\n":
        script.write_text(script.read_text() + end)
        done = mpirun(2, PYTHON, script)
        assert done.returncode == 0 and done.stdout == "end\n", done


# -- the books ------------------------------------------------------------------------


@ranks(1)
def test_push_adds_up_the_bytes_of_each_message_and_something_for_the_message(world):
    empty = pypar.push_for_alloc("")
    assert 0 < empty < 1000
    total = empty
    for value, size in (
        (np.zeros(1000), 8000),
        (np.zeros((10, 10), "c8")[::2], 400),
        (np.float32(1), 4),
        ("text", 4),
        ("äöü", 6),
        (b"12345", 5),
        (bytearray(7), 7),
    ):
        total += size + empty
        assert pypar.push_for_alloc(value) == total
    for value in (2.5, None, {"a": list(range(1000))}):
        pushed = pypar.push_for_alloc(value)
        assert total < pushed <= total + 10_000
        total = pushed
    assert pypar.push_for_alloc(np.zeros(1), False, True, True) == total + empty + 8
    assert pypar.push_for_alloc("", vanilla=True, use_buffer=True, bypass=True) > total


@ranks(1)
def test_alloc_gives_the_size_that_was_pushed_or_asked_for(world):
    pushed = pypar.push_for_alloc(np.zeros(10))
    assert pypar.alloc() == pushed
    assert pypar.alloc(-1) == pushed
    assert pypar.alloc(12) == pypar.alloc(nbytes=12) == 12
    pypar.dealloc()
    assert pypar.alloc(5) == 5


@ranks(1)
@pytest.mark.parametrize("how", ["alloc", "alloc_and_attach"])
def test_alloc_of_nothing_is_refused(world, how):
    call = getattr(pypar, how)
    with pytest.raises(RuntimeError, match="nothing has been pushed"):
        call()
    with pytest.raises(RuntimeError):
        pypar.alloc(0)
    pypar.push_for_alloc(1)
    call()
    pypar.dealloc()
    with pytest.raises(RuntimeError):
        call()


@ranks(1)
def test_detach_and_dealloc_begin_the_sum_anew_and_detach_does_not(world):
    first = pypar.push_for_alloc("abc")
    pypar.alloc_and_attach()
    pypar.detach()
    assert pypar.push_for_alloc("abc") == 2 * first
    pypar.detach_and_dealloc()
    assert pypar.push_for_alloc("abc") == first


@ranks(2)
@pytest.mark.parametrize("rounds", [1, 3])
def test_the_old_examples_go_through(world, rounds):
    other = 1 - world.rank
    for _ in range(rounds):
        pypar.push_for_alloc(np.zeros(LARGE))
        pypar.push_for_alloc(2.5)
        assert pypar.alloc_and_attach() is None
        pypar.bsend(np.arange(LARGE), other)
        pypar.bsend(2.5, other)
        assert form(pypar.receive(other)) == form(np.arange(LARGE))
        assert pypar.receive(other) == 2.5
        assert pypar.detach_and_dealloc() is None
    pypar.alloc(10)  # too small for what is sent, which is no matter
    assert pypar.attach() is None
    pypar.bsend("x" * 1000, other)
    assert pypar.detach() is None and pypar.dealloc() is None
    assert pypar.receive(other) == "x" * 1000
