# SPDX-License-Identifier: MIT
"""python -m pypar COMMAND: what can be asked of pypar itself.

Each command is a module of this package with a function main(arguments) -> exit
status. Some are about the job before there is one, or look at what keeps it from
starting: they run before pypar starts MPI, which __init__ does when it is imported.
"""

import importlib
import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import NamedTuple


class Command(NamedTuple):
    name: str
    module: str
    is_rank: bool  # it runs as a rank of the job; else MPI stays untouched
    help: str


COMMANDS: tuple[Command, ...] = (
    Command("doctor", "doctor", False, "see what is wrong with the machine or the job"),
    Command("pool", "serve", True, "run a script whose pools have the other ranks"),
    Command("run", "run", False, "start a program on several ranks"),
    Command("submit", "submit", False, "have SLURM run a script on several ranks"),
    Command("where", "where", True, "show where the ranks of the job are"),
)

USAGE_STATUS = 2


def asked() -> list[str] | None:
    """The arguments of `python -m pypar` or `pypar`; None in any other program."""
    python = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    if sys.argv[0] == "-m":  # so it is while Python looks for the module
        return sys.argv[1:] if python[-2:] == ["-m", "pypar"] else None
    script = os.path.join(sysconfig.get_path("scripts"), "pypar")
    return sys.argv[1:] if sys.argv[0] == script else None


def run(arguments: list[str], *, is_rank: bool) -> None:
    """Run the command that ARGUMENTS ask for and leave Python with its status; return
    where it is one of the other kind."""
    word, *rest = arguments or ["--help"]
    command = next((each for each in COMMANDS if each.name == word), None)
    if command is None:
        with one_voice(is_first()):
            sys.exit(_usage(word))
    if command.is_rank == is_rank:
        module = importlib.import_module(f"{__package__}.{command.module}")
        sys.exit(module.main(rest))


@contextmanager
def one_voice(speaks: bool) -> Iterator[None]:
    """All processes of a job have the same arguments. One says what is wrong with them,
    and ends the job by its status; the others must not end it sooner."""
    if speaks:
        yield
        return
    try:
        with redirect_stdout(None), redirect_stderr(None):
            yield
    except SystemExit:
        sys.exit(0)


def is_first() -> bool:
    """Whether this is the first process of its job, as far as the launcher says so: it
    is for commands that start no MPI. What a rank has started is a job of its own."""
    from .doctor.here import Here
    from .doctor.launch import launched

    found = launched(Here())
    return not found or found.number == 0 or "PAR_STARTED_BY" in os.environ


def _usage(word: str) -> int:
    lines = [f"    {each.name:8} {each.help}" for each in COMMANDS]
    text = "\n".join(["usage: python -m pypar COMMAND ...", "", *lines])
    if word in ("-h", "--help", "help"):
        print(text)
        return 0
    print(f"pypar: no command is named {word!r}\n{text}", file=sys.stderr)
    return USAGE_STATUS
