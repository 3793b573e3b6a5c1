# SPDX-License-Identifier: MIT
"""Communicators of mpi4py: both packages work on one MPI."""

from typing import TYPE_CHECKING

from ._core import Comm, _from_fortran, world

if TYPE_CHECKING:
    from mpi4py import MPI


def to_mpi4py(comm: Comm) -> "MPI.Intracomm":
    """Return a communicator of mpi4py with the ranks of comm. Collective."""
    from mpi4py import MPI

    return MPI.Intracomm(MPI.Comm.f2py(comm._to_fortran()))


def from_mpi4py(comm: "MPI.Comm") -> Comm:
    """Return a Comm with the ranks of comm, a communicator of mpi4py, whose messages
    never meet that one's. Collective over comm; waits for all its ranks.

    ValueError for MPI.COMM_NULL and for an intercommunicator. A rank that Ctrl-C
    interrupts makes it an Error on all others; ImportError without mpi4py."""
    from mpi4py import MPI

    if not isinstance(comm, MPI.Comm):
        raise TypeError(
            f"rank {world.rank}: comm is {comm!r} ({type(comm).__name__}): "
            "it must be an mpi4py.MPI.Comm"
        )
    return _from_fortran(comm.py2f())
