# SPDX-License-Identifier: MIT
"""How a script starts and stops: with and without mpirun, finalize and NumPy."""

import signal

import pytest
from mpirun import PYTHON, alone, mpirun


def ends_well(done, line=None, times=1):
    """It ended with status 0, without complaints, and LINE is what it printed, by
    each rank once (mpirun may mix the ends of lines)."""
    assert done.returncode == 0, done
    assert done.stderr == "", done
    if line is not None:
        assert done.stdout.replace("\n", "") == line * times, done


EVERYTHING = """
    import pypar
    rank, size = pypar.rank(), pypar.size()
    right, left = (rank + 1) % size, (rank - 1) % size
    assert pypar.initialized()
    assert (pypar.world.rank, pypar.world.size) == (rank, size)
    for value in (None, 5, "text", b"bytes", [1, {"a": 2.5}], {3}, 10**40, Ellipsis):
        pypar.send(value, right)
        assert pypar.receive(left) == value
    pypar.barrier()
    assert pypar.broadcast([1, 2] if rank == 0 else None) == [1, 2]
    assert pypar.world.scatter(list(range(size)) if rank == 0 else None) == rank
    assert pypar.world.gather(rank) == (list(range(size)) if rank == 0 else None)
    assert pypar.world.reduce(1, pypar.SUM) == (size if rank == 0 else None)
    assert pypar.gather("a") == ("a" if rank == 0 else " ") * size
    pypar.send("x" * 1000000, rank)
    assert len(pypar.receive(rank)) == 1000000
    print("all is well")
"""


def test_without_mpirun_a_script_is_a_world_of_one(script):
    text = "import pypar\nassert pypar.size() == 1 and pypar.rank() == 0"
    ends_well(alone(PYTHON, script(text)))
    ends_well(alone(PYTHON, script(EVERYTHING)), "all is well")


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_script_that_never_finalizes_ends_well(script, count):
    ends_well(mpirun(count, PYTHON, script(EVERYTHING)), "all is well", count)


@pytest.mark.parametrize("count", [1, 2])
def test_without_numpy_everything_but_arrays_works(script, count):
    path = script(EVERYTHING)
    stub = path.parent / "numpy.py"
    stub.write_text("raise ModuleNotFoundError('No module named numpy')")
    ends_well(mpirun(count, PYTHON, path), "all is well", count)


def test_without_numpy_an_array_is_refused_and_stays(script):
    path = script(
        """
        import sys, pypar
        if pypar.rank() == 0:
            import numpy
            pypar.send(numpy.arange(3), 1)
            pypar.send("next", 1)
        else:
            sys.modules["numpy"] = None  # the import fails
            for _ in range(2):
                try:
                    pypar.receive(0)
                except pypar.Error as error:
                    assert "NumPy" in str(error) and "rank 1" in str(error)
                else:
                    raise AssertionError
            del sys.modules["numpy"]
            assert pypar.receive(0).tolist() == [0, 1, 2]
            assert pypar.receive(0) == "next"
        """
    )
    ends_well(mpirun(2, PYTHON, path))


def test_importing_prints_nothing_and_does_not_import_numpy(script):
    path = script("import sys, pypar\nassert 'numpy' not in sys.modules")
    ends_well(mpirun(2, PYTHON, path), "")


def test_an_import_with_an_output_that_can_only_write(script):
    path = script(
        """
        import sys

        class Quiet:
            def write(self, text):
                pass

        before, sys.stdout = sys.stdout, Quiet()
        import pypar
        sys.stdout = before
        print(pypar.size())
        """
    )
    ends_well(mpirun(2, PYTHON, path), "2", 2)


def test_an_import_again_is_the_same_module(script):
    path = script(
        """
        import sys
        import pypar
        world = pypar.world
        names = [name for name in sys.modules if name.split(".")[0] == "pypar"]
        import pypar as again
        assert again is pypar and again.world is world
        from pypar import *
        assert rank() == pypar.rank()
        """
    )
    ends_well(mpirun(2, PYTHON, path))


def test_finalizing_twice_is_harmless(script):
    path = script(
        """
        import atexit, pypar
        atexit.register(pypar.finalize)
        assert pypar.initialized()
        assert pypar.finalize() is None
        assert not pypar.initialized()
        assert pypar.finalize() is None
        print("goes on")
        """
    )
    ends_well(mpirun(3, PYTHON, path), "goes on", 3)
    ends_well(alone(PYTHON, path), "goes on")


def test_finalize_at_exit_by_the_script_itself(script):
    path = script(
        "import atexit, pypar\n"
        "atexit.register(pypar.finalize)\n"
        "pypar.barrier()\n"
        "print('end')\n"
    )
    ends_well(mpirun(3, PYTHON, path), "end", 3)


AFTER = """
    import pypar
    world = pypar.world
    pypar.finalize()
    for call in (
        lambda: pypar.send(1, 0),
        lambda: pypar.receive(0),
        lambda: pypar.receive(-1),
        lambda: pypar.barrier(),
        lambda: pypar.broadcast(1),
        lambda: pypar.scatter("abc"),
        lambda: pypar.gather("abc"),
        lambda: pypar.reduce(1, pypar.SUM),
        lambda: pypar.rank(),
        lambda: pypar.size(),
        lambda: world.rank,
        lambda: world.size,
        lambda: world.send(1, 0),
        lambda: world.receive(0),
        lambda: world.barrier(),
        lambda: world.broadcast(1),
        lambda: world.scatter([1, 2]),
        lambda: world.gather(1),
        lambda: world.reduce(1, pypar.SUM),
    ):
        try:
            call()
        except pypar.Error as error:
            assert str(error)
        else:
            raise AssertionError("no error")
    repr(world)
    assert pypar.get_processor_name() and pypar.time() > 0
    print("all refused")
"""


