# SPDX-License-Identifier: MIT
"""Jobs that wait for orders: each contender's ranks, alive for the whole benchmark.

A rank connects to the driver's socket and says "JOB RANK MPI-VERSION"; an order is
a line to each rank of a job, and each answers with a line: the seconds it took, or
"fault: ...". A rank that has no order sleeps in the kernel.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = Path(
    os.environ.get("PAR_BUILD") or HERE.parents[1] / "build" / "release"
).resolve()

START_SECONDS = 120
ANSWER_SECONDS = 300  # on a loaded machine, too
END_SECONDS = 20


class Failed(Exception):
    """The benchmark cannot go on; the text says why."""


def cores():
    """A CPU of each core that we may use."""
    listed = subprocess.run(
        ["lscpu", "--parse=core,socket,cpu"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    by_core = {}
    for line in listed:
        core, _, cpu = line.rpartition(",")
        if not line.startswith("#") and int(cpu) in os.sched_getaffinity(0):
            by_core.setdefault(core, int(cpu))
    return list(by_core.values())


@contextmanager
def crowded(ranks):
    """What is started within: two ranks where they will, more of them on two cores."""
    before = os.sched_getaffinity(0)
    if ranks > 2:
        os.sched_setaffinity(0, cores()[:2])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# What contenders in Python run.
SCRIPTS = {
    "pypar": "pypar_bench.py",
    "mpi4py": "mpi4py_bench.py",
    "placed": "threads_bench.py",
    "unplaced": "threads_bench.py",
}


# Pools whose workers are ranks: how many that makes with who hands in, and by which
# module Python starts them. What others start must not be kept on mpirun's one core.
POOL_RANKS = {"pypar": 2, "mpi4py": 3}
POOL_MODULES = {"mpi4py": ["-m", "mpi4py.futures"]}


def mpirun(ranks):
    return ["mpirun", "-np", str(ranks)]


def command(program, ranks):
    if program.startswith("pool_"):
        pool = program.removeprefix("pool_")
        module = POOL_MODULES.get(pool, [])
        script = [sys.executable, *module, str(HERE / "pool_bench.py"), pool]
        return [*mpirun(POOL_RANKS[pool]), *script] if pool in POOL_RANKS else script
    if program in SCRIPTS:
        return [*mpirun(ranks), sys.executable, str(HERE / SCRIPTS[program])]
    return [*mpirun(ranks), str(BUILD / "bench" / f"bench_{program}")]


def processes(program, ranks):
    if program.startswith("pool_"):
        return POOL_RANKS.get(program.removeprefix("pool_"), 1)
    return ranks


def environment(program, ranks):
    """Each job as mpirun starts it, but for what it cannot start without; one of
    more ranks than cores with the yielding that raw MPI must be told to do."""
    crowd = {
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        "OMPI_MCA_mpi_yield_when_idle": "1",
    }
    env = {name: value for name, value in os.environ.items() if name not in crowd}
    for prefix in ("OMPI", "PRTE"):  # they refuse root without these
        env[f"{prefix}_ALLOW_RUN_AS_ROOT"] = "1"
        env[f"{prefix}_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    path = [str(BUILD / "python"), os.environ.get("PYTHONPATH")]
    env["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    if program == "unplaced":
        env["PAR_BIND"] = "none"
    return env | crowd if processes(program, ranks) > len(cores()) else env


class Job:
    def __init__(self, program, ranks, path):
        self.name = f"{program}-{ranks}"
        self.ranks = ranks
        self.lines = {}  # by rank: the connection, as a text file
        self.connections = []
        self.mpi = ""
        with crowded(ranks):
            self.process = subprocess.Popen(
                [*command(program, ranks), path, self.name],
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
                env=environment(program, ranks),
                process_group=0,  # Ctrl-C comes to the driver alone
            )

    @property
    def ready(self):
        return len(self.lines) == self.ranks

    def order(self, what, form, payload, count):
        """Have the ranks carry it out; return the seconds that rank 0 took."""
        line = f"{what} {form} {payload} {count}"
        answers = []
        try:
            for rank in range(self.ranks):
                print(line, file=self.lines[rank], flush=True)
            answers = [self.lines[rank].readline() for rank in range(self.ranks)]
        except TimeoutError:
            raise Failed(
                f"{self.name}: no answer to {line!r} in {ANSWER_SECONDS} s"
            ) from None
        except OSError as error:
            raise Failed(
                f"{self.name}: a rank is gone ({error}), before {line!r}"
            ) from None
        for rank, answer in enumerate(answers):
            if not answer:
                raise Failed(f"{self.name}: rank {rank} is gone, during {line!r}")
            if answer.startswith("fault"):
                raise Failed(f"{self.name}: rank {rank}: {answer.strip()}")
        return float(answers[0])

    def leave(self):
        """Ranks end when there are no more orders; who is still at one may answer."""
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_WR)
            except OSError:  # its rank is gone
                pass

    def end(self, limit):
        """Wait for the end until LIMIT, and bring it about after that."""
        for stop in (lambda: None, self.process.terminate, self.process.kill):
            stop()
            try:
                return self.process.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                limit = time.monotonic() + 5


class Jobs:
    """The jobs for WANTED, (program, ranks) each, as a context."""

    def __init__(self, wanted):
        self.wanted = list(wanted)
        self.jobs = {}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="par-bench-")
        self.listener = socket.socket(socket.AF_UNIX)
        try:
            path = os.path.join(self.folder.name, "orders")
            self.listener.bind(path)
            self.listener.listen(256)
            self.listener.settimeout(0.2)
            for key in self.wanted:
                self.jobs[key] = Job(*key, path)
            self._gather()
        except BaseException:
            self.__exit__()
            raise
        return self.jobs

    def _gather(self):
        by_name = {job.name: job for job in self.jobs.values()}
        limit = time.monotonic() + START_SECONDS
        while not all(job.ready for job in by_name.values()):
            for job in by_name.values():
                if job.process.poll() is not None:
                    raise Failed(f"{job.name} ended with status {job.process.returncode}")
            if time.monotonic() > limit:
                late = [job.name for job in by_name.values() if not job.ready]
                raise Failed(f"not started within {START_SECONDS} s: {', '.join(late)}")
            try:
                connection, _ = self.listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(ANSWER_SECONDS)
            lines = connection.makefile("rw")
            name, rank, mpi = lines.readline().rstrip("\n").split(" ", 2)
            by_name[name].lines[int(rank)] = lines
            by_name[name].connections.append(connection)
            by_name[name].mpi = mpi.strip("\0 ")

    def __exit__(self, *_):
        for job in self.jobs.values():
            job.leave()
        limit = time.monotonic() + END_SECONDS
        for job in self.jobs.values():
            job.end(limit)
        self.listener.close()
        self.folder.cleanup()
