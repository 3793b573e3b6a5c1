# SPDX-License-Identifier: MIT
"""pypar.ext: generators over ranks, master and slaves, foreach, and the Pool."""

import importlib
import itertools
import re

import numpy as np
import pytest
from forms import form
from mpirun import PYTHON, alone, mpirun
from ranks import IN_RANK, pypar, ranks

if IN_RANK:
    from pypar.ext import functional, handympi, pypar_balancer


def ends_well(done):
    assert done.returncode == 0, done
    assert done.stderr == "", done


def shares(world, mine):
    """What all ranks have got, on every rank."""
    return world.broadcast(world.gather(list(mine)))


# -- functional --------------------------------------------------------------------


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("length", [0, 1, 2, 3, 11, 12, 13])
def test_a_sequence_is_cut_into_slices(world, length):
    for whole in (list(range(length)), range(length), np.arange(length)):
        mine = whole if world.rank == 0 else None  # what it is elsewhere doesn't matter
        got = shares(world, functional.distributed(mine))
        cuts = [pypar.balance(length, world.size, rank) for rank in range(world.size)]
        assert form(got) == form([list(whole[lo:hi]) for lo, hi in cuts])


@ranks(1, 2, 3, 4)
@pytest.mark.parametrize("length", [0, 1, 2, 3, 11, 12, 13])
def test_what_is_no_sequence_is_dealt_out_one_by_one_and_nothing_is_lost(world, length):
    items = (x * x for x in range(length)) if world.rank == 0 else ()
    got = shares(world, functional.distributed(items))
    whole = [x * x for x in range(length)]
    assert got == [whole[rank :: world.size] for rank in range(world.size)]


@ranks(2, 3)
def test_the_way_of_sharing_can_be_chosen(world):
    got = shares(world, functional.distributed_slice(iter("abcdef")))
    assert got == [list("abcdef")[slice(*pypar.balance(6, world.size, rank))]
                   for rank in range(world.size)]  # fmt: skip
    got = shares(world, functional.distributed_generator("abcdef"))
    assert got == [list("abcdef")[rank :: world.size] for rank in range(world.size)]
    keys = dict.fromkeys("abc")
    got = shares(world, functional.distributed(keys))
    assert sorted(itertools.chain(*got)) == ["a", "b", "c"]


@ranks(1, 3)
def test_items_may_be_anything(world):
    items = [None, [], (), False, np.arange(100_000), {"a": np.ones(3)}, "x" * 10_000]
    for whole in (items, iter(items)):
        got = world.gather(list(functional.distributed(whole)))
        if world.rank == 0:
            if whole is items:
                assert form(list(itertools.chain(*got))) == form(items)
            else:
                dealt = [items[rank :: world.size] for rank in range(world.size)]
                assert form(got) == form(dealt)


@ranks(1, 2, 3)
def test_an_endless_source_ends_everywhere_when_rank_0_has_enough(world):
    shared = functional.distributed(itertools.count())
    if world.rank == 0:
        assert list(itertools.islice(shared, 10)) == [i * world.size for i in range(10)]
        del shared
    else:
        assert list(shared) == [i * world.size + world.rank for i in range(10)]


@ranks(2)
def test_the_source_is_not_asked_for_more_than_a_round_ahead(world):
    asked = []

    def source():
        for i in range(6):
            asked.append(i)
            yield i

    for i, item in enumerate(functional.distributed(source())):
        assert item == 2 * i + world.rank
        assert world.rank or len(asked) == 2 * i + 2


@ranks(2)
def test_an_exception_of_the_source_is_raised_on_rank_0_alone(world):
    """Others wait on: that nobody catches it is what ends the job."""

    def source():
        yield from range(2)
        raise OSError("the reason")

    shared = functional.distributed(source())
    assert next(shared) == world.rank
    if world.rank == 0:
        with pytest.raises(OSError, match="the reason"):
            next(shared)
        world.send("raised", 1, 5)
    else:
        assert world.receive(0, 5) == "raised"
        assert world.iprobe(0, pypar.any_tag) is None


