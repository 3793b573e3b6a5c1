# SPDX-License-Identifier: MIT
"""A pytest plugin: the run fails if a job of its tests outlives them or leaves
shared memory behind.

Every process that a test starts inherits a mark in its environment, and Open
MPI keeps the jobs' shared memory in a folder of this run's own, so other jobs
of the same machine are never blamed.
"""

import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

import pytest

MARK = "PAR_TEST_RUN"
SECONDS = 15  # that a job's last processes may take to end


def pytest_configure(config):
    if "PAR_RANKS_FOLDER" not in os.environ:  # a rank of a job is no run of its own
        config.pluginmanager.register(Leftovers(), "leftovers-check")


class Leftovers:
    def __init__(self):
        self.mark = secrets.token_hex(8)
        os.environ[MARK] = f"{os.environ.get(MARK, '')} {self.mark}"
        self.memory = Path(tempfile.mkdtemp(prefix="par-tests-", dir="/dev/shm"))
        # Open MPI 4 and 5 call the same transport vader and sm.
        for transport in ("vader", "sm"):
            os.environ[f"OMPI_MCA_btl_{transport}_backing_directory"] = str(self.memory)

    def pytest_sessionfinish(self, session):
        limit = time.monotonic() + SECONDS
        while (left := self.left()) and time.monotonic() < limit:
            time.sleep(0.1)
        shutil.rmtree(self.memory, ignore_errors=True)
        if left:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            terminal = session.config.pluginmanager.get_plugin("terminalreporter")
            terminal.write_sep("=", "left behind", red=True)
            for line in left:
                terminal.line(line)

    def left(self):
        processes = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
        found = [f"process {p.name}: {_text(p / 'cmdline')}" for p in processes
                 if self.mark in _text(p / "environ")]  # fmt: skip
        return found + [f"shared memory {file}" for file in self.memory.iterdir()]


def _text(file):
    try:
        return file.read_text(errors="replace").replace("\0", " ").strip()
    except OSError:  # the process ended meanwhile, or is another user's
        return ""
