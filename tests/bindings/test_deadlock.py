# SPDX-License-Identifier: MIT
"""Ranks that wait for each other are reported with their lines; all others are left alone."""

import re
import textwrap

import pytest
from mpirun import NOISE, PYTHON, alone, mpirun

STATUS = 86

HEAD = """
import pypar
world = pypar.world
rank, size = world.rank, world.size
"""


@pytest.fixture
def run(script):
    def run_it(n, program, **settings):
        """A job of N ranks of PROGRAM, whose first line is line 6."""
        return mpirun(n, PYTHON, script(HEAD + "\n" + program), env=settings)

    return run_it


HEARD = """
    import os, time

    def has(words):
        with open(os.environ["HEARD"]) as file:
            return words in file.read()

    def wait_for(words):
        while not has(words):
            time.sleep(0.05)
"""


@pytest.fixture
def run_and_hear(script, tmp_path):
    """As run; the program can ask its module heard for what the job has said on stderr."""

    def run_it(n, program, **settings):
        told = tmp_path / "stderr"
        (tmp_path / "heard.py").write_text(textwrap.dedent(HEARD))
        words = ["sh", "-c", 'exec "$@" 2>"$HEARD"', "sh"]
        words += ["mpirun", "--oversubscribe", "-np", n, PYTHON]
        path = script(HEAD + "\n" + program)
        done = alone(*words, path, env={"HEARD": told, **settings})
        done.stderr = NOISE.sub("", told.read_text())
        return done

    return run_it