@ranks(1, 2, 3)
def test_shares_may_be_taken_in_turns(world):
    a, b = functional.distributed(range(9)), functional.distributed(iter("abcdefghi"))
    got = shares(world, zip(a, b, strict=False))
    for rank, pairs in enumerate(got):
        lo, hi = pypar.balance(9, world.size, rank)
        assert pairs == list(zip(range(lo, hi), "abcdefghi"[rank :: world.size],
                                 strict=False))  # fmt: skip


@ranks(1, 2, 3)
def test_ranks_may_take_their_shares_in_another_order(world):
    a, b = functional.distributed(range(6)), functional.distributed(iter("abcdef"))
    got = [list(x) for x in ((a, b) if world.rank == 0 else (b, a))]
    got = got if world.rank == 0 else got[::-1]
    lo, hi = pypar.balance(6, world.size, world.rank)
    assert got == [list(range(lo, hi)), list("abcdef")[world.rank :: world.size]]


@ranks(1, 2, 3)
def test_collected_items_come_in_the_order_of_the_ranks(world):
    mine = [f"{world.rank}{i}" for i in range(world.rank + 1)]
    got = list(functional.collected(iter(mine)))
    everything = [f"{rank}{i}" for rank in range(world.size) for i in range(rank + 1)]
    assert got == (everything if world.rank == 0 else [])


@ranks(1, 2, 3)
@pytest.mark.parametrize("size", [1, 5_000])
@pytest.mark.parametrize("kind", [list, iter])
def test_what_was_distributed_can_be_collected_in_one_expression(world, size, kind):
    """Large items, too, which wait for their receiver."""
    items = [np.full(size, i) for i in range(20)]
    shared = functional.distributed(kind(items))
    got = list(functional.collected(item.sum() for item in shared))
    if world.rank == 0:
        assert sorted(got) == [i * size for i in range(20)]
    else:
        assert got == []


@ranks(1, 2, 3)
def test_balanced_takes_every_so_manieth_item_of_everybodys_own(world):
    assert list(functional.balanced(range(7))) == list(range(7))[world.rank :: world.size]
    endless = functional.balanced(itertools.count())
    assert next(endless) == world.rank
    assert next(endless) == world.rank + world.size


@ranks(2)
def test_other_messages_do_not_meet_those_of_the_generators(world):
    other = 1 - world.rank
    world.send("mine", other)
    got = shares(world, functional.distributed(range(4)))
    assert got == [[0, 1], [2, 3]]
    assert world.receive(other) == "mine"
    left = functional.distributed(range(4))
    assert world.rank == 1 or next(left) == 0
    world.barrier()  # what rank 1 does not take has been sent
    assert world.iprobe(pypar.any_source, pypar.any_tag) is None


def test_a_generator_that_outlives_the_job_does_not_complain(script):
    path = script(
        """
        import itertools, pypar
        from pypar.ext.functional import distributed

        kept = distributed(itertools.count())
        print(next(kept))
        pypar.finalize()
        """
    )
    done = mpirun(2, PYTHON, path)
    ends_well(done)
    assert sorted(done.stdout.split()) == ["0", "1"], done


# -- pypar_balancer -----------------------------------------------------------------


def squares(count):
    class Squares(pypar_balancer.PyparWork):
        def __init__(self):
            self.told = []
            self.results = {}

        def getNumWorkItems(self):
            self.told.append("count")
            return count

        def calcWorkResult(self, worknum):
            return worknum, worknum**2, self.pypar_id

        def handleWorkResult(self, result, status):
            number, square, rank = result
            assert number not in self.results and rank == status.source
            self.results[number] = square

        def masterBeforeWork(self):
            self.told.append("master before")

        def masterAfterWork(self):
            self.told.append("master after")

        def slaveBeforeWork(self):
            self.told.append("slave before")

        def slaveAfterWork(self):
            self.told.append("slave after")

    return Squares()


