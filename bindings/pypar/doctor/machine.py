# SPDX-License-Identifier: MIT
"""What the machine, the container and the limits of this process give."""

import math
import resource
import threading
from pathlib import PurePosixPath

from .here import FAIL, OK, WARN, Here, Result

MIB = 1 << 20
SHM_BYTES = 64 * MIB  # Docker gives as much; a few ranks with large messages want more
RESOLVE_SECONDS = 5


def _groups(here: Here, kind: str) -> list[PurePosixPath]:
    """The control group of this process, and those around it, for a controller of the
    first version, or "" for the second."""
    for line in here.text("proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if kind in controllers.split(","):
            own = PurePosixPath(path.lstrip("/"))
            return [own, *own.parents]
    return [PurePosixPath(".")]


def cpu_share(here: Here) -> float | None:
    """How many CPUs' time the control groups allow; None where they don't limit it."""
    shares = []
    for group in _groups(here, ""):
        quota, _, period = here.text(f"sys/fs/cgroup/{group}/cpu.max").partition(" ")
        if quota.isdecimal() and period.isdecimal() and int(period):
            shares.append(int(quota) / int(period))
    for group in _groups(here, "cpu"):
        folder = f"sys/fs/cgroup/cpu/{group}"
        quota = here.text(f"{folder}/cpu.cfs_quota_us")
        period = here.text(f"{folder}/cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(period):
            shares.append(int(quota) / int(period))
    return min(shares, default=None)


def cpus(here: Here) -> Result:
    """CPUs, and how much of their time the control group allows."""
    share = cpu_share(here)
    if share is None or share >= here.cpus:
        return Result("CPUs", OK, f"{here.cpus}")
    allowed = max(1, math.ceil(share))
    cure = (
        f"start {allowed} ranks or threads here, or ask for more (docker run --cpus, "
        "the scheduler's CPUs per task)"
    )
    fact = f"{here.cpus}, of whose time a quota allows {share:.2g}"
    return Result("CPUs", WARN, fact, cure)


def _about(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB" if size >= 1 << 30 else f"{size // MIB} MiB"


def _enough(free: int) -> str:
    """In powers of two, so that ranks that look one after the other say the same."""
    return f"{_about(1 << (free.bit_length() - 1))} and more free"


def shared_memory(here: Here) -> Result:
    """Room for messages between ranks of a host."""
    name, folder = "/dev/shm", here.root / "dev/shm"
    if not folder.is_dir():
        return Result(name, FAIL, "is missing", "mount a tmpfs there")
    free, size = here.free(folder)
    fact = f"{_about(free)} free of {_about(size)}"
    if free < SHM_BYTES / 4:
        cure = "remove what is left there, or enlarge it: docker run --shm-size=1g, "
        return Result(name, FAIL, fact, cure + "mount -o remount,size=1g /dev/shm")
    if free < SHM_BYTES:
        return Result(name, WARN, fact, "more: docker run --shm-size=1g")
    return Result(name, OK, f"{_enough(free)}, of {_about(size)}")


def temporary(here: Here) -> Result:
    """Where mpirun keeps a job's files."""
    path = here.environ.get("TMPDIR") or "/tmp"
    name, folder = "session folder", here.root / path.lstrip("/")
    if not folder.is_dir():
        return Result(
            name, FAIL, f"{path} is missing", "set TMPDIR to a folder of this host"
        )
    free, _ = here.free(folder)
    if free < 8 * MIB:
        return Result(name, FAIL, f"{path} is full", "free it, or set TMPDIR")
    if len(path) > 60:
        cure = "set TMPDIR to a shorter path: names of sockets have 108 bytes"
        return Result(name, WARN, f"the path of TMPDIR has {len(path)} bytes", cure)
    return Result(name, OK, f"{path}, {_enough(free)}")


def host_name(here: Here) -> Result:
    """Whether this host finds itself by its name, and soon."""
    found: list[str | OSError] = []

    def look() -> None:
        try:
            found.append(here.resolve(here.host))
        except OSError as error:
            found.append(error)

    looks = threading.Thread(target=look, daemon=True)
    looks.start()
    looks.join(RESOLVE_SECONDS)
    cure = f"add a line with this host's address and {here.host} to /etc/hosts"
    if not found:
        fact = f"{here.host} is not found within {RESOLVE_SECONDS} s"
        return Result("host name", FAIL, fact, f"{cure}, or repair /etc/resolv.conf")
    if isinstance(found[0], OSError):
        return Result("host name", WARN, f"{here.host} has no address", cure)
    return Result("host name", OK, f"{here.host} is {found[0]}")


def locked_memory(here: Here) -> Result:
    """Memory that may be locked, which InfiniBand and its kin want without limit."""
    soft, _ = here.limit(resource.RLIMIT_MEMLOCK)
    if soft == resource.RLIM_INFINITY:
        return Result("locked memory", OK, "no limit")
    fact = f"up to {soft // 1024} KiB"
    if here.names("sys/class/infiniband"):
        cure = "ulimit -l unlimited, or a line 'memlock unlimited' in limits.conf"
        return Result("locked memory", FAIL, f"{fact}, and there is InfiniBand", cure)
    return Result("locked memory", OK, fact)


def processes(here: Here) -> Result:
    """How many processes and threads this user may have, and files each of them."""
    most, _ = here.limit(resource.RLIMIT_NPROC)
    files, _ = here.limit(resource.RLIMIT_NOFILE)
    infinite = resource.RLIM_INFINITY
    words = [
        f"{'no limit' if number == infinite else f'up to {number}'} of {what}"
        for number, what in ((most, "processes"), (files, "open files"))
    ]
    fact = ", ".join(words)
    if most != infinite and most < 32 * here.cpus:
        return Result("limits", WARN, fact, "ulimit -u: threads of ranks count, too")
    if files != infinite and files < 256:
        return Result("limits", WARN, fact, "ulimit -n 1024")
    return Result("limits", OK, fact)