WRONG = {
    "a circle of receives": (
        3,
        "world.receive((rank + 1) % size, tag=5)",
        "rank 0 in receive(source=1, tag=5) at script.py:6",
        "rank 2 in receive(source=0, tag=5) at script.py:6",
    ),
    "large sends to each other": (
        2,
        "world.send(bytes(1000000), 1 - rank)",
        "rank 0 in send(dest=1, tag=1) at script.py:6",
        "rank 1 in send(dest=0, tag=1) at script.py:6",
    ),
    "a barrier that one does not enter": (
        3,
        "if rank == 1:\n    world.receive(0)\nelse:\n    world.barrier()",
        "rank 1 in receive(source=0, tag=1) at script.py:7",
        "barrier #0 at script.py:9",
    ),
    "any source when all others have left": (
        3,
        "if rank == 1:\n    world.receive(pypar.any_source)",
        "rank 1 in receive(source=any, tag=1) at script.py:7",
        "ranks 0,2 in finalize",
    ),
    "within a communicator of some": (
        3,
        "part = world.split(rank % 2, rank)\n"
        "if rank % 2 == 0:\n    part.receive(1 - part.rank)",
        "receive(source=1, tag=1) in a communicator of ranks 0,2 at script.py:8",
    ),
    "on a thread that was left behind at the end": (
        2,
        "import threading, time\n"
        "if rank == 1:\n"
        "    threading.Thread(target=world.receive, args=(0,), daemon=True).start()\n"
        "    time.sleep(2)\n"
        "else:\n    world.receive(1)",
        "rank 0 in receive(source=1, tag=1) at script.py:11",
        "rank 1 in receive(source=0, tag=1) at ",
        "rank 1 in finalize",
    ),
    "in threads that the program waits for": (
        2,
        "import threading\n"
        "thread = threading.Thread(target=world.receive, args=(1 - rank,))\n"
        "thread.start()\nthread.join()",
        "rank 0 in receive(source=1, tag=1) at",
    ),
    "requests": (
        2,
        "pypar.wait_some([world.ireceive(1 - rank, tag=t) for t in (3, 4)])",
        "rank 0 in wait(receive(source=1, tag=3), receive(source=1, tag=4)) at script.py:6",
    ),
    "a started call": (
        2,
        "if rank == 0:\n    world.ibarrier().wait()\nelse:\n    world.receive(0)",
        "rank 0 in wait for a started call at script.py:7",
        "rank 0 in barrier #0",
        "rank 1 in receive(source=0, tag=1) at script.py:9",
    ),
    "with itself": (
        1,
        "world.receive(0)",
        "rank 0 waits for itself",
        "rank 0 in receive(source=0, tag=1) at script.py:6",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_deadlock_ends_the_job_and_names_every_line(run, name):
    n, program, *texts = WRONG[name]
    done = run(n, program)
    assert done.returncode == STATUS, done
    assert done.stderr.count("par: deadlock: ") == 1, done
    lines = done.stderr.replace("/", " ")  # the script's folder may be in front
    for text in texts:
        before, _, line = text.rpartition(" at ")
        assert (before or line) in lines and line in lines, (text, done)


def test_of_several_deadlocks_there_is_one_report(run):
    done = run(7, "if rank != 2:\n    world.receive(2)")
    assert done.returncode == STATUS, done
    assert done.stderr.count("par: deadlock: ") == 1, done


def test_who_has_just_begun_to_wait_is_told_with_its_line_too(run):
    for _ in range(3):  # it has 0.2 s to find it, which a busy machine may not give it
        done = run(
            8,
            "import time\n"
            "if rank > 1:\n    time.sleep(0.2 + 0.1 * rank)\n"
            "world.receive(rank ^ 1)",
        )
        assert done.returncode == STATUS, done
        told = re.findall(r"^  ranks? .*", done.stderr, re.M)
        assert len(told) >= 2, done
        if all(line.endswith("py:9") for line in told):
            return
    raise AssertionError(done)


def test_an_exception_that_a_wait_keeps_from_being_told_is_named(run):
    done = run(
        2,
        "try:\n    raise KeyError('the reason')\nfinally:\n    world.receive(1 - rank)",
    )
    assert done.returncode == STATUS, done
    for rank in 0, 1:
        pattern = f"rank {rank} in .*py:9, handling KeyError of .*py:7: the reason\n"
        assert re.search(pattern, done.stderr), done


def test_a_program_may_lie_in_a_folder_that_is_called_pypar(tmp_path):
    path = tmp_path / "pypar" / "program.py"
    path.parent.mkdir()
    path.write_text(
        "import pypar\ndef step():\n    pypar.receive(1 - pypar.rank())\nstep()\n"
    )
    done = mpirun(2, PYTHON, path)
    assert done.returncode == STATUS, done
    assert done.stderr.count("program.py:3") == 2, done


RIGHT = {
    "a late rank": (4, "import time\ntime.sleep(2.5 * (rank == 1))\nworld.barrier()"),
    "a late sender": (
        3,
        "import time\n"
        "if rank == 0:\n    time.sleep(2.5)\n    world.send('x', 1)\n"
        "elif rank == 1:\n    world.send(world.receive(pypar.any_source), 2)\n"
        "else:\n    world.receive(1)",
    ),
    "another thread that sends": (
        2,
        "import threading\n"
        "threading.Timer(2.5, world.send, ('x', 1 - rank)).start()\n"
        "world.receive(1 - rank)",
    ),
    "a signal that ends the wait": (
        2,
        "import signal\n"
        "def end(*_): raise TimeoutError\n"
        "signal.signal(signal.SIGALRM, end)\nsignal.alarm(3)\n"
        "try:\n    world.receive(1 - rank)\nexcept TimeoutError:\n    pass",
    ),
    "a thread that interrupts": (
        2,
        "import _thread, threading\n"
        "threading.Timer(2.5, _thread.interrupt_main).start()\n"
        "try:\n    world.receive(1 - rank)\nexcept KeyboardInterrupt:\n    pass",
    ),
    "waits with a time limit": (
        2,
        "request = world.ireceive(1 - rank)\n"
        "while not request.done and not globals().get('tries') == 3:\n"
        "    tries = globals().get('tries', 0) + 1\n"
        "    pypar.wait_some([request], timeout=1)\n"
        "world.send('x', 1 - rank)\nrequest.wait()",
    ),
    "large messages that take turns": (
        2,
        "for i in range(200):\n"
        "    if rank == i % 2:\n        world.send(bytes(3000000), 1 - rank)\n"
        "    else:\n        world.receive(1 - rank)",
    ),
    "one that computes": (
        3,
        "import time\nend = time.time() + 2.5 * (rank == 2)\n"
        "while time.time() < end:\n    pass\nworld.allreduce(1, pypar.SUM)",
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_goes_on_by_itself_is_no_deadlock(run, name):
    done = run(*RIGHT[name])
    assert done.returncode == 0, done
    assert "deadlock" not in done.stderr, done


def test_a_deadlock_may_be_reported_and_left_to_itself(run_and_hear):
    done = run_and_hear(
        2,
        "import heard, os\n"
        "if rank == 0 and not os.fork():\n"  # who ends the wait from outside
        "    heard.wait_for('the job goes on')\n"
        "    os.kill(os.getppid(), 2)\n    os._exit(0)\n"
        "try:\n    world.receive(1 - rank)\n"
        "except KeyboardInterrupt:\n    world.send('x', 1)",
        PAR_DEADLOCK="report",
    )
    assert done.returncode == 0, done
    assert done.stderr.count("par: deadlock: ranks 0-1 wait for each other") == 1, done
    assert "the job goes on" in done.stderr, done


def test_nobody_looks_for_a_deadlock_where_that_is_off(run):
    done = run(
        2,
        "import os, time\n"
        "if rank == 0 and not os.fork():\n"
        "    time.sleep(4)\n    os.kill(os.getppid(), 2)\n    os._exit(0)\n"
        "try:\n    world.receive(1 - rank)\n"
        "except KeyboardInterrupt:\n    world.send('x', 1)",
        PAR_DEADLOCK="off",
    )
    assert done.returncode == 0, done
    assert "deadlock" not in done.stderr, done


def test_what_the_variables_may_be_is_said(run):
    for name, value in (("PAR_DEADLOCK", "maybe"), ("PAR_HANG_SECONDS", "-1")):
        done = run(2, "", **{name: value})
        assert done.returncode != 0, done
        assert f'{name} is "{value}"' in done.stderr, done


def reported_once(run, n, program, seconds, texts):
    """A job that goes on once a wait of SECONDS, or a little more, is reported, as it is
    once; the report has the TEXTS. A rank has 0.2 s to say what it does, which a busy
    machine may not give it: so there are three tries."""
    for _ in range(3):
        done = run(n, program, PAR_HANG_SECONDS=seconds)
        assert done.returncode == 0, done
        (waited,) = re.findall(r"has waited for (\d+) s", done.stderr)
        assert seconds <= int(waited) < 60, done
        if all(text in done.stderr for text in texts):
            return
    raise AssertionError(done)


def test_a_long_wait_is_reported_once_with_what_all_ranks_do(run_and_hear):
    reported_once(
        run_and_hear,
        5,
        "import heard, threading, time\n"
        "def work():\n    while not heard.has('has waited'):\n        sum(range(100000))\n"
        "if rank == 1:\n    work()\nif rank == 2:\n    heard.wait_for('has waited')\n"
        "if rank == 3:\n    thread = threading.Thread(target=work)\n"
        "    thread.start()\n    thread.join()\n"
        "world.barrier()",
        2,
        [
            "ranks 0,4 in barrier #0",
            "rank 1 computes",
            "rank 3 computes",
            "in work",
            "rank 2 sleeps",
        ],
    )


def test_event_loops_that_wait_long_are_reported(run_and_hear):
    reported_once(
        run_and_hear,
        2,
        "import asyncio, heard, threading\n"
        "def send():\n    heard.wait_for('has waited')\n    world.send('x', 1 - rank)\n"
        "threading.Thread(target=send).start()\n"
        "async def main():\n    await world.ireceive(1 - rank)\n"
        "asyncio.run(main())",
        1,
        ["rank 1 in receive(source=0, tag=1) at "],
    )
