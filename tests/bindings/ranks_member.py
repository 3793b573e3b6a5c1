# SPDX-License-Identifier: MIT
"""The pytest plugin of one rank: runs the tests it is told, and tells what
became of them (see ranks.py)."""

import faulthandler
import os
import signal
from multiprocessing.connection import Client
from pathlib import Path

import pytest

# Before pypar is imported, so that the parent can find out what hangs in there.
_folder = Path(os.environ["PAR_RANKS_FOLDER"])
_rank = int(os.environ.get("OMPI_COMM_WORLD_RANK") or os.environ["PMIX_RANK"])
_stack = open(_folder / f"stack.{_rank}", "w")
faulthandler.register(signal.SIGUSR1, file=_stack, all_threads=True)
_parent = Client(str(_folder / "door"), "AF_UNIX")
_parent.send((_rank, os.getpid()))


@pytest.fixture
def world():
    import pypar

    return pypar.world


def pytest_configure(config):
    config.pluginmanager.register(Member(config), "ranks-member")


class Member:
    def __init__(self, config):
        self.config = config
        self.reports = []
        self.faults = []  # why the file of the tests cannot be used

    def pytest_collectreport(self, report):
        if report.failed:
            self.faults.append(report.longreprtext)

    def pytest_runtestloop(self, session):
        _parent.send("\n".join(self.faults))
        tests = {item.nodeid: item for item in session.items}
        while order := _parent.recv():
            test, next_test = order
            self.reports = []
            self.config.hook.pytest_runtest_protocol(
                item=tests[test], nextitem=tests.get(next_test)
            )
            _parent.send(self.reports)
        return True

    def pytest_runtest_logreport(self, report):
        write = self.config.hook.pytest_report_to_serializable
        self.reports.append(write(config=self.config, report=report))
