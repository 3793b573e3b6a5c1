# SPDX-License-Identifier: MIT
"""Which MPI is in use, and which one an mpirun belongs to."""

import ctypes
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .brief import Output, run


class Mpi(NamedTuple):
    """An MPI: Open MPI or MPICH, and its version."""

    name: str
    version: str


def what_mpi(text: str) -> Mpi | None:
    """Which MPI says this of itself, in the first lines of `mpirun --version` or in
    MPI_Get_library_version; None for none that is known."""
    for name, pattern in (
        # Under another name than mpirun its own says OpenRTE, the part that it is of.
        ("Open MPI", r"(?:Open MPI\)?|\(OpenRTE\)) v?([\d.]+\w*)"),
        ("MPICH", r"HYDRA[\s\S]*?Version:\s*([\d.]+\w*)|MPICH Version:\s*([\d.]+\w*)"),
        ("Intel MPI", r"Intel\(R\) MPI Library\D*([\d.]+)"),
    ):
        if found := re.search(pattern, text):
            return Mpi(name, next(filter(None, found.groups())))
    return None


def ask_mpirun(mpirun: str, run: Callable[..., Output] = run) -> Output:
    """What an mpirun says of itself: words for what_mpi."""
    return run([mpirun, "--version"], seconds=60)


def library() -> tuple[Path, str]:
    """The file of the MPI library that pypar uses, and the first line of what it says it
    is: words for what_mpi. Loading it starts nothing."""
    spec = importlib.util.find_spec(f"{__package__}._core")
    assert spec and spec.origin  # it lies beside this file
    mpi = ctypes.CDLL(spec.origin).MPI_Get_library_version
    words, length = ctypes.create_string_buffer(8192), ctypes.c_int()
    mpi(words, ctypes.byref(length))
    where = (ctypes.c_void_p * 4)()  # a Dl_info, which begins with the file's name
    ctypes.CDLL(None).dladdr(mpi, where)
    assert where[0]
    file = ctypes.string_at(where[0]).decode()
    return Path(file), words.value.decode(errors="replace").partition("\n")[0]
