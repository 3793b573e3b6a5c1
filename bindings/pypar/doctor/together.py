# SPDX-License-Identifier: MIT
"""The part of doctor that is a rank: it brings what all have found to one report.

Every process of the job starts it apart, with a time limit, and hands it what it has
found so far: the arguments, and the results as JSON on its standard input.
"""

import json
import sys
import time
from collections.abc import Sequence

from ..which_mpi import library
from . import launch, report, software
from .here import FAIL, OK, WARN, Here, Result

SKEW_SECONDS = 0.5  # above what programs like make and those that compare logs bear
PINGS = 5
TAG = 1


def offset_of_clock(rank: int) -> float:
    """By how many seconds the clock of RANK is ahead of rank 0's, which calls this
    too; on other ranks 0."""
    from .. import world

    best, offset = float("inf"), 0.0
    for _ in range(PINGS):
        if world.rank == rank:
            world.receive(0, TAG)
            world.send(time.time(), 0, TAG)
        elif world.rank == 0:
            before = time.time()
            world.send(None, rank, TAG)
            there = float(world.receive(rank, TAG))
            after = time.time()
            if after - before < best:
                best, offset = after - before, there - (before + after) / 2
    return offset


def clocks(hosts: Sequence[str]) -> Result:
    """Whether the clocks of the hosts go alike; collective, its result is rank 0's."""
    firsts = [hosts.index(host) for host in sorted(set(hosts), key=hosts.index)]
    ahead = {hosts[rank]: offset_of_clock(rank) for rank in firsts[1:]}
    if not ahead:
        return Result("clocks", OK, "all ranks share one host")
    return judge_clocks(ahead)


def judge_clocks(ahead: dict[str, float]) -> Result:
    """What it means that clocks are AHEAD of rank 0's."""
    host = max(ahead, key=lambda each: abs(ahead[each]))
    fact = f"at most {abs(ahead[host]):.3f} s apart, on {host}"
    if abs(ahead[host]) > SKEW_SECONDS:
        return Result("clocks", WARN, fact, "have all hosts follow a time server (NTP)")
    return Result("clocks", OK, fact)


def of_all(told: dict[int, list[Result]]) -> list[Result]:
    """What only the results of all ranks show."""
    found = []
    for name in ("Python", "packages"):
        facts = [r.fact for results in told.values() for r in results if r.name == name]
        if result := software.differing(name, facts):
            found.append(result)
    return found


def title(hosts: Sequence[str]) -> str:
    """The first line of the report."""
    ranks, different = len(hosts), len(set(hosts))
    return (
        f"pypar doctor: {ranks} rank{'s' * (ranks > 1)} on "
        f"{different} host{'s' * (different > 1)}"
    )


def main(style: str) -> int:
    """Read this process's results; rank 0 prints the report of all, the others an
    empty one, and each whether one is fail, as JSON: {"report": ..., "failed": ...}."""
    from .. import __version__, world

    here = Here()
    handed = json.load(sys.stdin)
    mine = [Result(*each) for each in handed["results"]]
    # It differs on every rank: that of rank 0 will do.
    seconds = time.monotonic() - handed["since"]
    started = Result("MPI", OK, f"has started within {seconds:.1f} s")
    file, words = library()
    mpi = f"{words.split(',')[0]}, {file}"
    mine += [Result("pypar", OK, f"{__version__} on {mpi}"), launch.mpirun(here, mpi)]
    hosts = world.allgather(here.host)
    clock = clocks(hosts)
    everything = world.allgather([tuple(each) for each in mine])
    told = {n: [Result(*each) for each in part] for n, part in enumerate(everything)}
    of_job = [started, clock, *of_all(told)]
    if world.rank == 0:
        write = report.as_json if style == "json" else report.as_text
        text = write(title(hosts), told, of_job)
    else:
        text = ""
    results = [*of_job, *(result for part in told.values() for result in part)]
    print(json.dumps({"report": text, "failed": report.worst(results) == FAIL}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
