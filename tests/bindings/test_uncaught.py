# SPDX-License-Identifier: MIT
"""What nobody catches is told once, with its ranks, and ends the job."""

import re
import signal
import sys
import textwrap
import time

import pytest
from mpirun import PYTHON, alone, mpirun

SECONDS = 90  # a job that does not end by itself takes longer
PATIENCE = (1, 4, 10)  # seconds from mpirun's SIGTERM to its SIGKILL; 1 unless told


def labels(done):
    """The ranks that the lines of DONE name, as they do."""
    return re.findall(r"^\[(ranks? \S+) of \d+ · \S+(?: · \d+)?\] ", done.stderr, re.M)


def ends(done, status, ranks, *words):
    """The job has ended with STATUS, has named RANKS once, and said WORDS, and no rank
    has gone on."""
    assert done.returncode == status, done
    assert labels(done) == [ranks], done
    for word in words:
        assert word in done.stderr, done
    assert "went on" not in done.stdout, done


def job(count, path, *arguments, **options):
    return mpirun(count, PYTHON, path, *arguments, timeout=SECONDS, **options)


def timely(count, path, told, **options):
    """The job where its ranks were in time, as TOLD(job) says. They meet for some tenths
    of a second, and mpirun kills them soon: who does not run then, as on a machine that
    stands still, is told apart or not at all. So it may be tried again."""
    env = options.pop("env", {})
    for seconds in PATIENCE:
        wait = {"OMPI_MCA_odls_base_sigkill_timeout": seconds}
        done = job(count, path, env={**env, **wait}, **options)
        if told(done):
            break
    return done


@pytest.fixture
def wrong(script):
    """A script whose rank 1 does TEXT, while the others wait."""

    def write(text):
        text = textwrap.indent(textwrap.dedent(text), 8 * " ")
        return script(
            f"""
    import atexit, os, sys, threading, time
    import pypar

    def step():
        raise KeyError("the reason")

    pypar.barrier()
    if pypar.rank() == 1:
{text}
    pypar.receive(1)
    print("went on")
    """
        )

    return write


# -- where nobody catches --------------------------------------------------------------

