# SPDX-License-Identifier: MIT
"""bench.py - raw MPI, libpar, pypar and mpi4py side by side: `./dev bench`.

All contenders are started once and take turns: in every round each measurement is
taken of one after the other, within milliseconds, so that a machine that is slow
for a while is slow for all. They are jobs of their own, as mpirun starts them,
because how one sets up MPI (threads, limits) must not help or harm the others.
"""

import argparse
import fnmatch
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import time

import plan
import table
from job import HERE, Failed, Jobs, cores

SLICE = 0.004  # seconds that the timed part of one measurement takes, if it can
ROUNDS = 25
# Measurements that are slow by nature get fewer rounds, but never less than these.
ROW_SECONDS, FEWEST_ROUNDS = 6, 5
COUNT_MAX = 1_000_000
SLOW = 0.1  # seconds that no machine is slow for by chance


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="Compare raw MPI, libpar, pypar and mpi4py on this machine.",
    )
    parser.add_argument(
        "--rounds",
        type=positive,
        help=f"how often everything is measured, {ROUNDS} unless given",
    )
    parser.add_argument(
        "--only",
        metavar="PATTERN",
        help='rows whose name has this in it, as "latency" or "8 ?iB"',
    )
    parser.add_argument("--json", metavar="FILE", help="write all samples there")
    parser.add_argument("--plot", metavar="FILE", help="draw latency and bandwidth there")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="only see that it works: sizes up to 16 MiB, little time",
    )
    args = parser.parse_args()
    args.rows = choose(args)
    if not args.rows:
        parser.error(
            f"no row's name has {args.only!r} in it: "
            + ", ".join(r.name for r in plan.ROWS)
        )
    if args.plot and not any(row.what == "pingpong" for row in args.rows):
        parser.error("--plot draws latency and bandwidth, of which there are no rows")
    if args.plot and not importlib.util.find_spec("matplotlib"):
        parser.error("--plot needs matplotlib")
    args.rounds = args.rounds or (1 if args.quick else ROUNDS)
    return args


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def choose(args):
    pattern = f"*{args.only or ''}*".lower()
    return [
        row
        for row in plan.ROWS
        if fnmatch.fnmatchcase(row.name.lower(), pattern)
        and not (
            args.quick and isinstance(row.payload, int) and row.payload > 16 * plan.MIB
        )
    ]


# What contenders import, that need not be there.
NEEDS = {
    "mpi4py": "mpi4py",
    "pool_mpi4py": "mpi4py",
    "pool_joblib": "joblib",
    "pool_dask": "distributed",
    "pool_ray": "ray",
}


PACKAGES = ("numpy", *dict.fromkeys(NEEDS.values()))


def contenders():
    """The names of those who can take part."""
    missing = {
        module for module in NEEDS.values() if not importlib.util.find_spec(module)
    }
    for module in sorted(missing):
        say(f"{module} is not installed: its columns are left out")
    return [
        name
        for name, (program, *_) in plan.CONTENDERS.items()
        if NEEDS.get(program) not in missing
    ]


def say(text):
    print(f"bench: {text}", file=sys.stderr)


# ---- measuring ---------------------------------------------------------------


class Case:
    """One row with one contender."""

    def __init__(self, row, name, jobs):
        program, self.form, _ = plan.CONTENDERS[name]
        self.row = row
        self.job = jobs[program, row.ranks]
        self.count = row.ranks  # rounds of the timed loop; each rank is root once
        self.samples = []  # seconds an operation

    def rehearse(self, seconds):
        """Find out how many rounds take SECONDS: several times, as a machine that is
        slow for a moment makes few look enough."""
        for _ in range(3):
            if self._long_enough(seconds) > SLOW:
                break

    def sample(self, seconds):
        took = self._long_enough(seconds)
        self.samples.append(took / (self.count * self.row.operations))

    def _long_enough(self, seconds):
        while True:
            took = self._run()
            if took > seconds / 4 or self.count == COUNT_MAX:
                return took
            factor = min(50, seconds / max(took, 1e-9))
            self.count = min(COUNT_MAX, int(self.count * factor))

    def _run(self):
        return self.job.order(self.row.what, self.form, self.row.payload, self.count)


