# SPDX-License-Identifier: MIT
"""Names that were going away twenty years ago: they warn, and work."""

import inspect
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from forms import form
from mpirun import PYTHON, mpirun
from ranks import pypar, ranks

# What to use instead.
NAMES = {
    "Abort": "abort",
    "Barrier": "barrier",
    "Finalize": "finalize",
    "Get_processor_name": "get_processor_name",
    "Initialized": "initialized",
    "Wtime": "time",
    "bcast": "broadcast",
    "raw_gather": "gather",
    "raw_receive": "receive",
    "raw_reduce": "reduce",
    "raw_scatter": "scatter",
    "raw_send": "send",
}


@contextmanager
def warned(name):
    """One warning for what is called within, on the line that calls it."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield
    (warning,) = seen
    assert warning.category is DeprecationWarning
    assert str(warning.message) == (
        f"pypar.{name} is deprecated, use pypar.{NAMES[name]}"
    )
    assert warning.filename == __file__
    lines, first = inspect.getsourcelines(inspect.currentframe().f_back.f_back)
    assert f"pypar.{name}(" in lines[warning.lineno - max(first, 1)]


@ranks(1)
def test_all_are_there_and_say_what_to_use(world):
    from pypar import deprecated

    assert sorted(NAMES) == sorted(deprecated.__all__)
    for name, instead in NAMES.items():
        function = getattr(pypar, name)
        assert name in pypar.__all__ and function.__name__ == name
        assert function.__doc__ == f"Deprecated: use {instead}."
        assert callable(getattr(pypar, instead))


@ranks(2)
def test_what_tells_and_waits(world):
    with warned("Get_processor_name"):
        assert pypar.Get_processor_name() == pypar.get_processor_name()
    before = pypar.time()
    with warned("Wtime"):
        assert before <= pypar.Wtime() <= pypar.time()
    with warned("Initialized"):
        assert pypar.Initialized()
    with warned("Barrier"):
        assert pypar.Barrier() is None


@ranks(1, 3)
def test_bcast(world):
    root = world.size - 1
    array = np.arange(4.0) if world.rank == root else np.zeros(4)
    with warned("bcast"):
        assert pypar.bcast(array, root) is array
    assert array.tolist() == [0, 1, 2, 3]
    with warned("bcast"):
        assert pypar.bcast(buffer="text", root=0, vanilla=True) == "text"


@ranks(2)
@pytest.mark.parametrize("size", [5, 100_000])
def test_raw_send_and_raw_receive(world, size):
    value, other = np.arange(size), 1 - world.rank
    with warned("raw_send"):
        pypar.raw_send(value[:5], other)
    buffer = np.zeros(5, int)
    with warned("raw_receive"):
        assert pypar.raw_receive(buffer, other) is buffer
    assert form(buffer) == form(value[:5])
    if world.rank == 0:
        with warned("raw_send"):
            pypar.raw_send(value, 1, 7, 1)
        with warned("raw_send"):
            pypar.raw_send(x={"a": 1}, destination=1, tag=8, vanilla=True)
    else:
        buffer = np.zeros(size, int)
        with warned("raw_receive"):
            got, status = pypar.raw_receive(buffer, 0, 7, 0, 1)
        assert got is buffer and form(got) == form(value)
        assert (status.source, status.tag, status.length) == (0, 7, size)
        with warned("raw_receive"):
            got = pypar.raw_receive(x={"b": 1}, source=0, tag=8, vanilla=1)
        assert got == {"a": 1}


@ranks(1, 2, 3)
def test_raw_scatter_and_raw_gather_take_the_buffer_second(world):
    whole = np.arange(world.size * 4.0)
    part, back = np.zeros(4), np.zeros(world.size * 4)
    root = world.size - 1
    with warned("raw_scatter"):
        assert pypar.raw_scatter(whole, part, root) is part
    assert form(part) == form(whole[4 * world.rank : 4 * world.rank + 4])
    with warned("raw_gather"):
        assert pypar.raw_gather(part, back, source=root) is back
    assert form(back) == form(whole if world.rank == root else np.zeros_like(whole))


@ranks(1, 2, 3)
def test_raw_reduce_takes_the_buffer_second_and_the_operation_third(world):
    buffer = np.zeros(3)
    with warned("raw_reduce"):
        got = pypar.raw_reduce(np.arange(3.0), buffer, pypar.SUM, 0)
    assert got is buffer
    sums = [0, world.size, 2 * world.size]
    assert buffer.tolist() == (sums if world.rank == 0 else [0, 0, 0])


@ranks(1)
def test_warnings_can_be_made_errors_and_then_nothing_is_done(world):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DeprecationWarning):
            pypar.raw_send(1, 0)
    assert world.iprobe(0) is None


def test_finalize(script):
    path = script("import pypar\npypar.Finalize()\npypar.Finalize()\nprint('end')")
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 0 and done.stdout == "end\nend\n", done
    for line in 2, 3:
        told = f"{path}:{line}: DeprecationWarning: pypar.Finalize is deprecated, use "
        assert done.stderr.count(told) == 2, done


@pytest.mark.parametrize("call, status", [("Abort()", 1), ("Abort(6)", 6)])
def test_abort(script, call, status):
    path = script(f"import pypar\nif pypar.rank() == 1: pypar.{call}\npypar.receive(1)\n")
    done = mpirun(2, PYTHON, path)
    assert done.returncode == status, done


# -- pypar.mpiext ------------------------------------------------------------------------


@ranks(1)
def test_mpiext_has_the_constants(world):
    import pypar.mpiext as mpiext

    names = "MAX MIN SUM PROD LAND BAND LOR BOR LXOR BXOR".split()
    for name in names:
        assert getattr(mpiext, name) == getattr(pypar, name)
    assert mpiext.MPI_ANY_SOURCE == pypar.any_source
    assert mpiext.MPI_ANY_TAG == pypar.any_tag
    assert mpiext.MPI_TAG_UB == pypar.max_tag
    assert sorted(mpiext.__all__) == sorted(
        [*names, "MPI_ANY_SOURCE", "MPI_ANY_TAG", "MPI_TAG_UB"]
    )


def test_mpiext_is_imported_as_scripts_do(script):
    """tangos does, and receives from and under them."""
    path = script(
        """
        import pypar, pypar.mpiext
        from pypar.mpiext import *
        if pypar.rank() == 0:
            pypar.send("hello", 1, tag=17)
        else:
            got, status = pypar.receive(
                pypar.mpiext.MPI_ANY_SOURCE, tag=MPI_ANY_TAG, return_status=True
            )
            print(got, status.source, status.tag, pypar.reduce is not SUM)
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 0 and done.stdout == "hello 0 17 True\n", done