@ranks(2, 3, 5)
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_all_work_is_done_once_and_each_rank_told_when_it_begins_and_ends(world, count):
    work = squares(count)
    balancer = pypar_balancer.PyparBalancer(work)
    assert balancer.run(finalRun=False) is None
    assert work.balancer is balancer
    assert (work.pypar_id, work.pypar_numprocs) == (world.rank, world.size)
    assert work.pypar_node == pypar.get_processor_name()
    if world.rank == 0:
        assert work.results == {number: number**2 for number in range(count)}
        assert work.told == ["master before", "count", "master after"]
    else:
        assert work.told == ["slave before", "slave after"]


@ranks(3)
def test_slaves_share_the_work_among_them(world):
    """The master gives the second slave work while the first does its own."""

    class Meeting(pypar_balancer.PyparWork):
        def getNumWorkItems(self):
            return 2

        def calcWorkResult(self, worknum):
            other = 3 - world.rank
            world.send("I am at work", other, 7)
            return world.receive(other, 7)

        def handleWorkResult(self, result, status):
            assert result == "I am at work"
            heard.add(status.source)

    heard = set()
    pypar_balancer.PyparBalancer(Meeting()).run(finalRun=False)
    assert world.rank != 0 or heard == {1, 2}


@ranks(2)
def test_other_messages_do_not_meet_those_of_master_and_slave(world):
    other = 1 - world.rank
    for tag in 1, 2:
        world.send("mine", other, tag)
    work = squares(5)
    pypar_balancer.PyparBalancer(work).run(finalRun=False)
    assert world.rank or len(work.results) == 5
    assert [world.receive(other, tag) for tag in (1, 2)] == ["mine"] * 2


@ranks(1)
def test_a_master_alone_is_refused(world):
    with pytest.raises(RuntimeError, match="this job has 1 rank.*mpirun -np 2"):
        pypar_balancer.PyparBalancer(squares(3)).run()
    assert pypar.initialized()


@ranks(2)
def test_work_that_is_not_defined_is_named(world):
    work = pypar_balancer.PyparWork()
    for call in work.getNumWorkItems, lambda: work.calcWorkResult(1):
        with pytest.raises(NotImplementedError, match="PyparWork has no"):
            call()


@ranks(2)
def test_debug_tells_each_step(world, capsys):
    pypar_balancer.PyparBalancer(squares(1), debug=True).run(finalRun=False)
    told = capsys.readouterr().out.splitlines()
    if world.rank == 0:
        assert told == ["-0-work 0 for 1", "-0-no more work for 1", "-0-result from 1"]
    else:
        assert told == ["-1-begins work 0"]


def test_the_last_run_finalizes_and_slaves_exit(script):
    path = script(
        """
        import pypar
        from pypar.ext.pypar_balancer import PyparBalancer, PyparWork, mprint

        class Work(PyparWork):
            def getNumWorkItems(self):
                return 10
            def calcWorkResult(self, worknum):
                return worknum
            def handleWorkResult(self, result, status):
                self.sum = getattr(self, "sum", 0) + result
            def slaveAfterWork(self):
                self.msgprint("done")

        work = Work()
        PyparBalancer(work).run()
        assert not pypar.initialized()
        mprint(f"sum {work.sum}")
        """
    )
    done = mpirun(3, PYTHON, path)
    ends_well(done)
    # What ranks print at the same time mpirun may mix, within lines, too.
    told = re.findall(r"-[12]-done|sum 45", done.stdout)
    assert sorted(told) == ["-1-done", "-2-done", "sum 45"], done


def test_an_exception_in_a_slave_ends_the_job(script):
    path = script(
        """
        from pypar.ext.pypar_balancer import PyparBalancer, PyparWork

        class Work(PyparWork):
            def getNumWorkItems(self):
                return 10
            def calcWorkResult(self, worknum):
                return 1 // (worknum - 3)

        PyparBalancer(Work()).run()
        """
    )
    done = mpirun(3, PYTHON, path)
    assert done.returncode == 1, done
    assert "ZeroDivisionError" in done.stderr, done


