# SPDX-License-Identifier: MIT
"""python -m pypar run: start a program on several ranks, by the right mpirun.

What mpirun must be told on this machine is added and said on stderr: that it may run as
root, and put more ranks than there are cores. This process becomes mpirun, so the job's
exit status is its own, and a signal to it is one to the job.
"""

import argparse
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from .doctor.copying import read_from_sibling
from .launcher import Launcher, LaunchError, find

USAGE_STATUS = 2

_HOST = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]*)(?::([1-9]\d*))?")

# Here the batch system says on which hosts, and how many ranks; mpirun asks it.
_ALLOCATIONS = ("SLURM_JOB_ID", "PBS_NODEFILE", "LSB_DJOB_HOSTFILE", "PE_HOSTFILE")

# What ranks on other hosts would go without. threads.py has the libraries by name, but
# it cannot be imported here: it starts MPI.
_EXPORTED = re.compile(
    r"(PAR_|PYTHON|OMP_|OPENBLAS_|MKL_|BLIS_|VECLIB_|NUMBA_|NUMEXPR_)\w+"
    r"|LD_LIBRARY_PATH|VIRTUAL_ENV",
    re.ASCII,
)

_BCAST_IMPORTS = "PAR_BCAST_IMPORTS"  # imports.py looks for it

# From so many ranks on, mpirun of Open MPI 4 starts them in several threads. It loses
# sight of one that ends before its thread has noted that it has begun.
_MANY = 32


def main(arguments: list[str]) -> int:
    """Become mpirun, or return the status of what cannot be."""
    asked = _parse(arguments)
    try:
        launcher = find()
        if asked.bcast_imports:
            os.environ[_BCAST_IMPORTS] = "1"
        options = list(_options(asked, launcher))
        program = _program(*asked.words)
    except LaunchError as error:
        print(f"pypar run: {error}", file=sys.stderr)
        return USAGE_STATUS
    told = [f"{' '.join(words)} ({reason})" for words, reason in options if reason]
    if told:
        print(
            f"pypar run: {launcher.path} {', '.join(told)}", file=sys.stderr, flush=True
        )
    words = [word for option, _ in options for word in option]
    os.execv(launcher.path, [launcher.path, *words, *program])


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pypar run",
        description="Start a program on several ranks, by the mpirun that belongs to pypar.",
        usage="%(prog)s [-h] [-n RANKS] [--hosts HOST[:RANKS],...] [--bcast-imports] "
        "PROGRAM [ARGUMENT ...]",
    )
    parser.add_argument("-n", type=ranks, metavar="RANKS", help="how many ranks")
    parser.add_argument(
        "--hosts",
        metavar="HOST[:RANKS],...",
        help="on these hosts, so many ranks on each; without numbers shared out evenly",
    )
    parser.add_argument(
        "--bcast-imports",
        action="store_true",
        help="one rank reads the modules that the script imports, and sends them",
    )
    # In one list, for a "--" between two of its own argparse would take away.
    parser.add_argument(
        "words",
        metavar="PROGRAM",
        nargs=argparse.REMAINDER,
        help="a script NAME.py, or any program, and its arguments",
    )
    asked = parser.parse_args(arguments)
    if asked.words[:1] == ["--"]:
        del asked.words[0]
    if not asked.words:
        parser.error("which program? None is named behind the options")
    return asked


