# SPDX-License-Identifier: MIT
"""Communicators made of others: split, duplicate, node, free, mpi4py's."""

import gc
import textwrap

import numpy as np
import pytest
from mpirun import PYTHON, mpirun
from ranks import pypar, ranks


def works(comm, ranks_of_world):
    """COMM carries messages and collectives among those ranks, in that order."""
    world = pypar.world
    assert comm.size == len(ranks_of_world)
    assert ranks_of_world[comm.rank] == world.rank
    right, left = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
    comm.send((world.rank, "x" * 5000), right)
    assert comm.receive(left)[0] == ranks_of_world[left]
    root = comm.size - 1
    assert comm.gather(world.rank, root) == (
        ranks_of_world if comm.rank == root else None
    )
    assert comm.broadcast(world.rank, root) == ranks_of_world[root]
    got = comm.reduce(np.full(3, world.rank), pypar.SUM, root)
    if comm.rank == root:
        assert got.tolist() == [sum(ranks_of_world)] * 3
    comm.barrier()


@ranks(1, 2, 3, 4)
def test_a_split_by_colour_keeps_the_order_of_ranks(world):
    comm = world.split(world.rank % 2)
    works(comm, list(range(world.rank % 2, world.size, 2)))


@ranks(1, 3, 4)
def test_a_split_is_ordered_by_key(world):
    works(world.split(0, -world.rank), list(reversed(range(world.size))))
    works(
        world.split(color=5, key=world.size - world.rank), list(range(world.size))[::-1]
    )
    works(world.split(0, 7), list(range(world.size)))  # equal keys: by rank
    works(world.split(0, key=None), list(range(world.size)))


@ranks(2, 3)
def test_ranks_without_a_colour_get_none(world):
    comm = world.split(None if world.rank == 0 else 3)
    if world.rank == 0:
        assert comm is None
    else:
        works(comm, list(range(1, world.size)))
    assert world.split(None) is None


@ranks(1, 3)
def test_a_duplicate_has_the_same_ranks_and_other_messages(world):
    comm = world.duplicate()
    works(comm, list(range(world.size)))
    right = (world.rank + 1) % world.size
    world.send("of the world", right)
    comm.send("of the duplicate", right)
    comm.send(np.zeros(200_000), world.rank, 2)
    world.send(np.ones(200_000), world.rank, 2)
    assert comm.receive(pypar.any_source, 1) == "of the duplicate"
    assert world.receive(pypar.any_source, 1) == "of the world"
    assert not comm.receive(-1, 2).any()
    assert world.receive(-1, 2).all()