def measure(rows, names, jobs, rounds, seconds):
    """{row: {contender: case}}, measured in interleaved ROUNDS."""
    cases = {
        row: {name: Case(row, name, jobs) for name in row.contenders if name in names}
        for row in rows
    }
    spent = dict.fromkeys(rows, 0.0)
    for number in range(rounds + 1):
        show(f"round {number} of {rounds}")
        for row in rows:
            if number > FEWEST_ROUNDS and spent[row] > ROW_SECONDS:
                continue
            start = time.monotonic()
            for case in rotated(list(cases[row].values()), number):
                if number == 0:
                    case.rehearse(seconds * row.section.longer)
                else:
                    case.sample(seconds * row.section.longer)
            spent[row] += time.monotonic() - start
    show("")
    return cases


def show(progress):
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)


def rotated(items, places):
    """Each round another one first: none has always the same before it."""
    places %= len(items)
    return items[places:] + items[:places]


def figures(cases):
    """{row: {contender: {"min", "median", "samples"}}}, in seconds."""
    return {
        row: {
            name: {
                "min": min(case.samples),
                "median": statistics.median(case.samples),
                "samples": case.samples,
            }
            for name, case in by_name.items()
        }
        for row, by_name in cases.items()
    }


# ---- where -------------------------------------------------------------------


def output_of(*argv):
    return subprocess.run(argv, capture_output=True, text=True).stdout.strip()


def about(jobs, rounds):
    """The machine and the versions; fails if the contenders don't run on one MPI."""
    versions = {job.mpi for job in jobs.values() if job.mpi}
    if len(versions) > 1:
        raise Failed(
            "mpi4py and the C programs use different MPI libraries: "
            + "; ".join(sorted(versions))
            + " (./dev clean, then again)"
        )
    cpu = re.search(r"^Model name:\s*(.*)", output_of("lscpu"), re.M)
    header = (HERE.parents[1] / "lib" / "include" / "par.h").read_text()
    return {
        "machine": f"{cpu[1] if cpu else platform.machine()}, {len(cores())} cores,"
        f" {platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f}",
        "MPI": versions.pop() if versions else "unknown",
        "par": re.search(r'PAR_VERSION "(.*)"', header)[1]
        + f" {output_of('git', '-C', str(HERE), 'describe', '--always', '--dirty')}".rstrip(),
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "rounds": str(rounds),
    }


def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"


# ---- results -----------------------------------------------------------------


def as_json(about, results):
    rows = [
        {
            "name": row.name,
            "section": row.section.name,
            "payload": row.payload,
            "ranks": row.ranks,
            "seconds": by_name,
        }
        for row, by_name in results.items()
    ]
    targets = []
    for target in plan.TARGETS:
        worst, name, reached = table.judge(target, results)
        targets.append({**vars(target), "worst": worst, "row": name, "reached": reached})
    return json.dumps({"about": about, "rows": rows, "targets": targets}, indent=1)


def run(args):
    names = contenders()
    wanted = dict.fromkeys(
        (plan.CONTENDERS[name][0], row.ranks)
        for row in args.rows
        for name in row.contenders
        if name in names
    )
    seconds = SLICE / 20 if args.quick else SLICE
    if not args.quick and os.getloadavg()[0] > 0.5:
        say(f"the machine is busy (load {os.getloadavg()[0]:.1f}): expect noise")
    with Jobs(wanted) as jobs:
        where = about(jobs, args.rounds)
        cases = measure(args.rows, names, jobs, args.rounds, seconds)
    results = figures(cases)
    print(table.text(where, results, names), end="", flush=True)
    if args.json:
        with open(args.json, "w") as file:
            print(as_json(where, results), file=file)
    if args.plot:
        import plot

        plot.draw(args.plot, where, results)


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the jobs, too
    try:
        run(args)
    except Failed as failure:
        say(str(failure))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
