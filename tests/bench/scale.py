# SPDX-License-Identifier: MIT
"""scale.py - what a job's start takes, by its number of ranks: `./dev bench scale`.

One job after the other: the same in raw MPI, with libpar and with pypar. The tables are
of the rank that took longest, and of the rank with the median of memory.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from job import BUILD, HERE, environment

SECONDS = 600  # for one job, on a machine that has other work

PROGRAMS = {
    "raw MPI": [BUILD / "bench" / "bench_start", "mpi"],
    "libpar": [BUILD / "bench" / "bench_start", "par"],
    "pypar": [sys.executable, HERE / "start.py"],
}


def start(ranks, argv):
    """The seconds that the job took, and what each of its ranks has told."""
    begin = time.monotonic()
    done = subprocess.run(
        ["mpirun", "-np", str(ranks), *map(str, argv)],
        env=environment("start", ranks),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
    )
    took = time.monotonic() - begin
    told = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or len(told) != ranks:
        sys.exit(
            f"scale: status {done.returncode}, and {len(told)} of {ranks} ranks told "
            f"what they have: {argv}"
        )
    return took, told


def row(ranks, name, took, told):
    def median(when, what):
        return round(statistics.median(rank[when].get(what, 0) for rank in told))

    return {
        "ranks": ranks,
        "program": name,
        "job": took,
        "start": max(rank["seconds"] for rank in told),
        "private": median("started", "private"),
        "pss": median("started", "pss"),
        "heap": median("started", "heap"),
        "talked": median("talked", "private"),
    }


HEAD = """\
| ranks | | job, s | its start, s | private | Pss | heap | private, all have talked to all |
| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"""


def line(of):
    return (
        f"| {of['ranks']} | {of['program']} | {of['job']:.1f} | {of['start']:.2f} "
        f"| {of['private']} | {of['pss']} | {of['heap'] or ''} | {of['talked']} |"
    )


def by_peer(rows, name):
    """What a rank more costs each of the others, in KiB: from the first to the last."""
    mine = [each for each in rows if each["program"] == name]
    first, last = mine[0], mine[-1]
    if first["ranks"] == last["ranks"]:
        return ""
    more = {
        what: (last[what] - first[what]) / (last["ranks"] - first["ranks"])
        for what in ("private", "heap", "talked")
    }
    heap = f"{more['heap']:.1f} of heap, " if last["heap"] else ""
    return (
        f"{name}, KiB a peer: {more['private']:.1f} private, {heap}"
        f"{more['talked']:.1f} private once all have talked to all"
    )


def count(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of ranks from 1 on")
    return int(text)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench scale", description=__doc__)
    parser.add_argument("ranks", nargs="*", type=count, default=[2, 16, 64, 128])
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}, memory in KiB a rank\n\n{HEAD}", flush=True)
    rows = []
    for ranks in sorted(asked.ranks):
        for name, argv in PROGRAMS.items():
            rows.append(row(ranks, name, *start(ranks, argv)))
            print(line(rows[-1]), flush=True)
    print()
    for name in PROGRAMS:
        if said := by_peer(rows, name):
            print(f"- {said}")


if __name__ == "__main__":
    main()
