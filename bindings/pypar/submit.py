# SPDX-License-Identifier: MIT
"""python -m pypar submit: give SLURM a job of ranks of a script.

The batch script is written here, and goes to sbatch without a shell or a file between.
"""

import argparse
import math
import re
import shlex
import subprocess
import sys
from pathlib import Path

from .run import ranks

_UNITS = {"d": 86400, "h": 3600, "m": 60}
_DURATION = re.compile(r"(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?", re.ASCII)
_AS_SLURM_SAYS = re.compile(r"\d+|(?:\d+-)?\d+(?::\d\d){1,2}|\d+-\d+", re.ASCII)
# What means nothing else in a line of #SBATCH.
_WORD = re.compile(r"[A-Za-z0-9_.,:+@%=/\[\]-]+")

# How long before the end the signal comes, and what sbatch takes at most; seconds.
_SIGNAL = 60
_SIGNAL_MAX = 65535

# mpirun passes the signal on to all ranks, and to what they have started. It is for the
# functions of on_time_limit: who has named none works on until the time is up.
_IGNORE = "trap '' USR1"
_DEAF = ["sh", "-c", f'{_IGNORE}; exec "$@"', "sh"]

# Options that sbatch has by the same names.
_SAME = {
    "nodes": "on so many nodes",
    "cpus-per-task": "for the threads of each rank",
    "mem": "of each node, as 4G",
    "partition": "which queue",
    "account": "who pays",
    "array": "a job for each of these numbers, as 0-9",
    "output": "file for what is printed",
}


def main(arguments: list[str]) -> int:
    """Hand the batch script to sbatch; return its status."""
    # Arguments of the script that look like ours stand behind "--".
    at = arguments.index("--") if "--" in arguments else len(arguments)
    parser = _parser()
    asked = parser.parse_args(arguments[:at])
    limit = _seconds_of(asked.time) if asked.time else math.inf
    if asked.signal is None:
        asked.signal = _SIGNAL if _SIGNAL < limit else 0
    if asked.signal >= limit:
        parser.error(f"--signal {asked.signal}: the job ends after {limit} seconds")
    if ":" in arguments[at:]:
        parser.error("':' as an argument: mpirun takes it for the next program")
    text = batch_script(asked, arguments[at + 1 :])
    if asked.dry_run:
        print(text, end="")
        return 0
    try:
        return subprocess.run(["sbatch"], input=text, text=True).returncode
    except FileNotFoundError:
        told = "sbatch is not on PATH: is this a SLURM login node?"
        print(f"pypar submit: {told} --dry-run shows what it gets", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pypar submit",
        description="Have SLURM run a script on several ranks.",
        epilog="Arguments of the script stand behind --.",
        allow_abbrev=False,
    )
    parser.add_argument("script", type=_script, help="of Python")
    parser.add_argument(
        "-n", type=ranks, required=True, metavar="RANKS", help="how many ranks"
    )
    parser.add_argument("--time", type=duration, help="limit, as 2h, 1h30m or 02:00:00")
    parser.add_argument("--name", type=_word, help="of the job; else the script's")
    for name, meaning in _SAME.items():
        parser.add_argument(f"--{name}", type=_word, help=meaning)
    parser.add_argument(
        "--signal",
        type=_seconds,
        metavar="SECONDS",
        help="before the end, when pypar.on_time_limit calls its functions, 0 for never; "
        f"else {_SIGNAL} if --time is longer",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the batch script, submit nothing"
    )
    return parser


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r}: letters, digits and _.,:+@%=/[]- only"
        )
    return text


def _seconds(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > _SIGNAL_MAX:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 0 to {_SIGNAL_MAX}")
    return int(text)


def _script(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no script {text!r}")
    return Path(text).absolute()


def duration(text: str) -> str:
    """A time limit as SLURM writes it; "2h" is 0-02:00:00."""
    limit = text if _AS_SLURM_SAYS.fullmatch(text) else _as_slurm_says(text)
    if not _seconds_of(limit):  # to SLURM that means no limit
        raise argparse.ArgumentTypeError(f"{text!r}: a minute is the least")
    return limit


def _as_slurm_says(text: str) -> str:
    found = _DURATION.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(
            f"{text!r}: a time is 90m, 2h, 1d12h or 02:00:00"
        )
    numbers = zip(found.groups("0"), _UNITS.values(), strict=True)
    minutes = sum(int(number) * unit for number, unit in numbers) // 60
    return f"{minutes // 1440}-{minutes // 60 % 24:02}:{minutes % 60:02}:00"


def _seconds_of(limit: str) -> int:
    """Of what SLURM writes: minutes, minutes:seconds, hours:minutes:seconds, and
    days-hours, behind which may stand :minutes and :seconds."""
    days, dash, clock = limit.rpartition("-")
    numbers = clock.split(":")
    units = (3600, 60, 1) if dash or len(numbers) == 3 else (60, 1)
    seconds = sum(int(n) * unit for n, unit in zip(numbers, units, strict=False))
    return int(days or 0) * 86400 + seconds


def batch_script(asked: argparse.Namespace, arguments: list[str]) -> str:
    """What sbatch is given. It becomes mpirun, so that mpirun gets the signal."""
    name = asked.name or re.sub(r"[^A-Za-z0-9_.-]", "_", asked.script.stem)
    options = {"job-name": name, "ntasks": asked.n, "time": asked.time}
    options |= {name: getattr(asked, name.replace("-", "_")) for name in _SAME}
    options["signal"] = f"B:USR1@{asked.signal}" if asked.signal else None
    lines = [f"#SBATCH --{name}={value}" for name, value in options.items() if value]
    program = [sys.executable, str(asked.script), *arguments]
    if asked.signal:
        lines.append(_IGNORE)  # until mpirun attends to it
        program = [*_DEAF, *program]
    command = [sys.executable, "-m", "pypar", "run", *program]
    return "\n".join(["#!/bin/sh", *lines, f"exec {shlex.join(command)}", ""])
