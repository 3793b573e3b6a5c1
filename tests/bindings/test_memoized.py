# SPDX-License-Identifier: MIT
"""pypar.memoize: computed once, by whichever rank and run comes first."""

import os
import threading

import numpy as np
import pytest
from mpirun import PYTHON, mpirun
from ranks import IN_RANK, ranks

if IN_RANK:
    from pypar.memoized import memoize


def counted(store, factor=2):
    """A function that keeps its results in STORE, and its calls in a list."""
    calls = []

    def scale(x, offset=0, *more, sign=1, **names):
        record(x)
        return (x * factor + offset) * sign

    class Record:  # has no content that the digest of the function could see
        def __call__(self, x):
            calls.append(x)

        def __reduce__(self):
            return Record, ()

    record = Record()
    return memoize(store)(scale), calls


@ranks(1)
def test_a_result_is_computed_once(world, tmp_path):
    scale, calls = counted(tmp_path / "a" / "store")
    assert [scale(3), scale(3), scale(4), scale(3)] == [6, 6, 8, 6]
    assert calls == [3, 4]
    again, more = counted(tmp_path / "a" / "store")
    assert [again(3), again(5)] == [6, 10]
    assert more == [5]


@ranks(1)
def test_arguments_count_by_what_they_mean(world, tmp_path):
    scale, calls = counted(tmp_path)
    assert scale(3, 0) == scale(x=3, offset=0) == scale(3) == scale(3, sign=1) == 6
    assert scale(3, sign=1, b=1, a=2) == scale(3, a=2, b=1, sign=1) == 6
    assert calls == [3, 3]
    assert scale(3, 1) == 7 and scale(3, sign=-1) == -6 and scale(3, 0, 9) == 6
    assert len(calls) == 5
    array = np.arange(3.0)
    assert (scale(array) == scale(array.copy())).all()
    assert len(calls) == 6


@ranks(1)
def test_another_function_computes_anew(world, tmp_path):
    scale, _ = counted(tmp_path, factor=2)
    other, _ = counted(tmp_path, factor=5)
    assert (scale(3), other(3)) == (6, 15)


@ranks(1)
def test_exceptions_are_not_kept(world, tmp_path):
    scale, calls = counted(tmp_path)
    for _ in range(2):
        with pytest.raises(TypeError):
            scale(None)
    assert calls == [None, None]
    with pytest.raises(TypeError, match="missing"):
        scale()


@ranks(1)
def test_a_damaged_result_is_computed_anew(world, tmp_path):
    scale, calls = counted(tmp_path)
    assert scale(3) == 6
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for damaged in b"", whole[:-1], whole[:-2] + b"x" + whole[-1:]:
        file.write_bytes(damaged)
        assert scale(3) == 6
        assert file.read_bytes() == whole
    assert calls == [3, 3, 3, 3]


@ranks(1)
def test_a_store_that_others_can_write_to_is_refused(world, tmp_path):
    scale, calls = counted(tmp_path)
    tmp_path.chmod(0o770)
    with pytest.raises(PermissionError, match="others may write.*770"):
        scale(3)
    tmp_path.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(tmp_path, 12345, -1)
        with pytest.raises(PermissionError, match="belongs to user 12345"):
            scale(3)
    assert calls == []


@ranks(1)
def test_it_keeps_the_functions_name_and_words(world, tmp_path):
    @memoize(tmp_path)
    def energy(x):
        """Its words."""

    assert (energy.__name__, energy.__doc__) == ("energy", "Its words.")


def test_ranks_and_runs_share_a_store(script, tmp_path):
    path = script(
        f"""
        import pypar
        from pypar.memoized import memoize

        @memoize(store={str(tmp_path / "store")!r})
        def square(x):
            print("computed", x)
            return x * x

        if pypar.rank() == 1:
            pypar.receive(0)
        assert [square(x) for x in range(3)] == [0, 1, 4]
        if pypar.rank() == 0:
            pypar.send("go on", 1)
        """
    )
    first, second = (mpirun(2, PYTHON, path) for _ in range(2))
    assert first.returncode == second.returncode == 0, (first, second)
    assert first.stdout.splitlines() == [f"computed {x}" for x in range(3)]
    assert second.stdout == ""


@ranks(1)
def test_a_result_that_only_cloudpickle_can_send_is_kept(world, tmp_path):
    calls = []

    @memoize(tmp_path)
    def adder(x):
        calls.append(x)
        return lambda y: x + y

    assert [adder(1)(10), adder(2)(10), adder(1)(20)] == [11, 12, 21]
    assert calls == [1, 2]


@ranks(1)
def test_a_result_that_cannot_be_kept_is_returned_all_the_same(world, tmp_path):
    lock = memoize(tmp_path)(lambda _: threading.Lock())
    for _ in range(2):
        with pytest.warns(RuntimeWarning, match=f"the store {tmp_path} cannot keep"):
            assert not lock(1).locked()
