# SPDX-License-Identifier: MIT
"""Pool and Executor: on processes, and on ranks."""

import os
import signal
from pathlib import Path

import pytest
from mpirun import BUILD, PYTHON, alone, mpirun

HERE = Path(__file__).parent
PYTEST = [
    "-m",
    "pytest",
    "-p",
    "no:cacheprovider",
    "--noconftest",
    "-q",
    "-x",
    "--tb=short",
]


def pooled(count, *words, timeout=900, env=None):
    """Run python -m pypar pool WORDS on COUNT ranks."""
    path = os.pathsep.join([str(HERE), str(BUILD / "python")])
    env = {"PYTHONPATH": path, **(env or {})}
    return mpirun(count, PYTHON, "-m", "pypar", "pool", *words, timeout=timeout, env=env)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_pools_and_executors_do_what_the_standard_librarys_do(count):
    done = pooled(count, *PYTEST, HERE / "pool_checks.py", HERE / "executor_checks.py")
    assert done.returncode == 0 and not done.stderr, done


# -- scripts ------------------------------------------------------------------------------

SCRIPT = """
    import dataclasses, sys
    import pypar

    print("begins")
    factor = 2

    def scaled(x):
        return factor * x

    def changed(x):
        return "before"

    @dataclasses.dataclass
    class Point:
        x: int

        def moved(self, by):
            return Point(self.x + by)

    def is_point(x):
        return isinstance(x, Point)

    if __name__ == "__main__":
        pool = pypar.Pool()

        def defined_later(x):
            return scaled(x) + 1

        def changed(x):
            return "after"

        class Later:
            def __init__(self, x):
                self.x = x

        def later(x):
            return Later(x)

        assert pool.map(scaled, range(9)) == [2 * x for x in range(9)]
        assert pool.map(defined_later, range(9)) == [2 * x + 1 for x in range(9)]
        assert pool.map(changed, range(3)) == ["after"] * 3
        assert pool.map(Point, range(3)) == [Point(0), Point(1), Point(2)]
        assert pool.map(is_point, [Point(1), 2], chunksize=1) == [True, False]
        assert pool.map(Point(5).moved, [1, 2]) == [Point(6), Point(7)]
        assert [type(each) for each in pool.map(later, range(3))] == [Later] * 3
        with pypar.Executor() as executor:
            assert executor.submit(lambda x: x + factor, 1).result() == 3
        print("ends", *sys.argv[1:])
    """


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_script_needs_no_more_than_a_pool(script, count):
    path = script(SCRIPT)
    done = mpirun(count, PYTHON, path, "a", "b")
    assert done.returncode == 0 and not done.stderr, done
    assert sorted(done.stdout.splitlines()) == ["begins"] * count + ["ends a b"], done


def test_only_rank_0_may_run_the_script(script):
    done = pooled(3, script(SCRIPT), "a", "b")
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == "begins\nends a b\n", done


def test_what_rank_0_runs_may_be_text_or_a_module(tmp_path):
    text = "import pypar, sys; print(pypar.Pool().map(lambda x: x * x, [1, 2]), sys.argv)"
    done = pooled(2, "-c", text, "-x")
    assert done.stdout == "[1, 4] ['-c', '-x']\n" and done.returncode == 0, done
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "__init__.py").touch()
    (tmp_path / "work" / "square.py").write_text("def square(x):\n    return x * x\n")
    (tmp_path / "work" / "__main__.py").write_text(
        "import pypar, sys\nfrom .square import square\n"
        "print(pypar.Pool().map(square, [1, 2]), sys.argv[1:])"
    )
    path = os.pathsep.join([str(tmp_path), str(BUILD / "python")])
    done = pooled(2, "-m", "work", "-x", env={"PYTHONPATH": path})
    assert done.stdout == "[1, 4] ['-x']\n" and done.returncode == 0, done
    done = pooled(2, "-m", "no_such_module")
    assert "no module 'no_such_module'" in done.stderr and done.returncode == 1, done
    done = pooled(2, "no_such_script.py")
    assert "no_such_script.py" in done.stderr and done.returncode == 1, done
    done = pooled(2)
    assert done.stderr.count("usage:") == 1 and done.returncode == 2, done


