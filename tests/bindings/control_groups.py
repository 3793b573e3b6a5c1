# SPDX-License-Identifier: MIT
"""Control groups of this machine that a test makes for its jobs.

    with group("cpuset", mems=0, cpus=1) as folder:
        done = alone(*start_in(folder, PYTHON, script))

A controller belongs to version 1 or to version 2, as whoever set the machine up has
chosen. Where a group can't be made the test is skipped.
"""

import contextlib
import secrets
from pathlib import Path

import pytest


def start_in(folder, *argv):
    """ARGV as a member of the group."""
    return ["sh", "-c", f'echo $$ >{folder}/cgroup.procs; exec "$@"', "sh", *argv]


@contextlib.contextmanager
def group(controller, version=1, **settings):
    """The folder of a control group with SETTINGS of CONTROLLER."""
    with _roots[version](controller) as root:
        folder = root / f"par-test-{secrets.token_hex(4)}"
        try:
            folder.mkdir()
        except OSError as error:
            pytest.skip(f"no control groups can be made here: {error}")
        try:
            for name, value in settings.items():
                (folder / f"{controller}.{name}").write_text(str(value))
            yield folder
        finally:
            folder.rmdir()


@contextlib.contextmanager
def _root_of_version_1(controller):
    yield Path("/sys/fs/cgroup", controller)


@contextlib.contextmanager
def _root_of_version_2(controller):
    for line in Path("/proc/mounts").read_text().splitlines():
        _, root, kind, *_ = line.split()
        controllers = Path(root, "cgroup.controllers")
        if kind != "cgroup2" or controller not in controllers.read_text().split():
            continue
        with _handed_down(controller, Path(root, "cgroup.subtree_control")):
            yield Path(root)
        return
    pytest.skip(f"no control groups of version 2 have {controller} here")


@contextlib.contextmanager
def _handed_down(controller, control):
    """Meanwhile groups below have the CONTROLLER, too."""
    had = controller in control.read_text().split()
    try:
        control.write_text(f"+{controller}")
    except OSError as error:
        pytest.skip(f"{controller} is not ours to hand down: {error}")
    try:
        yield
    finally:
        if not had:
            control.write_text(f"-{controller}")


_roots = {1: _root_of_version_1, 2: _root_of_version_2}