def test_use_after_finalize_is_an_error(script):
    ends_well(mpirun(2, PYTHON, script(AFTER)), "all refused", 2)


def test_finalize_waits_for_all_ranks(script):
    path = script(
        """
        import time, pypar
        before = time.monotonic()
        pypar.barrier()
        if pypar.rank() == 1:
            time.sleep(0.5)
        pypar.finalize()
        assert time.monotonic() - before >= 0.5
        """
    )
    ends_well(mpirun(2, PYTHON, path))


def test_messages_nobody_receives_do_not_keep_a_job_from_ending(script):
    path = script(
        """
        import pypar
        for i in range(100):
            pypar.send(i, (pypar.rank() + 1) % pypar.size())
            pypar.send("x" * 3000, pypar.rank())
        pypar.send("y" * 1000000, pypar.rank())
        """
    )
    ends_well(mpirun(2, PYTHON, path, env={"PAR_LEFTOVERS": "off"}))


# -- ends that are not good -----------------------------------------------------


@pytest.mark.parametrize(
    "call, status", [("", 1), ("7", 7), ("0", 1), ("code=3", 3), ("256", 1), ("-1", 255)]
)
@pytest.mark.parametrize("count", [1, 3])
def test_abort_ends_all_ranks_with_its_code(script, call, status, count):
    path = script(
        f"""
        import pypar
        print("before", end="")  # in a buffer that must not be lost
        if pypar.rank() == pypar.size() - 1:
            pypar.abort({call})
        pypar.receive(pypar.size() - 1)
        print("after")
        """
    )
    done = mpirun(count, PYTHON, path)
    assert done.returncode == status, done
    assert "before" in done.stdout
    assert "after" not in done.stdout
    told = f"rank {count - 1} of {count}", f"aborts the job with status {status}"
    assert all((words in done.stderr) == (count > 1) for words in told), done


def test_abort_without_mpirun(script):
    assert alone(PYTHON, script("import pypar\npypar.abort(5)")).returncode == 5


def test_an_exception_nobody_catches_ends_the_job(script):
    path = script(
        """
        import pypar
        if pypar.rank() == 1:
            raise KeyError("the reason")
        pypar.receive(1)
        """
    )
    done = mpirun(3, PYTHON, path)
    assert done.returncode == 1, done
    assert "KeyError: 'the reason'" in done.stderr


def test_an_exit_with_a_status_ends_the_job_with_it(script):
    path = script(
        """
        import sys, pypar
        if pypar.rank() == 1:
            sys.exit(4)
        pypar.barrier()
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == 4, done


def test_all_ranks_may_exit_with_the_same_status(script):
    path = script("import sys, pypar\npypar.barrier()\nsys.exit(4)")
    assert mpirun(2, PYTHON, path).returncode == 4
    assert alone(PYTHON, path).returncode == 4


def test_an_exit_without_a_status_is_a_good_end(script):
    path = script("import sys, pypar\npypar.barrier()\nsys.exit()")
    ends_well(mpirun(2, PYTHON, path))


def test_a_serial_script_ends_with_its_own_status(script):
    assert alone(PYTHON, script("import pypar\nraise SystemExit(9)")).returncode == 9
    done = alone(PYTHON, script("import pypar\n1 / 0"))
    assert done.returncode == 1, done
    assert done.stderr.rstrip().endswith("ZeroDivisionError: division by zero")


def test_a_serial_script_may_start_a_job(script):
    """What MPI has told this process of itself is not for its children."""
    path = script(
        """
        import os, subprocess, sys, pypar
        before = dict(os.environ)
        job = ["mpirun", "-np", "2", sys.executable, "-c", "import pypar; pypar.barrier()"]
        subprocess.run(job, check=True)
        lines = subprocess.run("env", capture_output=True, text=True).stdout.splitlines()
        names = {line.partition("=")[0] for line in lines}
        new = {name for name in names - set(before) if name.startswith(("OMPI", "PMIX"))}
        assert not new, new
        """
    )
    done = alone(PYTHON, path)
    assert done.returncode == 0, done


def test_a_signal_ends_a_waiting_job(script):
    """Ctrl-C at mpirun reaches ranks that wait in receive."""
    path = script(
        """
        import os, pypar, signal, threading
        if pypar.rank() == 0:
            threading.Timer(1, os.kill, (os.getppid(), signal.SIGINT)).start()
        pypar.receive(pypar.any_source)
        """
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode != 0


def test_ctrl_c_without_mpirun_is_a_keyboard_interrupt(script):
    path = script(
        """
        import faulthandler, os, signal, threading
        faulthandler.dump_traceback_later(20)  # where it stands, should it hang
        import pypar
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        pypar.receive(pypar.any_source)
        """
    )
    done = alone(PYTHON, path)
    assert done.returncode in (-signal.SIGINT, 130, 1), done
    assert "KeyboardInterrupt" in done.stderr


def test_a_world_of_one_without_mpirun_starts_no_daemon(script):
    path = script(
        """
        import os, pypar, subprocess
        done = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "comm="],
                              capture_output=True, text=True)
        print(done.stdout.split())
        """
    )
    done = alone(PYTHON, path)
    assert done.stdout == "['ps']\n", done


def test_a_thread_that_still_waits_does_not_keep_a_script_from_ending(script):
    path = script(
        """
        import pypar, threading, time
        threading.Thread(target=pypar.receive, args=(0,), daemon=True).start()
        time.sleep(0.2)
        print("end", flush=True)
        """
    )
    done = alone(PYTHON, path)
    assert done.stdout == "end\n", done
    assert done.returncode == 0, done