# -- how it ends --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end, status, words",
    [
        ("sys.exit(3)", 3, "exits with status 3"),
        ("raise KeyError('the reason')", 1, "KeyError: 'the reason'"),
        ("pool.apply(fail)", 1, "ValueError: in the worker"),
        (
            "os.kill(os.getppid(), signal.SIGINT); pool.apply(time.sleep, (999,))",
            None,
            "KeyboardInterrupt",
        ),
    ],
)
def test_the_end_of_rank_0_is_that_of_the_job(script, end, status, words):
    path = script(
        f"""
        import os, signal, sys, time
        import pypar

        def fail():
            raise ValueError("in the worker")

        pool = pypar.Pool()
        later = pool.map_async(time.sleep, [0.1] * 30, chunksize=1)
        time.sleep(0.1)
        {end}
        """
    )
    for seconds in 1, 10:  # that mpirun, which is interrupted, leaves a rank to say it
        env = {"OMPI_MCA_odls_base_sigkill_timeout": seconds}
        done = mpirun(3, PYTHON, path, env=env)
        if words in done.stderr:
            break
    assert done.returncode == status or status is None and done.returncode, done
    assert words in done.stderr, done


def test_an_interrupted_task_cleans_up_and_its_rank_goes_on(script, tmp_path):
    path = script(
        """
        import sys, time
        from pathlib import Path
        import pypar

        def nap(folder):
            (folder / f"begun {pypar.rank()}").touch()
            try:
                time.sleep(999)
            except Exception:
                (folder / "caught").touch()
            finally:
                (folder / f"cleaned {pypar.rank()}").touch()

        def nest(folder):
            with pypar.Executor() as inner:
                inner.submit(nap, folder).result()

        def catch(folder):
            (folder / "begun").touch()
            try:
                time.sleep(999)
            except BaseException:
                time.sleep(0.2)
                (folder / "caught").touch()

        def wait_for(folder, count):
            while len(list(folder.iterdir())) < count:
                time.sleep(0.01)

        def break_off(task, count):
            folder = Path(sys.argv[1], task.__name__)
            folder.mkdir(exist_ok=True)
            with pypar.Pool(2) as pool:
                pool.map_async(task, [folder] * count, chunksize=1)
                wait_for(folder, count)
            wait_for(folder, 2 * count)
            assert not (folder / "caught").exists() or task == catch

        break_off(nap, 2)
        break_off(nest, 1)
        break_off(catch, 1)
        """
    )
    done = mpirun(3, PYTHON, path, tmp_path)
    assert done.returncode == 0 and not done.stderr, done
    assert (tmp_path / "catch" / "caught").exists()


def test_an_interrupt_leaves_no_module_half_imported(tmp_path):
    (tmp_path / "slow.py").write_text(
        "import time\n"
        "from pathlib import Path\n"
        "folder = Path(__file__).parent\n"
        "def begin(_):\n    time.sleep(999)\n"
        "(folder / 'begun').touch()\n"
        "time.sleep(0.5)\n"
        "(folder / 'imported').touch()\n"
    )
    (tmp_path / "main.py").write_text(
        "import time\n"
        "from pathlib import Path\n"
        "import pypar\n"
        "folder = Path(__file__).parent\n"
        "import slow\n"
        "for name in 'begun', 'imported':\n    (folder / name).unlink()\n"
        "with pypar.Pool(1) as pool:\n"
        "    pool.apply_async(slow.begin, (0,))\n"
        "    while not (folder / 'begun').exists():\n        time.sleep(0.01)\n"
        "with pypar.Pool(1) as pool:\n    assert pool.apply(abs, (-1,)) == 1\n"
        "assert (folder / 'imported').exists()\n"
    )
    done = pooled(2, tmp_path / "main.py")
    assert done.returncode == 0 and not done.stderr, done


