# SPDX-License-Identifier: MIT
"""What ranks print."""

import ast
import re

import pytest
from mpirun import PYTHON, mpirun


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_line_is_one_write_and_goes_out_at_once(script, unbuffered):
    path = script(
        """
        import os, socket, sys

        for number, name in (1, "stdout"), (2, "stderr"):
            reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            reader.settimeout(30)
            os.dup2(writer.fileno(), number)
            if number == 1:
                import pypar
            print("one", 1, "two", end="!\\n", file=getattr(sys, name))
            assert reader.recv(100) == b"one 1 two!\\n"
        """
    )
    done = mpirun(2, PYTHON, path, env={"PYTHONUNBUFFERED": unbuffered})
    assert done.returncode == 0, done


@pytest.mark.parametrize("stream", ["None", "type('Writes', (), {'write': len})()"])
def test_streams_may_be_anything(script, stream):
    path = script(
        f"""
        import os, sys
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = {stream}
        import pypar
        print("nobody hears")
        os.write(1, b"end\\n")
        sys.stdout = sys.stderr = None  # Python would flush them
        """
    )
    done = mpirun(2, PYTHON, path)
    assert (done.returncode, done.stdout) == (0, "end\nend\n"), done


def test_print0_prints_on_rank_0(script):
    path = script(
        """
        import sys, pypar
        pypar.print0("rank", pypar.rank(), sep="=", end="!\\n", flush=True)
        pypar.print0(file=sys.stderr)
        """
    )
    done = mpirun(3, PYTHON, path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "rank=0!\n", "\n"), done


BAR = """
import io, sys, threading, pypar

class Stream(io.StringIO):
    def isatty(self):
        return {is_terminal}

{before}
sys.stderr = Stream()
items = pypar.progress(range(500), desc="steps", mininterval=0, miniters=100)
assert sum(items) == 124750
assert threading.active_count() == 1  # tqdm would have a thread for its bars
pypar.print0(repr(sys.stderr.getvalue()))
"""


def shown(script, is_terminal, before=""):
    """The progress bar of rank 0; others have none."""
    path = script(BAR.format(is_terminal=is_terminal, before=before))
    done = mpirun(3, PYTHON, path)
    assert (done.returncode, done.stderr) == (0, ""), done
    return ast.literal_eval(done.stdout)


def test_a_progress_bar_is_some_lines_of_rank_0(script):
    told = shown(script, is_terminal=False)
    assert re.fullmatch(r"(steps: +\d+%\|[^\r\n]*\n){6,}", told), told
    assert "500/500" in told


def test_a_progress_bar_of_a_terminal_draws_over_itself(script):
    told = shown(script, is_terminal=True)
    assert told.count("\rsteps:") > 5 and "500/500" in told


def test_without_tqdm_there_is_no_bar(script):
    assert shown(script, False, before="sys.modules['tqdm'] = None") == ""