@ranks(4)
def test_parts_are_split_again(world):
    half = world.split(world.rank // 2)
    pair = [0, 1] if world.rank < 2 else [2, 3]
    works(half, pair)
    works(half.split(0, -half.rank), pair[::-1])
    works(half.split(half.rank), [world.rank])
    works(half.duplicate(), pair)


@ranks(1, 3)
def test_the_ranks_of_a_node(world):
    names = world.allgather(pypar.get_processor_name())
    ours = [rank for rank, name in enumerate(names) if name == names[world.rank]]
    works(world.node, ours)
    assert world.node is world.node
    works(world.node.node, ours)


@ranks(3)
def test_a_status_and_an_error_speak_of_the_communicators_own_ranks(world):
    comm = world.split(0 if world.rank else None)
    if world.rank == 0:
        return
    other = 1 - comm.rank
    comm.send("x", other, 9)
    _, status = comm.receive(-1, -1, None, True)
    assert (status.source, status.tag) == (other, 9)
    for call in (lambda: comm.send("x", 2), lambda: comm.receive(2)):
        with pytest.raises(ValueError, match=r"\b2\b.*\b0 to 1\b"):
            call()


@ranks(2)
def test_what_is_no_colour_and_no_key(world):
    for color in (-1, -2, 2**31, -(2**70)):
        with pytest.raises(ValueError, match="color"):
            world.split(color)
    with pytest.raises(ValueError, match="key .*from -2147483648 to 2147483647"):
        world.split(0, 2**40)
    for arguments in (("0",), (1.0,), (0, "1"), (0, 1.5)):
        with pytest.raises(TypeError):
            world.split(*arguments)
    with pytest.raises(TypeError):
        world.split()
    works(world.split(0), [0, 1])


@ranks(2)
def test_many_are_made_and_freed(world):
    for i in range(200):
        comm = world.split(0) if i % 2 else world.duplicate()
        assert comm.broadcast(i if comm.rank == 0 else None) == i
        if i % 3 == 0:
            comm.free()
        del comm
    gc.collect()


@ranks(2)
def test_a_freed_one_refuses_everything(world):
    comm = world.duplicate()
    comm.free()
    for call in (
        lambda: comm.send(1, 0),
        lambda: comm.receive(0),
        lambda: comm.isend(1, 0),
        lambda: comm.ireceive(0),
        lambda: comm.probe(0),
        lambda: comm.iprobe(0),
        lambda: comm.barrier(),
        lambda: comm.broadcast(1),
        lambda: comm.scatter([1, 2]),
        lambda: comm.gather(1),
        lambda: comm.reduce(1, pypar.SUM),
        lambda: comm.reduce(np.zeros(2), pypar.SUM),
        lambda: comm.split(0),
        lambda: comm.duplicate(),
        lambda: comm.node,
        lambda: comm.rank,
        lambda: comm.size,
    ):
        with pytest.raises((pypar.Error, ValueError)):
            call()
    repr(comm)
    comm.free()  # again is harmless
    works(world.duplicate(), [0, 1])


@ranks(2)
def test_the_world_cannot_be_freed(world):
    with pytest.raises((pypar.Error, ValueError)):
        world.free()
    world.barrier()


@ranks(2)
def test_a_node_cannot_be_freed(world):
    comm = world.duplicate()
    for parent in (world, comm):
        with pytest.raises(ValueError, match="node"):
            parent.node.free()
        parent.node.barrier()
    comm.free()


@ranks(2)
def test_a_request_outlives_the_last_name_of_its_communicator(world):
    comm = world.duplicate()
    other = 1 - comm.rank
    receiving = comm.ireceive(other, 1)
    never = comm.ireceive(other, 2)
    sending = comm.isend(np.arange(100_000), other, 1)
    del comm
    gc.collect()
    assert receiving.wait(30).size == 100_000
    sending.wait(30)
    assert never.cancel()
    assert world.split(0).ireceive(other, 5).cancel()


@ranks(2)
def test_a_communicator_with_requests_under_way_is_not_freed(world):
    comm = world.duplicate()
    other = 1 - comm.rank
    receiving = comm.ireceive(other, 1)
    with pytest.raises(ValueError, match=r"1 request"):
        comm.free()
    comm.send("text", other)
    assert receiving.wait(30) == "text"
    comm.free()
    works(world.duplicate(), [0, 1])


@ranks(2)
def test_what_was_sent_and_never_received_meets_no_later_communicator(world):
    other = 1 - world.rank
    for i in range(20):
        comm = world.duplicate()
        assert comm.iprobe(pypar.any_source, pypar.any_tag) is None
        world.barrier()
        comm.send(("old", i), other)
        comm.free()
    comm = world.duplicate()
    comm.send("new", other)
    assert comm.receive(pypar.any_source, pypar.any_tag) == "new"


def test_a_script_may_leave_its_communicators_to_the_end(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from pypar import world\n"
        "kept = [world.split(world.rank % 2), world.duplicate(), world.node]\n"
        "kept[0].duplicate()\n"
        "kept[1].barrier()\n"
    )
    done = mpirun(3, PYTHON, script)
    assert (done.returncode, done.stderr) == (0, ""), done


# -- mpi4py ------------------------------------------------------------------------

BOTH = """
    {imports}
    world, other = pypar.world, MPI.COMM_WORLD
    assert (world.rank, world.size) == (other.Get_rank(), other.Get_size())
    right, left = (world.rank + 1) % world.size, (world.rank - 1) % world.size

    theirs = world.to_mpi4py()
    assert isinstance(theirs, MPI.Intracomm)
    assert (theirs.Get_rank(), theirs.Get_size()) == (world.rank, world.size)
    world.send("of pypar", right)
    assert theirs.sendrecv("of mpi4py", right, source=left) == "of mpi4py"
    assert world.receive(left) == "of pypar"
    assert theirs.allreduce(1) == world.size

    part = other.Split(world.rank % 2, -world.rank)
    ours = pypar.from_mpi4py(part)
    assert (ours.rank, ours.size) == (part.Get_rank(), part.Get_size())
    assert ours.gather(world.rank) == (part.gather(world.rank) or None)
    assert pypar.Comm.from_mpi4py(comm=part).allgather(1) == [1] * part.size
    part.Free()
    ours.barrier()
    print("fine")
"""


@pytest.mark.parametrize(
    "imports",
    ["import pypar; from mpi4py import MPI", "from mpi4py import MPI; import pypar"],
)
def test_communicators_go_to_mpi4py_and_come_from_there(tmp_path, imports):
    pytest.importorskip("mpi4py")
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(BOTH.format(imports=imports)))
    done = mpirun(3, PYTHON, script)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.count("fine") == 3


@ranks(1)
def test_what_is_no_communicator_of_mpi4py(world):
    MPI = pytest.importorskip("mpi4py.MPI")
    for make in (pypar.from_mpi4py, pypar.Comm.from_mpi4py):
        for wrong in (None, 5, world, MPI.COMM_WORLD.py2f()):
            with pytest.raises(TypeError, match=r"0: comm is .*an mpi4py\.MPI\.Comm"):
                make(wrong)
        with pytest.raises(ValueError, match="MPI_COMM_NULL"):
            make(MPI.COMM_NULL)


@ranks(2, 4)
def test_an_intercommunicator_is_refused(world):
    MPI = pytest.importorskip("mpi4py.MPI")
    half = MPI.COMM_WORLD.Split(world.rank % 2)
    both = half.Create_intercomm(0, MPI.COMM_WORLD, 1 - world.rank % 2)
    with pytest.raises(ValueError, match="intercommunicator"):
        pypar.from_mpi4py(both)
    merged = both.Merge()
    assert pypar.from_mpi4py(merged).size == world.size
    for comm in (merged, both, half):
        comm.Free()
