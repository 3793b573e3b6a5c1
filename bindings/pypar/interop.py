"""Communicators of mpi4py: both packages work on one MPI."""

from ._core import _from_fortran


def to_mpi4py(comm):
    """A communicator of mpi4py with the ranks of comm. Collective."""
    from mpi4py import MPI

    return MPI.Intracomm(MPI.Comm.f2py(comm._to_fortran()))


def from_mpi4py(comm):
    """A Comm with the ranks of comm, a communicator of mpi4py. Collective."""
    return _from_fortran(comm.py2f())
