# SPDX-License-Identifier: MIT
"""Tests that run on several ranks: a pytest plugin.

    from ranks import pypar, ranks

    @ranks(2)
    def test_any_object_arrives_equal(world):
        if world.rank == 0:
            world.send({"a": [1, 2.5]}, 1)
        else:
            assert world.receive(0) == {"a": [1, 2.5]}

The function runs on every rank of one mpirun job, once with each of the numbers
of ranks given, and passes if it passes on all of them. @ranks(2, seconds=90)
gives it another time limit. Tests of one file with the same number of ranks
share a job, until one of them fails: the next gets a fresh one.

Each rank is a pytest of its own that is told test by test what to run
(ranks_member.py); this process starts them (ranks_job.py), hears over sockets,
not through MPI, what became of the test, and makes one report of it.
"""

import importlib
import os
import re
from itertools import groupby

import pytest
from ranks_job import Job

SECONDS = 120  # time limit of one test

ranks = pytest.mark.ranks

# Who imports pypar joins MPI, so only the ranks do.
IN_RANK = "PAR_RANKS_FOLDER" in os.environ
pypar = importlib.import_module("pypar") if IN_RANK else None


def pytest_configure(config):
    if not IN_RANK:
        config.pluginmanager.register(Parent(config), "ranks-parent")


def pytest_generate_tests(metafunc):
    if marker := metafunc.definition.get_closest_marker("ranks"):
        names = [f"{count}ranks" for count in marker.args]
        metafunc.parametrize("world", marker.args, ids=names, indirect=True)


class Parent:
    def __init__(self, config):
        self.config = config
        self.job = None
        self.unusable = {}  # file and number of ranks -> what to say of its tests

    def pytest_collection_modifyitems(self, items):
        """Within a file, tests of the same number of ranks one after the other."""
        files = {item.path: None for item in items}
        place = {path: at for at, path in enumerate(files)}
        items.sort(key=lambda item: (place[item.path], *(_group(item) or [])[1:]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        if not item.get_closest_marker("ranks"):
            if _group(nextitem):  # pytest must not leave anything set up for it
                item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
                return True
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self.run(item, nextitem):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def run(self, item, nextitem):
        """The reports of ITEM, one for each of its phases."""
        last = _group(item) != _group(nextitem)
        if fault := self._start(item):
            return [_failure(item, fault, "setup")]
        seconds = item.get_closest_marker("ranks").kwargs.get("seconds", SECONDS)
        told = self.job.run(item.nodeid, None if last else nextitem.nodeid, seconds)
        told = {rank: self._reports(item, tale) for rank, tale in told.items()}
        reports = list(_merge(item, told))
        if any(report.failed for report in reports):
            self.end(quick=True)  # what the test left half done must not meet the next
        elif last and (fault := self.end()):
            reports.append(_failure(item, fault, "teardown"))
        return reports

    def _start(self, item):
        """Have a job for ITEM; return what makes that impossible."""
        group = _group(item)
        if self.job or group in self.unusable:
            return self.unusable.get(group)
        self.job = Job()
        if fault := self.job.start(self.config, *group):
            self.unusable[group] = "the job cannot start (see the first of its tests)"
            self.end(quick=True)
        return fault

    def _reports(self, item, tale):
        if isinstance(tale, str):  # the rank could not tell; this is what we know
            return [_failure(item, tale)]
        read = self.config.hook.pytest_report_from_serializable
        return [read(config=self.config, data=data) for data in tale]

    def end(self, quick=False):
        job, self.job = self.job, None
        return job.end(quick) if job else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self):
        self.end(quick=True)  # still there only if the run was interrupted


def _group(item):
    """What tests of one job have in common; None for a test without ranks."""
    if item is None or not item.get_closest_marker("ranks"):
        return None
    return item.path, item.callspec.params["world"]


def _failure(item, text, when="call"):
    return pytest.TestReport(
        item.nodeid, item.location, {}, "failed", Merged(text, text), when
    )


def _merge(item, reports):
    """Of the reports of each rank, one for each phase: the worst outcome, with
    the stories of all ranks that failed."""
    for when in ("setup", "call", "teardown"):
        phase = {
            r: p for r, told in sorted(reports.items()) for p in told if p.when == when
        }
        failed = {rank: report for rank, report in phase.items() if report.failed}
        skipped = [report for report in phase.values() if report.skipped]
        if failed:
            worst = next(iter(failed.values()))
            worst.sections = [
                (f"rank {rank}: {name}", text)
                for rank, report in failed.items()
                for name, text in report.sections
            ]
            crash = getattr(worst.longrepr, "reprcrash", None)
            told = {rank: report.longreprtext for rank, report in failed.items()}
            worst.longrepr = Merged(_fold(told), crash and crash.message)
            yield worst
        elif phase:
            yield skipped[0] if skipped else next(iter(phase.values()))


class Merged:
    """The text of a failure, in the form that pytest wants."""

    def __init__(self, text, message=None):
        self.text = text
        self.reprcrash = self
        self.message = message or text  # for the line of the short summary

    def __str__(self):
        return self.text

    def toterminal(self, terminal):
        for line in self.text.splitlines():
            terminal.line(line, red=line.startswith("E "), bold=line.startswith("=== "))


def _fold(told):
    """The texts of all ranks, each text once."""
    same = {}
    for rank, text in told.items():
        common = re.sub(r"0x[0-9a-f]+|rank \d+", "", text)
        same.setdefault(common, []).append(rank)
    return "\n".join(
        f"=== {_spell(members)}\n{told[members[0]]}" for members in same.values()
    )


def _spell(members):
    """[0, 1, 2, 5] -> "ranks 0-2, 5" """
    runs = []
    for _, run in groupby(enumerate(members), lambda pair: pair[1] - pair[0]):
        run = [rank for _, rank in run]
        runs.append(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}")
    return f"rank{'s' if len(members) > 1 else ''} {', '.join(runs)}"
