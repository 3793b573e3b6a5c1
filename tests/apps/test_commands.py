# SPDX-License-Identifier: MIT
"""apps/commands.py."""

import re

import pytest
from mpirun import PYTHON, SOURCE, mpirun, unlabelled

COMMANDS = [PYTHON, SOURCE / "apps" / "commands.py"]
TOLD = re.compile(r"(ok|status -?\d+), \d+\.\d\d s on rank (\d+): (.*)\n((?:    .*\n)*)")


def outcomes(done):
    found = list(TOLD.finditer(done.stdout))
    assert "".join(each[0] for each in found) == done.stdout, done
    return {each[3]: (each[1], each[4]) for each in found}


@pytest.mark.parametrize("n", [1, 3])
def test_each_command_is_run_and_told(n):
    count = [f"echo {at}; echo to stderr >&2" for at in range(10)]
    done = mpirun(n, *COMMANDS, *count, "printf '\\303x'")
    assert (done.returncode, done.stderr) == (0, ""), done
    said = {word: ("ok", f"    {at}\n    to stderr\n") for at, word in enumerate(count)}
    assert outcomes(done) == {**said, "printf '\\303x'": ("ok", "    \ufffdx\n")}


def test_a_command_that_fails_keeps_nobody_from_the_others():
    done = mpirun(2, *COMMANDS, "exit 3", "echo on", "kill -9 $$")
    assert done.returncode == 1, done
    assert "status 1" in unlabelled(done.stderr)
    assert outcomes(done) == {
        "exit 3": ("status 3", ""),
        "echo on": ("ok", "    on\n"),
        "kill -9 $$": ("status -9", ""),
    }
