# SPDX-License-Identifier: MIT
"""Whether a rank may copy straight from another one's memory: process_vm_readv."""

import os
import subprocess
import sys

from .here import OK, WARN, Here, Result

NAME = "single copy"
SECONDS = 10

# One process says where it keeps a word, and another one, of the same parent as ranks of
# a host are, reads it there.
OWNER = """
import ctypes, os, sys
word = ctypes.create_string_buffer(b"found")
print(os.getpid(), ctypes.addressof(word), flush=True)
sys.stdin.read()
"""
READER = """
import ctypes, os, sys
pid, address = map(int, sys.argv[1:])
class Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
here = ctypes.create_string_buffer(5)
to = Part(ctypes.addressof(here), 5)
of = Part(address, 5)
read = ctypes.CDLL(None, use_errno=True).process_vm_readv
read.restype = ctypes.c_ssize_t
read.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_ulong] + [
    ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
done = read(pid, ctypes.byref(to), 1, ctypes.byref(of), 1, 0)
print(0 if done == 5 and here.raw == b"found" else ctypes.get_errno() or -1)
"""


def read_from_sibling() -> int:
    """Try it: 0, or the number of the error that the kernel gives."""
    python = [sys.executable, "-I", "-c"]
    with subprocess.Popen(
        [*python, OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdin and owner.stdout
        where = owner.stdout.readline().split()
        done = subprocess.run(
            [*python, READER, *where], capture_output=True, text=True, timeout=SECONDS
        )
        owner.stdin.close()
    return int(done.stdout) if done.stdout.strip() else -1


def single_copy(here: Here, error: int) -> Result:
    """What ERROR, of read_from_sibling, means here."""
    scope = here.text("proc/sys/kernel/yama/ptrace_scope")
    yama = f"kernel.yama.ptrace_scope is {scope}" if scope not in ("", "0") else ""
    if error == 0:
        return Result(NAME, OK, "process_vm_readv works between processes")
    reason = os.strerror(error) if error > 0 else "it failed"
    fact = f"process_vm_readv: {reason}{f'; {yama}' if yama else ''}"
    cures = ["large messages within a host are copied twice"]
    if yama:
        cures.append("sysctl kernel.yama.ptrace_scope=0 cures it")
    else:
        cures.append("a container needs --cap-add=SYS_PTRACE")
    cures.append(
        "OMPI_MCA_btl_vader_single_copy_mechanism=none (sm in Open MPI 5) keeps it quiet"
    )
    return Result(NAME, WARN, fact, "; ".join(cures))