def ranks(text: str) -> int:
    """The type of an argument: a number of ranks."""
    if not re.fullmatch(r"[0-9]+", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 1 on")
    return int(text)


def _options(
    asked: argparse.Namespace, launcher: Launcher
) -> Iterator[tuple[list[str], str]]:
    """What mpirun is told, each with the reason where nobody has asked for it."""
    if os.geteuid() == 0 and not _root_is_allowed(launcher):
        yield ["--allow-run-as-root"], "you are root"
    n = asked.n
    if asked.hosts is not None:
        hosts = _share_out(_hosts(asked.hosts), n)
        # In an allocation mpirun takes the numbers of hosts as what they have at most.
        n = n or sum(count for _, count in hosts)
        yield ["--host", ",".join(f"{host}:{count}" for host, count in hosts)], ""
        for name in filter(_EXPORTED.fullmatch, sorted(os.environ)):
            yield ["-x", name], ""
    elif n and n > cores() and not _room_is_known(launcher):
        # Each of the two knows one of the ways to say it.
        old = launcher.version < (5,)
        words = ["--oversubscribe"] if old else ["--map-by", ":oversubscribe"]
        yield words, f"{n} ranks on {cores()} cores"
    if asked.bcast_imports and asked.hosts is None:
        yield ["-x", _BCAST_IMPORTS], ""
    if copies := _copies(launcher):
        yield copies, "this container lets no rank read the memory of another one"
    if n and n >= _MANY and launcher.version < (5,):
        words = ["--mca", "odls_base_num_threads", "0"]
        yield words, f"{n} ranks: it may hang where some end at once"
    if n:
        yield ["-n", str(n)], ""


def _root_is_allowed(launcher: Launcher) -> bool:
    who = "OMPI" if launcher.version < (5,) else "PRTE"
    names = (f"{who}_ALLOW_RUN_AS_ROOT", f"{who}_ALLOW_RUN_AS_ROOT_CONFIRM")
    return all(os.environ.get(name) == "1" for name in names)


def _room_is_known(launcher: Launcher) -> bool:
    """Whether the batch system or the user has said how many ranks there may be."""
    if launcher.version < (5,):
        said = os.environ.get("OMPI_MCA_rmaps_base_oversubscribe") == "1"
    else:
        policy = os.environ.get("PRTE_MCA_rmaps_default_mapping_policy", "")
        said = "oversubscribe" in policy.lower()
    return said or any(name in os.environ for name in _ALLOCATIONS)


def _copies(launcher: Launcher) -> list[str]:
    """How mpirun is told to copy messages twice within a host, where ranks may not
    copy straight from each other: Open MPI tries it, and complains each time."""
    transport = "vader" if launcher.version < (5,) else "sm"
    name = f"btl_{transport}_single_copy_mechanism"
    if f"OMPI_MCA_{name}" in os.environ or not _is_container() or not read_from_sibling():
        return []
    return ["--mca", name, "none"]


def _is_container() -> bool:
    """Whether Docker, Podman or one that says so in the environment has made this."""
    files = ("/.dockerenv", "/run/.containerenv")
    return "container" in os.environ or any(map(os.path.exists, files))


def _hosts(text: str) -> list[tuple[str, int]]:
    """The hosts that TEXT names, each with its number of ranks; 0 if it has none."""
    hosts = []
    for word in text.split(","):
        found = _HOST.fullmatch(word)
        if not found:
            raise LaunchError(f"--hosts {text!r}: {word!r} is not HOST or HOST:RANKS")
        hosts.append((found[1], int(found[2] or 0)))
    return hosts


def _share_out(hosts: list[tuple[str, int]], n: int | None) -> list[tuple[str, int]]:
    """HOSTS with a number of ranks each, so that there are N in all."""
    if not any(count for _, count in hosts):
        n = n or len(hosts)
        names = [name for name, _ in hosts][:n]
        part, rest = divmod(n, len(names))
        return [(name, part + (at < rest)) for at, name in enumerate(names)]
    if not all(count for _, count in hosts):
        raise LaunchError("--hosts: either each host has a number of ranks or none has")
    room = sum(count for _, count in hosts)
    if n and n > room:
        raise LaunchError(f"-n {n} is more than --hosts have room for, which is {room}")
    return hosts


def cores() -> int:
    """The cores that mpirun fills with one rank each on its own."""
    cpus = os.sched_getaffinity(0)
    return len({_core(cpu) for cpu in cpus})


def _core(cpu: int) -> str:
    """What the CPUs of one core have in common."""
    file = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        return file.read_text()
    except OSError:  # not every machine tells
        return str(cpu)


def _program(program: str, *arguments: str) -> list[str]:
    """The words behind mpirun's own."""
    if ":" in (program, *arguments):
        raise LaunchError("':' as an argument: mpirun takes it for the next program")
    if not program.endswith(".py"):
        path = shutil.which(program)  # other hosts may have another PATH
        if not path:
            raise LaunchError(f"there is no program {program!r}")
        return [path, *arguments]
    if not os.path.exists(program):
        raise LaunchError(f"there is no script {program!r} in {os.getcwd()}")
    # Not an option of Python's or mpirun's, whatever it is called.
    return [sys.executable, os.path.join(".", program), *arguments]