# -- handympi -----------------------------------------------------------------------


@ranks(1, 2, 4)
@pytest.mark.parametrize("count", [0, 1, 30])
def test_foreach_gives_rank_0_the_results_in_order(world, count):
    def cube(x):
        return x**3

    got = handympi.foreach(cube, range(count), return_=True, finalRun=False)
    assert got == ([x**3 for x in range(count)] if world.rank == 0 else None)
    assert handympi.foreach(cube, range(count), finalRun=False) is None


@ranks(3)
def test_foreach_works_on_the_other_ranks(world):
    got = handympi.foreach(
        lambda _: world.rank, iter(range(20)), return_=True, finalRun=False
    )
    assert world.rank != 0 or set(got) <= {1, 2}
    assert (handympi.MY_RANK, handympi.NUM_NODES) == (world.rank, 3)
    assert handympi.HAVE_MPI and handympi.HAVE_PYPAR


@ranks(3)
def test_foreach_without_mpi_is_a_loop_on_each_rank(world):
    for final in (False, True):
        got = handympi.foreach(lambda x: (x, world.rank), "ab", False, True, False, final)
        assert got == [("a", world.rank), ("b", world.rank)]


@ranks(2)
def test_debug_tells_of_each_call(world, capsys):
    handympi.foreach(abs, [-5], debug=True, finalRun=False)
    assert capsys.readouterr().err == ("rank 1: f(-5)\n" if world.rank else "")


@ranks(1, 2, 3)
def test_master_and_slave_may_be_classes_of_ones_own(world):
    class Slave:
        made = 0

        def __init__(self):
            Slave.made += 1

        def __call__(self, param):
            return -param

    class Master(dict):
        def __call__(self, number, result):
            self[number] = result

    params = [10, 20, 30]
    master = handympi.RunMasterSlave(Master, Slave, params, finalRun=False)
    if world.rank == 0:
        assert type(master) is Master and master == {0: -10, 1: -20, 2: -30}
    else:
        assert master is None
    assert Slave.made == (world.size == 1 or world.rank > 0)


FOREACH = """
    import pypar
    from pypar.ext.handympi import HAVE_MPI, MY_RANK, foreach

    print(foreach(lambda x: x + 1, [1, 2, 3], return_=True), MY_RANK, HAVE_MPI,
          pypar.initialized())
"""


def test_only_rank_0_comes_back_from_the_last_foreach(script):
    done = mpirun(3, PYTHON, script(FOREACH))
    ends_well(done)
    assert done.stdout == "[2, 3, 4] 0 True False\n"


def test_without_mpirun_foreach_is_a_loop(script):
    done = alone(PYTHON, script(FOREACH))
    ends_well(done)
    assert done.stdout == "[2, 3, 4] 0 False True\n"


# -- pyparprocessing ----------------------------------------------------------------

POOL = """
    import sys
    from pypar.ext import pyparprocessing

    def square(x):
        return x * x

    if __name__ == "__main__":
        pyparprocessing.start()
        pool = pyparprocessing.Pool()
        print(type(pool).__name__)
        print(sorted(pool.imap(square, range(100))) == [x * x for x in range(100)])
        print(list(pool.imap(square, [])))
        pool.close()
        pool.join()
        print("end")
"""


@pytest.mark.parametrize("count", [2, 4])
def test_a_pool_of_ranks(script, count):
    done = mpirun(count, PYTHON, script(POOL))
    ends_well(done)
    assert done.stdout == "PyparPool\nTrue\n[]\nend\n"


@pytest.mark.parametrize("command", [alone, lambda *argv: mpirun(1, *argv)])
def test_on_one_rank_the_pool_is_multiprocessings(script, command):
    done = command(PYTHON, script(POOL))
    assert done.returncode == 0, done
    assert done.stdout == "Pool\nTrue\n[]\nend\n", done


