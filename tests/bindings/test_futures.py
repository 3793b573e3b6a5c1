# SPDX-License-Identifier: MIT
"""pypar.futures: scripts that were written for SCOOP."""

import pytest
from mpirun import PYTHON, mpirun

SCRIPT = """
import operator, sys, time
from concurrent.futures import Future
from pathlib import Path
import pypar
from pypar import futures


def fib(n):
    if n < 2:
        return n
    return sum(futures.map(fib, (n - 1, n - 2)))


def tree(depth):
    if not depth:
        return 1
    left, right = futures.submit(tree, depth - 1), futures.submit(tree, depth - 1)
    done, not_done = futures.wait([left, right])
    assert not not_done and done == {left, right}
    return left.result() + right.result()


def divide(a, b):
    return a / b


def until(path):
    limit = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < limit
        time.sleep(0.01)


if __name__ == "__main__":
    results = futures.map(pow, [1, 2, 3], iter([2, 3, 4, 5]))
    assert not isinstance(results, list) and list(results) == [1, 8, 81]
    assert sorted(futures.map_as_completed(pow, [3, 2], [2, 2])) == [4, 9]
    assert futures.mapReduce(abs, operator.add, range(-100, 100)) == sum(map(abs, range(-100, 100)))
    words = [chr(ord("a") + n % 26) for n in range(100)]
    assert futures.mapReduce(str, operator.add, words) == "".join(words)  # in their order
    assert futures.mapReduce(pow, operator.add, [2, 3], [2, 2]) == 13
    assert futures.mapScan(abs, operator.add, [-1, 2, -3]) == [1, 3, 6]
    assert futures.mapScan(abs, operator.add, []) == []
    for call in futures.mapReduce, lambda *args: list(futures.map(divide, [1], [0])):
        try:
            call(abs, operator.add, [])
        except (TypeError, ZeroDivisionError):
            pass
        else:
            raise AssertionError(call)

    future = futures.submit(divide, 1, b=4)
    assert isinstance(future, Future) and future.result() == 0.25
    assert list(futures.as_completed([future])) == [future]
    go = Path(sys.argv[1])
    slow = futures.submit(until, go)
    assert futures.wait([slow], timeout=0) == (set(), {slow})
    first = futures.wait([slow, future], return_when=futures.FIRST_COMPLETED)
    assert future in first.done
    go.touch()
    assert futures.wait([slow]) == ({slow}, set()) and slow.result() is None

    assert fib(7) == 13 and futures.submit(fib, 6).result() == 8
    assert futures.submit(tree, 4).result() == 16
    print("done")
"""


@pytest.mark.parametrize("n", [1, 3])
def test_the_functions_are_those_of_scoop(script, tmp_path, n):
    done = mpirun(n, PYTHON, script(SCRIPT), tmp_path / "go", timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", ""), done
