# SPDX-License-Identifier: MIT
"""The helper that starts the jobs of the tests."""

import os
import secrets
from pathlib import Path

import pytest
from mpirun import PYTHON, alone, mpirun

STUBBORN = "trap '' TERM; echo begun; sleep 60; echo ended"


@pytest.fixture
def mark():
    """To be put into a job's environment; no process with it may outlive the test."""
    word = secrets.token_hex(8)
    yield {"MARK": word}
    assert [pid for pid in os.listdir("/proc") if pid.isdigit() and _has(pid, word)] == []


def _has(pid, word):
    try:
        return word in Path("/proc", pid, "environ").read_text(errors="replace")
    except OSError:  # it ended meanwhile, or is another user's
        return False


def test_output_and_status_of_all_ranks_come_back():
    done = mpirun(3, "sh", "-c", "echo out; echo err >&2; exit 0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n" * 3, "err\n" * 3)
    assert alone("sh", "-c", "exit 7").returncode == 7


def test_a_job_that_takes_too_long_is_ended_and_shown(mark):
    for seconds in 6, 30:  # its start may take as long
        with pytest.raises(AssertionError, match=f"longer than {seconds} s") as caught:
            mpirun(2, "sh", "-c", STUBBORN, timeout=seconds, env=mark)
        if "begun\nbegun\n" in str(caught.value):
            break
    assert "begun\nbegun\n" in str(caught.value)


def test_a_process_left_behind_fails_and_is_ended(mark):
    leave = (
        "import subprocess as s; s.Popen(['sleep', '60'], stdout=s.DEVNULL, stderr=-3)"
    )
    with pytest.raises(AssertionError, match="left processes behind"):
        alone(PYTHON, "-c", leave, env=mark)
