# SPDX-License-Identifier: MIT
"""Who starts the ranks, and whether they speak to the MPI that pypar uses."""

import re
from typing import NamedTuple

from ..which_mpi import ask_mpirun, what_mpi
from .here import FAIL, OK, WARN, Here, Result

# How each launcher says how many processes it has started and which this one is; the
# innermost first.
CLAIMS = (
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "mpirun of Open MPI"),
    ("PMI_SIZE", "PMI_RANK", "mpirun of MPICH or its kin"),
    ("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK", "mpirun of MVAPICH"),
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun"),
)


class Launched(NamedTuple):
    """What has started this process, how many of them, and which of them it is."""

    by: str
    size: int
    number: int


def launched(here: Here) -> Launched | None:
    """What has started this process as one of a job's; None for nothing."""
    for size, number, by in CLAIMS:
        if count := here.number(size):
            return Launched(by, count, here.number(number) or 0)
    return None


def launcher(here: Here) -> Result:
    """Who has started this."""
    name = "launcher"
    if found := launched(here):
        return Result(name, OK, f"{found.by} has started {found.size} processes")
    if "SLURM_JOB_ID" in here.environ:
        return Result(name, OK, "none, within a job of SLURM: srun or mpirun start ranks")
    return Result(name, OK, "none: a job of one rank")


def mpirun(here: Here, library: str) -> Result:
    """Whether the mpirun on PATH belongs to LIBRARY, the words of the MPI in use."""
    name = "mpirun"
    ours = what_mpi(library)
    told = ask_mpirun("mpirun", here.run)
    if told.status == 127:
        cure = "install it (apt install openmpi-bin), or load its module"
        started = launched(here) is not None
        return Result(name, OK if started else WARN, "none is on PATH", cure)
    if told.status is None:
        return Result(
            name, FAIL, "mpirun --version does not end", "see which mpirun it is"
        )
    theirs = what_mpi(told.text)
    if not theirs or not ours:
        fact = f"says {told.text[:80]!r}, and the library {library[:80]!r}"
        return Result(name, WARN, fact, "see that the two belong together")
    fact = (
        f"{theirs.name} {theirs.version}, and the library is {ours.name} {ours.version}"
    )
    if theirs.name != ours.name:
        cure = f"put the bin folder of {ours.name} first on PATH, or load its module"
        return Result(name, FAIL, fact, cure)
    if theirs.version.split(".")[0] != ours.version.split(".")[0]:
        cure = "use the mpirun beside the library: PATH and LD_LIBRARY_PATH disagree"
        return Result(name, FAIL, fact, cure)
    return Result(name, OK, fact)


def slurm(here: Here) -> Result | None:
    """Whether srun can start ranks; None outside of SLURM."""
    if "SLURM_JOB_ID" not in here.environ:
        return None
    told = here.run(["srun", "--mpi=list"])
    kinds = sorted(set(re.findall(r"\b(pmix(?:_v\d+)?|pmi2|cray_shasta)\b", told.text)))
    fact = f"srun --mpi=list: {', '.join(kinds) or 'nothing'}"
    if told.status != 0:
        return Result("PMI", WARN, "srun --mpi=list fails", "start ranks with mpirun")
    if not any(kind.startswith("pmix") for kind in kinds):
        return Result("PMI", WARN, fact, "no pmix for Open MPI: start ranks with mpirun")
    return Result("PMI", OK, f"{fact}: srun --mpi=pmix")


def slots(here: Here) -> Result | None:
    """Whether the ranks of this host have a CPU each; None where nobody has counted."""
    local = here.number("OMPI_COMM_WORLD_LOCAL_SIZE") or here.number("MPI_LOCALNRANKS")
    if not local:
        return None
    bound = here.number("OMPI_MCA_orte_bound_at_launch") == 1
    fact = f"{local} ranks on this host, {here.cpus} CPUs for this one"
    if local > here.cpus and not bound:
        cure = "they take turns; with more hosts, or fewer ranks, each has its own"
        return Result("slots", WARN, fact, cure)
    return Result("slots", OK, fact)


IMPORT_ERROR = "ImportError: pypar cannot start: "

SICK = (
    ("not enough slots", "more ranks than CPUs want mpirun --oversubscribe"),
    ("run as root", "set OMPI_ALLOW_RUN_AS_ROOT=1 and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"),
    ("No module named", "install pypar for the Python that mpirun starts"),
)


def start_two(here: Here, python: str, seconds: float) -> Result:
    """Whether mpirun starts a job of two ranks."""
    name = "mpirun -np 2"
    program = "import pypar; pypar.barrier(); print('two', pypar.size())"
    done = here.run(["mpirun", "-np", "2", python, "-c", program], seconds=seconds)
    if done.status == 0 and done.text.count("two 2") == 2:
        return Result(name, OK, "works")
    if done.status is None:
        fact = f"has not ended within {seconds:g} s"
        return Result(name, FAIL, fact, "see the host name and the network above")
    for words, cure in SICK:
        if words in done.text:
            status = WARN if "slots" in words else FAIL
            return Result(name, status, f"refuses: {words}", cure)
    return Result(name, FAIL, f"fails: {gist(done.text)}", "see the MPI in use above")


def gist(text: str, limit: int = 600) -> str:
    """What pypar's ImportError says; else the lines of an MPI's pages, on one line."""
    lines = [line.strip() for line in text.splitlines()]
    cause = [line for line in lines if line.startswith(IMPORT_ERROR)]
    said = [line for line in lines if line.strip("-*= ")]
    words = cause[0].removeprefix(IMPORT_ERROR) if cause else " ".join(said)
    return words[:limit] or "without a word"
