# SPDX-License-Identifier: MIT
"""Journals: what was done is not done again, and no result is ever another one's."""

import fcntl
import functools
import json
import os
import random
import signal
import threading
import warnings

import pytest
from mpirun import PYTHON, alone, mpirun
from ranks import IN_RANK, ranks

if IN_RANK:
    from pypar import Error
    from pypar.journal import JournalError, resume


def square(x):
    return x * x


def other(x):
    return x * x + 1


class Run:
    """A pool of no workers, which does the items in an order of its own."""

    def __init__(self, function, items):
        self.function, self.items = function, items
        self.done = []

    def __call__(self, places):
        for at in sorted(places, key=lambda at: -at):
            self.done.append(at)
            try:
                yield at, True, self.function(self.items[at])
            except Exception as error:
                yield at, False, error


def results(path, function, items):
    """What resume() yields, sorted, and which items it had done."""
    run = Run(function, items)
    outcomes = list(resume(path, function, items, run))
    return sorted(outcomes, key=lambda outcome: outcome[0]), run.done


def refused(path, function, items, match):
    before = path.read_bytes()
    run = Run(function, items)
    with pytest.raises(JournalError, match=match) as caught:
        list(resume(path, function, items, run))
    assert str(path) in str(caught.value) and isinstance(caught.value, Error)
    assert run.done == [] and path.read_bytes() == before


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.jnl"


@ranks(1)
def test_what_is_done_is_taken_from_the_journal(world, path):
    items = list(range(10))
    whole = [(n, True, n * n) for n in items]
    assert results(path, square, items) == (whole, items[::-1])
    assert results(path, square, items) == (whole, [])
    assert path.stat().st_mode & 0o777 == 0o600


@ranks(1)
def test_who_stops_in_the_middle_keeps_what_was_done(world, path):
    items = list(range(10))
    outcomes = resume(path, square, items, Run(square, items))
    assert [next(outcomes)[0] for _ in range(4)] == [9, 8, 7, 6]
    outcomes.close()
    whole = [(n, True, n * n) for n in items]
    assert results(path, square, items) == (whole, [5, 4, 3, 2, 1, 0])


@ranks(1)
def test_more_items_may_follow_and_no_others(world, path):
    results(path, square, [1, 2, 3])
    assert results(path, square, [1, 2, 3, 4])[1] == [3]
    refused(path, square, [1, 2, 3], "has a result of item 3, and there are 3 items")
    refused(path, square, [1, 5, 3, 4], "other items: number 1 is not the same")


@ranks(1)
def test_another_function_is_refused(world, path):
    results(path, square, [1, 2])
    refused(path, other, [1, 2], r"is of the function \S+\.square, and this is \S+other")
    changed = functools.partial(square)
    refused(path, changed, [1, 2], "functools.partial")

    @functools.wraps(square)
    def wrapped(x):
        return x

    refused(path, wrapped, [1, 2], "before its code, or a value in it, changed")


@ranks(1)
def test_another_python_is_refused_by_its_name(world, path):
    results(path, square, [1])
    line, _, records = path.read_bytes().partition(b"\n")
    header = {**json.loads(line), "python": "3.2"}
    path.write_bytes(json.dumps(header).encode() + b"\n" + records)
    refused(path, square, [1], r"begun by Python 3\.2, and this is 3\.\d+")


@ranks(1)
@pytest.mark.parametrize("text", ["notes\n", "{}\n", "[1]\n", "x" * 100_000, "\0\n"])
def test_a_file_that_is_no_journal_is_left_alone(world, path, text):
    path.write_text(text)
    refused(path, square, [1], "is something else")


@ranks(1)
def test_a_file_of_somebody_else_is_refused(world, path):
    results(path, square, [1])
    path.chmod(0o620)
    refused(path, square, [1], "may be written by others .mode 620")
    path.chmod(0o644)
    assert results(path, square, [1])[1] == []
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
        refused(path, square, [1], "belongs to user 12345, and this is 0")
    with pytest.raises(JournalError, match="is not a file"):
        results("/dev/null", square, [1])
    with pytest.raises(FileNotFoundError):
        results(path.parent / "nowhere" / "run.jnl", square, [1])


@ranks(1)
def test_one_process_has_it_at_a_time(world, path):
    results(path, square, [1])
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused(path, square, [1], "is in use, here or by another process")
    assert results(path, square, [1])[1] == []


@ranks(1)
def test_an_exception_is_yielded_and_not_kept(world, path):
    def inverse(x):
        return 1 / x

    for _ in range(2):
        (first, second), done = results(path, inverse, [0, 2])
        assert first[:2] == (0, False) and isinstance(first[2], ZeroDivisionError)
        assert second == (1, True, 0.5)
    assert done == [0]


@ranks(1)
def test_a_result_that_cannot_be_read_says_where_it_is(world, path):
    global Gone
    Gone = type("Gone", (), {"__module__": __name__})
    results(path, gone, [1])
    del Gone
    with pytest.raises(AttributeError) as caught:
        results(path, gone, [1])
    assert caught.value.__notes__ == [f"in the journal {path}, as the result of item 0"]


def gone(x):
    return globals()["Gone"]()


def texts(x):
    return "x" * (x * 7 % 50)


