# SPDX-License-Identifier: MIT
"""Shell commands are run by whichever rank is free; rank 0 tells what they said.

Run it as: mpirun -np 4 python apps/commands.py "sleep 1; date" hostname "exit 3"

The exit status is 1 if that of a command is not 0.
"""

import subprocess
import sys
import time
from typing import NamedTuple

import pypar as pp
from args import Parser

DEFAULT = ["echo one", "sleep 0.2; echo two", "uname -s", "echo three; echo four"]


class Outcome(NamedTuple):
    command: str
    status: int
    output: str
    seconds: float
    rank: int


def run(command):
    start = time.perf_counter()
    done = subprocess.run(
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    seconds = time.perf_counter() - start
    return Outcome(command, done.returncode, done.stdout, seconds, pp.rank())


def tell(outcome):
    how = f"status {outcome.status}" if outcome.status else "ok"
    print(f"{how}, {outcome.seconds:.2f} s on rank {outcome.rank}: {outcome.command}")
    for line in outcome.output.splitlines():
        print(f"    {line}")


def main():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "commands",
        metavar="command",
        nargs="*",
        default=DEFAULT,
        help=f"for sh, {', '.join(map(repr, DEFAULT))} unless given",
    )
    commands = parser.parse_args().commands
    failed = False
    with pp.Pool() as pool:
        for outcome in pool.imap_unordered(run, commands):
            tell(outcome)
            failed |= outcome.status != 0
    sys.exit(failed)


if __name__ == "__main__":
    main()