def test_an_interrupt_leaves_the_programs_handlers_alone(script):
    path = script(
        """
        import atexit, os, signal, time
        import pypar
        from pypar import _core

        numbers = signal.SIGUSR1, signal.SIGUSR2, _core._task_signal()
        came = []

        def note(number, frame):
            came.append(number)

        for number in numbers:
            signal.signal(number, note)

        def send(number):
            came.clear()
            os.kill(os.getpid(), number)
            return came == [number]

        def check():
            assert all(signal.getsignal(number) is note for number in numbers)
            print("kept")

        atexit.register(check)
        with pypar.Pool(1) as pool:
            assert pool.map(send, numbers, chunksize=1) == [True] * 3
            pool.apply_async(time.sleep, (999,))
            time.sleep(0.2)
        pool = pypar.Pool(1)
        assert pool.map(send, numbers, chunksize=1) == [True] * 3
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == "kept\nkept\n", done


@pytest.mark.parametrize("end", ["pool.terminate()", "pypar.finalize()", "pass"])
def test_no_call_that_cannot_be_broken_off_keeps_rank_0_from_its_end(script, end):
    path = script(
        f"""
        import threading
        import pypar
        begun = threading.Event()

        def block(_):
            if pypar.rank() == 0:
                begun.set()
            threading.Event().wait()

        pool = pypar.Pool()
        later = pool.map_async(block, range(10), chunksize=1)
        begun.wait()
        {end}
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 0 and not done.stderr, done


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV], ids=str)
def test_a_worker_that_dies_ends_the_job(script, number):
    path = script(
        f"""
        import os, time
        import pypar

        def work(i):
            if i == 70 and pypar.rank():
                os.kill(os.getpid(), {int(number)})
            time.sleep(0.01 if i < 70 else 999)

        pool = pypar.Pool(2)  # without rank 0
        pool.map(work, range(100), chunksize=1)
        """
    )
    done = mpirun(3, PYTHON, path)
    assert done.returncode == 128 + number, done
    words = {signal.SIGKILL: "signal 9 (Killed)", signal.SIGSEGV: "SIGSEGV"}
    assert words[number] in done.stderr, done


def test_what_takes_long_keeps_nothing_else_waiting(script, tmp_path):
    path = script(
        """
        import sys, time
        from pathlib import Path
        import pypar

        over = Path(sys.argv[1])

        def last(is_long):
            limit = time.monotonic() + 20
            while is_long and not over.exists() and time.monotonic() < limit:
                time.sleep(0.01)
            return is_long

        pool = pypar.Pool(2)
        for _ in pool.imap_unordered(abs, range(5000)):
            pass  # all of them take very little time
        results = pool.imap_unordered(last, [True] + [False] * 500)
        done = [next(results) for _ in range(500)]
        over.touch()
        done += results
        assert done == [False] * 500 + [True], done.index(True)
        done = list(pool.imap_unordered(time.sleep, [0] * 2000 + [0.2] * 9))
        assert done == [None] * 2009
        print("all")
        """
    )
    done = mpirun(3, PYTHON, path, tmp_path / "over")
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == "all\n", done


def test_finalize_closes_a_farm(script):
    path = script(
        """
        import threading
        import pypar

        def portable(error):
            return error

        farm = pypar._core.Farm(pypar.world)
        if pypar.rank():
            farm.serve(portable)
        else:
            server = threading.Thread(target=farm.serve, args=(portable,))
            server.start()
            channel = farm.channel(False)
            farm.submit(channel, farm.share(abs), (-1,))
            assert farm.next(channel)[1:] == (True, 1)
        pypar.finalize()
        try:
            farm.channel(False)
        except ValueError as error:
            assert "the farm is closed" in str(error)
            print("closed")
        farm.close()
        """
    )
    done = mpirun(3, PYTHON, path)
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == "closed\n" * 3, done


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_executor_has_done_all_when_the_script_has_ended(script, tmp_path, count):
    path = script(
        f"""
        import itertools, pathlib, time
        import pypar, pypar.futures

        def touch(name):
            time.sleep(0.01)
            pathlib.Path({str(tmp_path)!r}, f"{{name}}.done").touch()

        executor = pypar.Executor()
        futures = [executor.submit(touch, name) for name in range(20)]
        results = executor.map(touch, range(20, 40))
        endless = executor.map(abs, itertools.count(), buffersize=2)
        pypar.futures.submit(touch, 40)
        other = pypar.Executor()
        other.submit(touch, 41)
        other.shutdown(wait=False)
        """
    )
    done = mpirun(count, PYTHON, path)
    assert done.returncode == 0 and not done.stderr, done
    assert len(list(tmp_path.glob("*.done"))) == 42


