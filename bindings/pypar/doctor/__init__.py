# SPDX-License-Identifier: MIT
"""python -m pypar doctor: what is wrong with this machine, this launcher, this job."""

import argparse
import json
import subprocess
import sys
import time
from typing import NamedTuple

from ..command import is_first, one_voice
from . import copying, launch, machine, network, report, software
from .here import FAIL, Here, Result

SECONDS = 60
DAY = 86400
USAGE = """\
Look at what a job depends on, alone or as a job: mpirun -np 4 python -m pypar doctor.
Each line is ok, warn or fail, with a cure. The exit status is 1 where one is fail, else
0, so it may stand at the beginning of a batch script."""


def look(here: Here) -> list[Result]:
    """All that one process can find without MPI."""
    found = [
        launch.launcher(here),
        launch.slurm(here),
        launch.slots(here),
        machine.cpus(here),
        machine.shared_memory(here),
        machine.temporary(here),
        machine.host_name(here),
        machine.locked_memory(here),
        machine.processes(here),
        copying.single_copy(here, copying.read_from_sibling()),
        network.interfaces(here),
        network.infiniband(here),
        software.python(here),
        software.packages(here),
        software.settings(here),
    ]
    return [result for result in found if result]


class Joined(NamedTuple):
    """What the processes of the job have found together; report: of the first of them,
    else ""."""

    report: str
    failed: bool


def join(results: list[Result], style: str, seconds: float) -> Joined | Result:
    """Bring results together in a process apart, for MPI may hang, or end it: then that
    is the result."""
    argv = [sys.executable, "-m", f"{__name__}.together", style]
    child = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        handed = json.dumps({"results": results, "since": time.monotonic()})
        output, errors = child.communicate(handed, timeout=seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        cure = "see the lines above; is every process of the job here? or --timeout"
        return Result("MPI", FAIL, f"has not started within {seconds:g} s", cure)
    try:
        return Joined(**json.loads(output.splitlines()[-1]))
    except (IndexError, ValueError, TypeError):
        cure = "start ranks with the mpirun that belongs to the library"
        return Result("MPI", FAIL, f"does not start: {launch.gist(errors)}", cure)


def arguments_of(words: list[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        "python -m pypar doctor",
        description=USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=SECONDS,
        metavar="SECONDS",
        help="that MPI may take to start (default: %(default)s)",
    )
    with one_voice(is_first()):
        return parser.parse_args(words)


def seconds(text: str) -> float:
    """The type of an argument: a time limit."""
    try:
        limit = float(text)
    except ValueError:
        limit = 0
    if not 0 < limit <= DAY:
        raise argparse.ArgumentTypeError(f"{text!r}: more than 0 and up to {DAY} seconds")
    return limit


def main(words: list[str]) -> int:
    """Run the command; its exit status."""
    arguments = arguments_of(words)
    here = Here()
    style = "json" if arguments.json else "text"
    found = launch.launched(here)
    results = look(here)
    if not found:
        results.append(launch.start_two(here, sys.executable, arguments.timeout))
    joined = join(results, style, arguments.timeout)
    if isinstance(joined, Joined):
        if joined.report:
            print(joined.report)
        return int(joined.failed)
    # Each process is on its own: the first shows all, the others what is wrong here.
    if found and found.number:
        results = [result for result in results if result.status == FAIL]
    else:
        results.append(joined)
    if results:
        number = found.number if found else 0
        write = report.as_json if arguments.json else report.as_text
        print(write(f"pypar doctor: process {number} on {here.host}", {number: results}))
    return 1