def test_start_may_come_before_the_functions_are_defined(script):
    """So the workers never come to them. What an initializer leaves is theirs, too."""
    path = script(
        """
        from pypar.ext import pyparprocessing
        from pypar.ext.pyparprocessing import Pool

        def prepare(value):
            global prepared
            prepared = value

        def early(x):
            return x + prepared

        pyparprocessing.start(prepare, (100,), maxtasks=3)

        def helper(x):
            return 2 * x

        def late(x):
            return helper(x)

        number = 7
        with Pool(4) as pool:
            print(sorted(pool.imap(early, range(3))))
            print(sorted(pool.imap(late, range(3))))
            print(sorted(pool.imap(lambda x: x + number, range(3))))
        """
    )
    done = mpirun(3, PYTHON, path)
    ends_well(done)
    assert done.stdout == "[100, 101, 102]\n[0, 2, 4]\n[7, 8, 9]\n"


def test_without_cloudpickle_functions_go_by_their_names(script):
    path = script(
        """
        import sys
        sys.modules["cloudpickle"] = None
        from pypar.ext import pyparprocessing

        def square(x):
            return x * x

        pyparprocessing.start()
        with pyparprocessing.Pool() as pool:
            print(sorted(pool.imap(square, range(3))))
            try:
                pool.imap(lambda x: x, range(3))
            except Exception as error:
                print("pickle" in str(error).lower())
            print(list(pool.imap(square, [5])))
        """
    )
    done = mpirun(2, PYTHON, path)
    ends_well(done)
    assert done.stdout == "[0, 1, 4]\nTrue\n[25]\n"


def test_exceptions_are_raised_where_their_results_would_be(script):
    path = script(
        """
        import sys, threading, traceback
        from pypar.ext import pyparprocessing

        class Odd(Exception):
            def __init__(self, a, b):
                super().__init__(a + b)

        def f(x):
            if x == 3:
                raise ValueError("three")
            if x == 4:
                raise Odd("fo", "ur")  # whose pickle cannot be read
            if x == 6:
                sys.exit("six")
            if x == 7:
                return threading.Lock()  # which cannot be pickled
            return x

        pyparprocessing.start()
        pool = pyparprocessing.Pool()

        def items():
            yield from (1, 3, 4, 6, 7, threading.Lock(), 8)
            raise OSError("of the items")

        results = pool.imap(f, items())
        good, bad = [], []
        while True:
            try:
                good.append(next(results))
            except StopIteration:
                break
            except BaseException as error:
                bad.append(error)
        print(sorted(good))
        kinds = sorted(type(error).__name__ for error in bad)
        print(kinds)
        three, = (error for error in bad if isinstance(error, ValueError))
        text = "".join(traceback.format_exception(three))
        print("It was raised on rank" in text, "in f" in text)
        pool.close()
        """
    )
    done = mpirun(3, PYTHON, path)
    ends_well(done)
    assert done.stdout.splitlines() == [
        "[1, 8]",
        "['OSError', 'RuntimeError', 'SystemExit', 'TypeError', 'TypeError', "
        "'ValueError']",
        "True True",
    ]


