# SPDX-License-Identifier: MIT
"""Digests: equal for what is equal, in each run; different for what differs."""

import functools
import subprocess
import sys
import threading

import numpy as np
import pytest
from mpirun import PYTHON, alone
from ranks import IN_RANK, ranks

if IN_RANK:
    from pypar.digest import of_function, of_value


class Plain:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def method(self):
        return self


VALUES = [
    *(None, True, False, 0, 1, -1, 2**70, 0.0, -0.0, 1.5, 1j, "", "1", b"", b"1"),
    *((), [], {}, set(), frozenset(), (1,), [1], {1}, frozenset([1]), {1: 2}, {2: 1}),
    *({1, (2, frozenset([3]))}, {"a": {1, 2}}, [[1], 2], [1, [2]]),
    *(np.arange(3), np.arange(3.0), np.zeros((2, 3)), np.zeros((3, 2)), np.float32(1)),
    *(Plain(), Plain(a=1), Plain(a={1}), int, Plain, len, sys, range(3), slice(1)),
    *(Plain(a=1).method, Plain(a=2).method, functools.partial(len), Plain.method),
]


@ranks(1)
def test_different_values_have_different_digests(world):
    assert len({of_value(value) for value in VALUES}) == len(VALUES)


SAME = """
words = ["alpha", "beta", "gamma", ("delta", 1)]
print(of_value([set(words), frozenset(words), {"k": {"a", "b"}}]).hex())
def outer(n):
    def inner(x, words={"a", "b", "c"}):
        return inner(x - 1) if x in {"a", "b", "c"} else n
    return inner
print(of_function(outer(3)).hex())
"""


def test_digests_are_the_same_in_each_run(script):
    path = script("from pypar.digest import of_function, of_value\n" + SAME)
    first, second = (alone(PYTHON, path, env={"PYTHONHASHSEED": n}) for n in (1, 2))
    assert first.returncode == 0 and len(first.stdout.splitlines()) == 2, first
    assert first.stdout == second.stdout


@ranks(1)
def test_it_does_not_matter_which_of_the_equal_objects_are_one(world):
    word = "".join(["w", "ord"])
    pair = (1, word)
    assert of_value([pair, pair]) == of_value([(1, "word"), (1, "word")])
    array = np.arange(10)
    assert of_value([array, array]) == of_value([array, array.copy()])


@ranks(1)
def test_what_refers_to_itself_is_refused(world):
    ring = []
    ring.append(ring)
    with pytest.raises(ValueError, match="cyclic"):
        of_value(ring)
    with pytest.raises(TypeError, match="pickle"):
        of_value([threading.Lock()])


def made(constant, default=0):
    """Functions of one name that differ in what they keep."""

    def function(x=default):
        return x + constant

    return function


def compiled(text):
    space = {"__name__": "somewhere"}
    exec(compile(text, "somewhere.py", "exec"), space)
    return space["f"]


@ranks(1)
def test_a_function_counts_by_its_code_and_what_it_keeps(world):
    same = compiled("def f(x): return x + 1")
    assert of_function(same) == of_function(
        compiled("\n\n# more\ndef f(x): return x + 1")
    )
    assert of_function(made(1)) == of_function(made(1))
    others = [
        *(same, made(1), made(2), made(1, 5), made({"a"}), made(made(1)), made(made(2))),
        compiled("def f(x): return x + 2"),
        compiled("def f(y): return y + 1"),
        compiled("def f(x): return x.a"),
        compiled("def f(x): return x.b"),
        compiled("def f(x, *, y=1): return x + 1"),
        compiled("def f(x): return [i + 1 for i in x]"),
        compiled("def f(x): return [i + 2 for i in x]"),
        compiled("async def f(x): return x + 1"),
    ]
    assert len({of_function(each) for each in others}) == len(others)


@ranks(1)
def test_callables_of_other_kinds_count_by_what_they_call(world):
    @functools.wraps(len)
    def wrapper(x):
        return len(x) + 1

    calls = type("Calls", (Plain,), {"__call__": made(1)})
    others = type("Calls", (Plain,), {"__call__": made(2)})
    assert of_function(functools.cache(made(1))) == of_function(made(1))
    assert of_function(functools.partial(made(1), 2)) != of_function(made(1))
    assert of_function(wrapper) != of_function(len)
    assert of_function(calls(a=1)) == of_function(calls(a=1))
    assert of_function(calls(a=1)) != of_function(calls(a=2))
    assert of_function(calls(a=1)) != of_function(others(a=1))
    assert of_function(subprocess.run) != of_function(subprocess.call)


@ranks(1)
def test_a_function_may_call_itself(world):
    def down(n, step):
        def one(k):
            return one(k - step) if k else other(k)

        def other(k):
            return one(k) if k else n

        return one

    assert of_function(down(1, 2)) == of_function(down(1, 2))
    assert of_function(down(1, 2)) != of_function(down(1, 3))
    assert of_function(down(1, 2)) != of_function(down(2, 2))