@ranks(1)
def test_wherever_it_was_torn_the_whole_records_are_kept(world, path):
    items = list(range(3))
    whole, _ = results(path, texts, items)
    data = path.read_bytes()
    kept = []
    for length in range(data.index(b"\n") + 1, len(data)):
        path.write_bytes(data[:length])
        with warnings.catch_warnings(record=True) as caught:
            outcomes, done = results(path, texts, items)
        assert outcomes == whole
        assert done == items[: len(done)][::-1]
        assert path.stat().st_size == len(data)
        kept.append(len(items) - len(done))
        if not caught:  # it was torn between two records
            assert kept == [0] or kept[-1] == kept[-2] + 1
        else:
            assert "bytes that are no whole result" in str(caught[0].message)
            assert kept[-1] == kept[-2]
    assert kept[-1] == 2


@ranks(1)
def test_a_journal_that_was_torn_in_its_first_line_begins_anew(world, path):
    whole, _ = results(path, square, [1, 2])
    data = path.read_bytes()
    for length in range(data.index(b"\n") + 1):
        path.write_bytes(data[:length])
        assert results(path, square, [1, 2]) == (whole, [1, 0])
        assert path.read_bytes() == data


@ranks(1)
def test_items_are_not_those_of_calls_with_all_arguments(world, path):
    items = [(1, 2)]
    list(resume(path, max, items, Run(max, items)))
    with pytest.raises(JournalError, match="other items"):
        list(resume(path, max, items, Run(max, items), star=True))


@ranks(1)
def test_a_function_need_not_know_its_module(world, path):
    function = "{}!".format
    assert results(path, function, [1]) == ([(0, True, "1!")], [0])


@ranks(1)
def test_damage_never_gives_a_wrong_result(world, path):
    items = list(range(6))
    whole, _ = results(path, texts, items)
    data = path.read_bytes()
    begin = data.index(b"\n") + 1
    random.seed(1)
    for _ in range(50):
        damaged = bytearray(data)
        damaged[random.randrange(begin, len(data))] ^= 1 << random.randrange(8)
        path.write_bytes(damaged)
        with pytest.warns(RuntimeWarning, match="no whole result"):
            outcomes, done = results(path, texts, items)
        assert outcomes == whole and done


def test_what_was_done_outlives_a_kill(script, tmp_path):
    path = script(
        f"""
        import os, signal, sys
        from pypar.journal import resume

        def square(x):
            print("computed", x)
            return x * x

        def run(places):
            for at in places:
                if at == int(sys.argv[1]):
                    sys.stdout.flush()
                    os.kill(os.getpid(), signal.SIGKILL)
                yield at, True, square(at)

        items = list(range(300))
        found = dict((at, value) for at, _, value in
                     resume({str(tmp_path / "run.jnl")!r}, square, items, run))
        assert found == {{n: n * n for n in items}}
        """
    )
    first, second, third = (alone(PYTHON, path, at) for at in (100, 200, -1))
    assert first.returncode == second.returncode == -signal.SIGKILL, (first, second)
    assert third.returncode == 0 and third.stderr == "", third
    computed = [done.stdout.split("\n")[:-1] for done in (first, second, third)]
    each = [[f"computed {n}" for n in range(at, at + 100)] for at in (0, 100, 200)]
    assert computed == each


WALLTIME = """
import os, pathlib, signal
import pypar

folder = pathlib.Path({folder!r})

def work(n):
    if n == 25 and not (folder / "again").exists():
        (folder / "again").touch()
        os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
    with open(folder / "trace", "a") as trace:
        trace.write(f"{{n}}\\n")
    return n * n

if pypar.rank() == 0:
    (folder / "pid").write_text(str(os.getpid()))
with pypar.Pool() as pool:
    results = pool.map(work, range(50), chunksize=1, journal=folder / "run.jnl")
assert results == [n * n for n in range(50)]
print("done")
"""


@pytest.mark.parametrize("n", [1, 2])
def test_a_job_that_is_killed_goes_on_where_it_was(script, tmp_path, n):
    path = script(WALLTIME.format(folder=str(tmp_path)))
    first = mpirun(n, PYTHON, path)
    assert first.returncode != 0 and first.stdout == "", first
    kept = (tmp_path / "run.jnl").read_bytes()
    before = len((tmp_path / "trace").read_text().splitlines())
    second = mpirun(n, PYTHON, path)
    assert (second.returncode, second.stdout, second.stderr) == (0, "done\n", ""), second
    assert (tmp_path / "run.jnl").read_bytes().startswith(kept)
    again = (tmp_path / "trace").read_text().splitlines()[before:]
    assert len(set(again)) == len(again) and "25" in again
    third = mpirun(n, PYTHON, path)
    assert (third.returncode, third.stdout) == (0, "done\n"), third
    assert len((tmp_path / "trace").read_text().splitlines()) == before + len(again)


@ranks(1)
def test_a_result_that_only_cloudpickle_can_send_is_kept(world, path):
    def adder(x):
        return lambda y: x + y

    for expected in [2, 1, 0], []:
        outcomes, done = results(path, adder, range(3))
        assert [value(10) for _, _, value in outcomes] == [10, 11, 12]
        assert done == expected


@ranks(1)
def test_a_result_that_cannot_be_kept_is_an_exception_that_says_so(world, path):
    def lock(x):
        return threading.Lock() if x == 1 else x

    for expected in [2, 1, 0], [1]:
        outcomes, done = results(path, lock, range(3))
        assert [good for _, good, _ in outcomes] == [True, False, True]
        assert f"the journal {path} cannot keep the result of item 1" in "".join(
            outcomes[1][2].__notes__
        )
        assert done == expected