def test_several_imaps_at_a_time_and_one_of_anothers_results(script):
    path = script(
        """
        import time
        from pypar.ext import pyparprocessing

        def square(x):
            return x * x

        def nap(x):
            time.sleep(0.1 * (x == 27))  # while others have nothing left to do
            return x

        pyparprocessing.start()
        pool = pyparprocessing.Pool()
        assert pyparprocessing.Pool() is pool
        for chained in range(2):
            a = pool.imap(square, range(30))
            b = pool.imap(abs, range(-30, 0))
            pairs = list(zip(a, b))
            assert sorted(x for x, _ in pairs) == [x * x for x in range(30)]
            assert sorted(y for _, y in pairs) == list(range(1, 31))
            fourth = pool.imap_unordered(square, pool.imap(square, range(30)))
            assert sorted(fourth) == [x ** 4 for x in range(30)]
            nexts = pool.imap(square, (x + 1 for x in pool.imap(nap, range(30))))
            assert sorted(nexts) == [(x + 1) ** 2 for x in range(30)]
        left = pool.imap(square, range(50))  # nobody looks at these any more
        pool.close()
        assert sorted(left) == [x * x for x in range(50)]
        pool.close()
        try:
            pool.imap(square, [1])
        except ValueError as error:
            print(error)
        """
    )
    for count in (2, 4):
        done = mpirun(count, PYTHON, path)
        ends_well(done)
        assert done.stdout == "the Pool is closed: its workers have gone\n"


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "pyparprocessing.Pool().imap(abs, itertools.count())",
        "next(pyparprocessing.Pool().imap(abs, itertools.count()))",
        "pool = pyparprocessing.Pool(); pool.imap(abs, range(9)); pool.terminate()\n"
        "pypar.finalize()",
    ],
)
def test_workers_end_when_rank_0_does(script, rest):
    path = script(
        "import itertools, pypar\nfrom pypar.ext import pyparprocessing\n"
        f"pyparprocessing.start()\n{rest}\n"
    )
    ends_well(mpirun(3, PYTHON, path))


def test_a_failure_of_rank_0_does_not_wait_for_the_workers(script):
    path = script(
        """
        import time
        from pypar.ext import pyparprocessing
        pyparprocessing.start()
        pyparprocessing.Pool().imap(time.sleep, [1000] * 5)
        raise KeyError("the reason")
        """
    )
    done = mpirun(3, PYTHON, path)
    assert done.returncode == 1, done
    assert "KeyError: 'the reason'" in done.stderr


def test_a_pool_before_start_is_refused(script):
    path = script(
        """
        from pypar.ext.pyparprocessing import Pool, PyparPool
        for make in Pool, PyparPool:
            try:
                make()
            except RuntimeError as error:
                print(error)
        """
    )
    done = alone(PYTHON, path)
    ends_well(done)
    assert done.stdout.splitlines() == [
        "call pyparprocessing.start() before making a Pool",
        "rank 0 of 1 cannot have a PyparPool: it is rank 0's, of the other ranks",
    ]


MUTED = """
    import logging, os, sys
    from pypar.ext import pyparprocessing
    from pypar.ext.pyparprocessing import mute_worker_output

    @mute_worker_output
    def loud(x):
        "Says much."
        print("printed by f")
        print("complained by f", file=sys.stderr)
        logging.error("logged by f")
        if x == 2:
            raise ValueError(x)
        return x

    def more(x):
        logging.error("%s", f"logged after {x}")
        return x

    if __name__ == "__main__":
        assert loud.__name__ == "loud" and loud.__doc__ == "Says much."
        pyparprocessing.start()
        pool = pyparprocessing.Pool()
        try:
            list(pool.imap(loud, [1, 2]))
        except ValueError:
            print("raised")
        list(pool.imap(more, [3]))
        pool.close()
        sys.stdout.flush()
        loud(4)
"""


@pytest.mark.parametrize("command", [alone, lambda *argv: mpirun(2, *argv)])
def test_what_a_worker_prints_can_be_dropped(script, command):
    done = command(PYTHON, script(MUTED))
    assert done.returncode == 0, done
    assert done.stdout.splitlines() == ["raised", "printed by f"], done
    told = [
        line for line in done.stderr.splitlines() if " by f" in line or "after" in line
    ]
    assert sorted(told) == [
        "ERROR:root:logged after 3",
        "ERROR:root:logged by f",
        "complained by f",
    ], done


# -- all of them ----------------------------------------------------------------------


@ranks(1)
@pytest.mark.parametrize(
    "name", ["functional", "handympi", "pypar_balancer", "pyparprocessing"]
)
def test_every_name_that_a_star_import_gives_is_there(world, name):
    module = importlib.import_module(f"pypar.ext.{name}")
    for public in module.__all__:
        assert hasattr(module, public)