WRONG = {
    "step()": (1, "Traceback (most recent call last):", "KeyError: 'the reason'"),
    "threading.Thread(target=step).start()": (1, "in thread", "KeyError: 'the reason'"),
    "threading.Thread(target=step).start(); time.sleep(999)": (1, "KeyError: 'the reason'"),
    "threading.Thread(target=step, daemon=True).start(); pypar.receive(2)": (1, "KeyError"),
    "import _thread; _thread.start_new_thread(step, ())": (1, "in thread", "KeyError"),
    "atexit.register(step); sys.exit()": (1, "atexit", "KeyError: 'the reason'"),
    "sys.exit(4)": (4, "exits with status 4"),
    "sys.exit('some words')": (1, "some words", "exits with status 1"),
    "raise SystemExit(300)": (44, "exits with status 44"),
    "raise KeyboardInterrupt": (130, "KeyboardInterrupt at script.py:"),
    "raise ExceptionGroup('several', [KeyError(1), ValueError(2)])": (1, "ValueError: 2"),
    "raise MemoryError": (1, "MemoryError"),
    "pypar.send(1, 99)": (1, "destination 99 is out of range", "script.py"),
    "exec('1 +')": (1, "SyntaxError"),
    "raise UnicodeError('\\ud800 €')": (1, "UnicodeError: \\ud800 €"),
    "raise ValueError('first\\0second')": (1, "ValueError: first\\x00second"),
    "pypar.abort(7, 'some words')": (7, "some words"),
    "sys.stderr = sys.__stderr__; step()": (1, "KeyError"),
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_rank_that_fails_is_told_and_ends_the_job(wrong, text):
    status, *words = WRONG[text]
    ends(job(3, wrong(text)), status, "rank 1", *words)


def test_it_ends_soon(wrong):
    path = wrong("open(sys.argv[1], 'w').write(str(time.monotonic())); step()")
    since = path.with_name("since")
    done = job(2, path, since)
    ends(done, 1, "rank 1", "KeyError")
    # 2 s where nobody else wants the cores.
    assert time.monotonic() - float(since.read_text()) < 40


def test_a_program_given_to_python_is_no_other(tmp_path):
    text = "import pypar\nif pypar.rank() == 1: 1 / 0\npypar.receive(1)"
    (tmp_path / "module.py").write_text(text)
    done = mpirun(2, PYTHON, "-c", text, timeout=SECONDS)
    ends(done, 1, "rank 1", "ZeroDivisionError")
    done = mpirun(2, "-wdir", tmp_path, PYTHON, "-m", "module", timeout=SECONDS)
    ends(done, 1, "rank 1", "ZeroDivisionError", "module.py")


def test_what_ends_all_ranks_is_told_once(script):
    path = script("import pypar\npypar.barrier()\nraise KeyError('the reason')")
    done = timely(5, path, lambda done: labels(done) == ["ranks 0-4"])
    ends(done, 1, "ranks 0-4", "KeyError: 'the reason'")
    path = script("import pypar\npypar.barrier()\npypar.send(1, 99)")
    done = timely(3, path, lambda done: labels(done) == ["ranks 0-2"])
    ends(done, 1, "ranks 0-2", "destination 99")


def test_the_ways_in_which_ranks_differ_are_told_each(script):
    path = script(
        """
        import pypar
        pypar.barrier()
        if pypar.rank() % 2:
            raise KeyError("odd")
        raise KeyError("even")
        """
    )
    done = timely(4, path, lambda done: {"ranks 0,2", "ranks 1,3"} <= {*labels(done)})
    assert done.returncode == 1, done
    for label, text in ("0,2", "even"), ("1,3", "odd"):
        pattern = rf"\[ranks {label} of 4 · [^]]*\] Traceback[^[]*KeyError: '{text}'"
        assert re.search(pattern, done.stderr), done


# -- what is still done ------------------------------------------------------------------

# The second that there is for it is too short where the machine stands still.
WITHOUT_HURRY = "pypar.uncaught.GRACE_SECONDS = 60"


def test_what_is_to_be_done_at_the_end_is_done(wrong):
    path = wrong(
        f"""
        {WITHOUT_HURRY}
        atexit.register(print, "at exit")
        try:
            step()
        finally:
            print("finally")
        """
    )
    done = job(2, path)
    ends(done, 1, "rank 1")
    assert "finally" in done.stdout and "at exit" in done.stdout, done


def test_a_thread_that_fails_lets_the_main_thread_clean_up(wrong):
    path = wrong(
        f"""
        {WITHOUT_HURRY}
        begun = threading.Event()
        threading.Thread(target=lambda: begun.wait() and step()).start()
        try:
            begun.set()
            time.sleep(999)
        finally:
            print("finally")
        """
    )
    done = job(2, path)
    ends(done, 1, "rank 1", "KeyError")
    assert "finally" in done.stdout, done


def test_a_thread_may_outlive_the_main_one_and_fail_then(wrong):
    path = wrong(
        """
        def outlive():
            threading.main_thread().join()
            step()

        threading.Thread(target=outlive).start()
        sys.exit()
        """
    )
    done = job(2, path)
    ends(done, 1, "rank 1", "in thread", "KeyError: 'the reason'")
    assert "ignored" not in done.stderr, done


@pytest.mark.parametrize(
    "text", ["threading.Thread(target=time.sleep, args=(999,)).start()",
             "atexit.register(time.sleep, 999)"]
)  # fmt: skip
def test_an_end_that_takes_for_ever_is_cut_short(wrong, text):
    ends(job(2, wrong(f"{text}; step()")), 1, "rank 1", "KeyError")


# -- who prints exceptions himself --------------------------------------------------------

HOOKS = {
    "sys.excepthook = mine": "step()",
    "threading.excepthook = mine": "threading.Thread(target=step).start(); sys.exit(1)",
}


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("first", [True, False])
def test_a_hook_of_somebody_elses_stays(script, hook, first):
    path = script(
        f"""
        import sys, threading, time

        def mine(*args):
            print("by my hook", file=sys.stderr)

        def step():
            raise KeyError("the reason")

        if {first}:
            {hook}
        import pypar
        {hook}
        if pypar.rank() == 1:
            {HOOKS[hook]}
        pypar.receive(1)
        """
    )
    done = job(2, path)
    ends(done, 1, "rank 1", "by my hook", "exits with status 1")
    assert "KeyError" not in done.stderr


def test_a_stream_that_takes_the_place_of_stderr_gets_the_traceback(wrong):
    done = job(2, wrong("sys.stderr = sys.stdout\nstep()"))
    ends(done, 1, "rank 1", "ends the job: KeyError: 'the reason'")
    assert "Traceback" in done.stdout and "Traceback" not in done.stderr, done


def test_consoles_and_what_is_caught_go_on(script):
    path = script(
        """
        import code, sys, pypar

        console = code.InteractiveConsole()
        console.runsource("1 / 0")
        try:
            {}[1]
        except KeyError:
            sys.excepthook(*sys.exc_info())
        try:
            sys.exit(3)
        except SystemExit:
            pass
        pypar.barrier()
        print("end")
        """
    )
    done = job(2, path)
    assert (done.returncode, done.stdout) == (0, "end\nend\n"), done
    assert done.stderr.count("ZeroDivisionError") == 2, done


def test_an_interactive_interpreter_goes_on(script):
    done = mpirun(2, PYTHON, "-i", script("import pypar\n1 / 0"), timeout=SECONDS)
    assert done.returncode == 0, done
    assert done.stderr.count("ZeroDivisionError") == 2, done


def test_a_child_of_a_rank_fails_alone(script):
    path = script(
        """
        import multiprocessing, os, signal, time, pypar

        def fail():
            raise KeyError("in a child")

        if __name__ == "__main__":
            context = multiprocessing.get_context("fork")
            child = context.Process(target=fail)
            child.start()
            child.join()
            assert child.exitcode == 1
            child = context.Process(target=time.sleep, args=(999,))
            child.start()
            child.terminate()
            child.join()
            assert child.exitcode == -signal.SIGTERM
            pid = os.fork()
            if not pid:
                fail()
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
            pypar.barrier()
            print("end")
        """
    )
    done = job(2, path)
    assert (done.returncode, done.stdout) == (0, "end\nend\n"), done
    named = [line for line in done.stderr.splitlines() if "[rank" in line]
    assert all("made a process by fork" in line for line in named), done


def test_one_rank_is_as_without_pypar(script):
    text = "import pypar, sys, threading\ndef step():\n    1 / 0\n"
    plain = script(text.replace("pypar, ", "") + "step()")
    without = alone(PYTHON, plain)
    assert alone(PYTHON, script(text + "step()")).stderr == without.stderr
    assert job(1, script(text + "step()")).stderr.startswith(without.stderr)
    done = job(1, script(text + "threading.Thread(target=step).start()"))
    assert done.returncode == 0 and "ZeroDivisionError" in done.stderr, done
    done = alone(PYTHON, script(text + "sys.exit('words')"))
    assert (done.returncode, done.stderr) == (1, "words\n")


# -- signals ------------------------------------------------------------------------------

WAITING = """
import atexit, os, signal, sys, time, pypar
from pathlib import Path

def step():
    {wait}

mpirun, folder = os.getppid(), Path(__file__).parent
waiting = [folder / f"rank {{rank}} waits" for rank in range(pypar.size())]
pypar.barrier()
if pypar.rank() == 0 and os.fork() == 0:
    while not all(file.exists() for file in waiting):
        time.sleep(0.01)
    time.sleep(0.5)
    os.kill(mpirun, signal.{name})
    os._exit(0)
try:
    waiting[pypar.rank()].touch()
    step()
finally:
    print("finally")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("wait", ["pypar.receive(pypar.any_source)", "time.sleep(999)"])
def test_a_signal_to_mpirun_lets_all_ranks_clean_up(script, name, wait):
    path = script(WAITING.format(wait=wait, name=name))
    words = "KeyboardInterrupt (SIGTERM) at script.py:"

    def told(done):
        for file in path.parent.glob("rank * waits"):
            file.unlink()
        return done.stdout.count("finally") == 3 and done.stderr.count(words) == 1

    env = {"PAR_DEADLOCK": "off"}  # or the signal may come too late
    done = timely(3, path, told, env=env)
    assert done.returncode not in (0, 124), done
    assert done.stdout.count("finally") == 3, done
    assert done.stderr.count(words) == 1, done
    assert "Traceback" not in done.stderr, done


@pytest.mark.parametrize("name, status", [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_to_a_rank_ends_the_job(script, name, status):
    path = script(
        f"""
        import os, signal, pypar
        pypar.barrier()
        if pypar.rank() == 1:
            os.kill(os.getpid(), signal.{name})
        pypar.receive(pypar.any_source)
        """
    )
    done = job(3, path)
    assert done.returncode == status, done
    assert "KeyboardInterrupt" in done.stderr and "Traceback" not in done.stderr, done


@pytest.mark.parametrize("name, status", [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_at_the_end_of_the_script_is_told_likewise(script, name, status):
    path = script(
        f"""
        import atexit, os, signal, pypar

        def last():
            os.kill(os.getpid(), signal.{name})
            pypar.receive(pypar.any_source)

        pypar.barrier()
        if pypar.rank() == 1:
            atexit.register(last)
        else:
            pypar.receive(1)
        """
    )
    done = job(3, path)
    assert done.returncode == status, done
    assert "KeyboardInterrupt" in done.stderr and "Traceback" not in done.stderr, done
    assert " at the end of the script, script.py:" in done.stderr, done


def test_a_handler_of_sigterm_stays(script):
    path = script(
        """
        import os, signal
        signal.signal(signal.SIGTERM, lambda *args: print("mine"))
        import pypar
        os.kill(os.getpid(), signal.SIGTERM)
        pypar.barrier()
        """
    )
    done = job(2, path)
    assert (done.returncode, done.stdout) == (0, "mine\nmine\n"), done


# -- ends without a word -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE"])
@pytest.mark.parametrize("option", [[], ["-X", "faulthandler"]])
def test_a_crash_is_told_with_its_python_line_in_one_block(wrong, name, option):
    path = wrong(f"import signal; os.kill(os.getpid(), signal.{name})")
    done = mpirun(3, PYTHON, *option, path, timeout=SECONDS)
    ends(done, 128 + getattr(signal, name), "rank 1", f"{name}: ", "script.py")
    assert done.stderr.count("Fatal Python error") == 1, done
    label, stack = done.stderr.index("[rank 1"), done.stderr.index("Fatal Python")
    assert label < done.stderr.index("libc") < stack, done


@pytest.mark.parametrize("wait", ["pypar.receive(1)", "pypar.barrier()"])
def test_of_ranks_that_are_killed_each_is_named_and_nobody_else(script, wait):
    path = script(
        f"""
        import os, signal, time, pypar
        pids = pypar.world.allgather(os.getpid())
        if pypar.rank() == 0:
            for rank in 1, 2:
                os.kill(pids[rank], signal.SIGKILL)
        elif pypar.rank() < 3:
            time.sleep(999)  # else they might come to the barrier first
        {wait}
        """
    )
    done = timely(5, path, lambda done: sorted(labels(done)) == ["rank 1", "rank 2"])
    assert done.returncode == 128 + signal.SIGKILL, done
    for rank in 1, 2:
        words = rf"\[rank {rank} of 5 · .*\] has ended without a word"
        assert re.search(words, done.stderr), done
    assert len(re.findall(r"^\[ranks? ", done.stderr, re.M)) == 2, done
    assert "Traceback" not in done.stderr, done


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python looks at the stack then")
def test_a_stack_overflow_in_a_thread_is_among_the_ends_without_a_word(wrong):
    path = wrong(
        """
        import ctypes
        again = ctypes.PYFUNCTYPE(None)(lambda: again())
        sys.setrecursionlimit(10**6)
        threading.stack_size(2**16)
        threading.Thread(target=again).start()
        """
    )
    words = (
        r"\[rank 1 of 3 · .*\] has ended without a word: .* stack overflow in a thread"
    )
    done = timely(3, path, lambda done: re.search(words, done.stderr))
    assert done.returncode == 128 + signal.SIGSEGV, done
    assert re.search(words, done.stderr), done


def test_memory_that_is_not_there_is_an_exception_of_that_rank(wrong):
    path = wrong(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
        kept = [bytearray(2**28) for _ in range(99)]
        """
    )
    ends(job(2, path), 1, "rank 1", "MemoryError", "script.py")


def test_a_rank_that_is_stopped_goes_on_with_the_job(script):
    path = script(
        """
        import os, signal, time, pypar
        pid = pypar.broadcast(os.getpid(), root=1)
        if pypar.rank() == 0:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(1)
            os.kill(pid, signal.SIGCONT)
        pypar.barrier()
        print("end")
        """
    )
    done = job(3, path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n" * 3, ""), done


def test_what_nobody_reads_any_more_ends_the_job(script):
    path = script(
        """
        import os, pypar
        if pypar.rank() == 1:
            reader, writer = os.pipe()
            os.close(reader)
            os.dup2(writer, 1)
            print("nobody reads this")
        pypar.receive(1)
        """
    )
    ends(job(2, path), 1, "rank 1", "BrokenPipeError", "script.py")