@pytest.mark.parametrize("count", [2, 3])
def test_tasks_may_leave_tasks_that_nobody_waits_for(script, count):
    path = script(
        """
        import time
        import pypar

        def leave_some(_):
            executor = pypar.Executor()
            for _ in range(20):
                executor.submit(time.sleep, 0.05)

        pypar.Pool().map(leave_some, range(4), chunksize=1)
        print("ends")
        """
    )
    done = mpirun(count, PYTHON, path)
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == "ends\n", done


def test_finalize_lets_the_workers_go(script):
    path = script(
        """
        import pypar
        pool = pypar.Pool()
        assert pool.map(abs, [-1]) == [1]
        later = pool.map_async(abs, range(-1000, 0), chunksize=1)
        pypar.finalize()
        print("goes on")
        try:
            pool.map(abs, [1])
        except RuntimeError as error:
            print(error)
        """
    )
    done = mpirun(3, PYTHON, path)
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == "goes on\nthe pool has ended: its workers have gone\n", done


def test_a_part_of_the_ranks_may_have_a_pool(script):
    path = script(
        """
        import pypar
        from pypar import world
        part = world.split(world.rank > 0)
        with pypar.Pool(comm=part) as pool:
            me = pool.map(lambda _: pypar.rank(), range(100), chunksize=1)
            print(world.rank, set(me) <= {1, 2} if world.rank else set(me) == {0})
        """
    )
    done = mpirun(3, PYTHON, path)
    assert done.returncode == 0 and not done.stderr, done
    assert sorted(done.stdout.splitlines()) == ["0 True", "1 True"], done


def test_a_rank_that_never_comes_is_named(script):
    path = script(
        """
        import pypar
        if pypar.rank() == 2:
            pypar.receive(0)
        pypar.Pool()
        """
    )
    done = mpirun(3, PYTHON, path)
    assert done.returncode != 0, done
    assert "script.py:4" in done.stderr and "script.py:5" in done.stderr, done


@pytest.mark.parametrize("count", [2, 3])
def test_a_task_may_wait_for_a_thread_that_uses_a_pool(script, count):
    path = script(
        """
        import threading
        import pypar

        def delegate(n):
            done = []
            with pypar.Pool() as pool:
                run = lambda: done.extend(pool.map(abs, range(-n, 0)))
                thread = threading.Thread(target=run)
                thread.start()
                thread.join()
            return sum(done)

        with pypar.Pool() as pool:
            print([pool.apply(delegate, [n]) for n in (3, 30, 3)])
        """
    )
    done = mpirun(count, PYTHON, path, timeout=60)
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == "[6, 465, 6]\n", done


@pytest.mark.parametrize("first, other", [("world", "copy"), ("part", "world")])
def test_workers_of_one_pool_are_not_those_of_another(script, first, other):
    path = script(
        f"""
        import pypar
        from pypar import world
        copy = world.duplicate()
        part = world.split(world.rank // 2)
        if world.rank < 2 or "{first}" != "part":
            with pypar.Pool(comm={first}) as pool:
                print(sum(pool.map(abs, range(5))))
            try:
                pypar.Pool(comm={other})
            except ValueError as error:
                print(error)
        """
    )
    done = mpirun(3, PYTHON, path, timeout=60)
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout.startswith("10\nrank 0: a pool of 3 of the job's ranks"), done


def test_without_ranks_a_worker_that_dies_breaks_its_executor(script):
    path = script(
        """
        import os
        from concurrent.futures.process import BrokenProcessPool
        import pypar

        def fails(call, *args):
            try:
                call(*args)
            except BrokenProcessPool:
                return True

        with pypar.Executor() as executor:
            future = executor.submit(os._exit, 5)
            print(fails(future.result), fails(executor.submit, abs, 1))
        """
    )
    done = alone(PYTHON, path)
    assert (done.returncode, done.stdout) == (0, "True True\n"), done
