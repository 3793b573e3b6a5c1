# SPDX-License-Identifier: MIT
"""What scripts saw of the old pypar and no other file of tests looks at: how each
function is called, and what importing and finalizing leave as they were."""

import inspect

import numpy as np
import pytest
from forms import form
from mpirun import PYTHON, alone, mpirun
from ranks import pypar, ranks

SIGNATURES = {
    "send": "x, destination, use_buffer=False, vanilla=False, tag=1, bypass=False",
    "bsend": "x, destination, use_buffer=False, vanilla=False, tag=1, bypass=False",
    "receive": "source, buffer=None, vanilla=False, tag=1, return_status=False, "
    "bypass=False",
    "broadcast": "buffer, root=0, vanilla=False, bypass=False",
    "scatter": "x, root=0, buffer=None, vanilla=False",
    "gather": "x, root=0, buffer=None, vanilla=False",
    "reduce": "x, op, root=0, buffer=None, vanilla=False, bypass=False",
    "inplace_reduce": "x, op, root=0",
    "balance": "N, P, p",
    "push_for_alloc": "x, vanilla=False, use_buffer=False, bypass=False",
    "alloc": "nbytes=-1",
    "alloc_and_attach": "",
    "detach_and_dealloc": "",
    "attach": "",
    "detach": "",
    "dealloc": "",
    "raw_send": "x, destination, tag=1, vanilla=0",
    "raw_receive": "x, source, tag=1, vanilla=0, return_status=0",
    "raw_scatter": "x, buffer, source, vanilla=0",
    "raw_gather": "x, buffer, source, vanilla=0",
    "raw_reduce": "x, buffer, op, source, vanilla=0",
    "bcast": "buffer, root=0, vanilla=False, bypass=False",
}


# -- how functions are called ----------------------------------------------------------


@ranks(1)
@pytest.mark.parametrize("name", SIGNATURES)
def test_arguments_have_the_old_names_order_and_defaults(world, name):
    signature = inspect.signature(getattr(pypar, name))
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    assert str(inspect.Signature(bare)) == f"({SIGNATURES[name]})"


@ranks(2)
def test_arguments_can_be_named(world):
    other = 1 - world.rank
    x, part = np.arange(4) + world.rank, np.zeros(2, int)
    pypar.send(x=x, destination=other, use_buffer=True, vanilla=False, tag=3, bypass=True)
    got, status = pypar.receive(
        source=other, buffer=np.zeros(4, int), vanilla=False, tag=3,
        return_status=True, bypass=False,
    )  # fmt: skip
    assert got.tolist() == [other, other + 1, other + 2, other + 3]
    assert status.source == other
    assert pypar.scatter(x=x, root=1, buffer=part, vanilla=False) is part
    assert part.tolist() == [[1, 2], [3, 4]][world.rank]
    whole = pypar.gather(x=part, root=0, buffer=np.zeros(4, int), vanilla=0)
    assert whole.tolist() == ([1, 2, 3, 4] if world.rank == 0 else [0] * 4)
    total = pypar.reduce(
        x=part, op=pypar.SUM, root=1, buffer=np.zeros(2, int), vanilla=0, bypass=False
    )
    assert total.tolist() == ([4, 6] if world.rank == 1 else [0, 0])
    pypar.broadcast(buffer=part, root=1, vanilla=False, bypass=False)
    assert part.tolist() == [3, 4]
    assert pypar.balance(N=29, P=4, p=1) == (8, 15)


@ranks(1)
def test_all_functions_of_no_argument_ignore_what_they_are_given(world):
    assert pypar.get_processor_name(1, "x") == pypar.get_processor_name()
    assert pypar.time(1) <= pypar.time("x")
    assert pypar.initialized(1) is True


@pytest.mark.parametrize("name", ["finalize", "Finalize"])
def test_finalize_is_a_handler_of_signals_as_it_is(name, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal, pypar\n"
        f"signal.signal(signal.SIGTERM, pypar.{name})\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "print(pypar.initialized())\n"
    )
    done = alone(PYTHON, "-W", "ignore", script)
    assert done.returncode == 0 and done.stdout == "False\n", done


@ranks(1)
def test_a_list_of_arguments_is_taken_by_init(world):
    assert pypar.init(["script.py", "-x"]) is None and world.size == 1


@ranks(1)
def test_what_no_script_saw_is_not_there(world):
    for name in "zeros reshape string types sys os dirname".split():
        assert not hasattr(pypar, name), name


# -- what is passed --------------------------------------------------------------------


@ranks(2)
def test_a_number_of_numpy_arrives_as_one(world):
    """So does what a script takes out of an array and sends."""
    values = np.array([1.5, 2.5]), np.arange(3), np.array([1j], "F"), np.array([True])
    for value in (array[0] for array in values):
        pypar.send(value, 1 - world.rank)
        got = pypar.receive(1 - world.rank)
        assert type(got) is type(value) and got == value


@ranks(2)
def test_a_text_for_a_longer_buffer_can_be_stripped_as_scripts_do(world):
    pypar.send("hello", 1 - world.rank, use_buffer=True)
    assert pypar.receive(1 - world.rank, buffer=" " * 20).strip() == "hello"


@ranks(2)
@pytest.mark.parametrize(
    "value",
    [{"a": [1]}, 2.5, None, "text", np.arange(3), np.zeros(60)],
    ids=repr,
)
def test_with_vanilla_what_does_not_fit_in_an_array_is_the_result(world, value):
    """Without, it is refused, and there to be received again."""
    other = 1 - world.rank
    buffer = np.full(50, -1.0)
    for _ in range(3):
        pypar.send(value, other, vanilla=True)
    with pytest.raises(pypar.Error, match="the buffer is for up to 50 float64"):
        pypar.receive(other, buffer)
    for keywords in {}, {"return_status": True}:
        got = pypar.receive(other, buffer, vanilla=True, **keywords)
        if keywords:
            got, status = got
            assert status.source == other
        assert form(got) == form(value)
    with pytest.warns(DeprecationWarning):
        got = pypar.raw_receive(buffer, other, vanilla=1)
    assert form(got) == form(value)
    assert (buffer == -1).all()


@ranks(2)
def test_slices_and_turned_arrays_are_sent_as_they_look(world):
    whole = np.arange(24.0).reshape(4, 6)
    for part in (whole[:2], whole[:, ::2], whole[::-1], whole.T, whole[1:1]):
        for send in (pypar.send, pypar.bsend):
            send(part, 1 - world.rank, use_buffer=True)
            buffer = np.zeros(part.shape)
            assert pypar.receive(1 - world.rank, buffer) is buffer
            assert buffer.tolist() == part.tolist()


@ranks(1, 3)
def test_texts_of_no_length_are_scattered_and_gathered(world):
    assert pypar.scatter("", 0) == ""
    assert pypar.gather("", 0) == ""
    assert pypar.broadcast("" if world.rank == 0 else "x", 0) == ""


@ranks(1, 3)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (2, 1, 3)], ids=str)
def test_broadcast_and_reduce_fill_arrays_of_any_shape(world, shape):
    for dtype in "ilfdFD":
        array = np.full(shape, 3, dtype) if world.rank == 0 else np.zeros(shape, dtype)
        assert pypar.broadcast(array) is array
        assert form(array) == form(np.full(shape, 3, dtype))
        buffer = np.zeros(shape, dtype)
        assert pypar.reduce(array, pypar.SUM, 0, buffer) is buffer
        total = 3 * world.size if world.rank == 0 else 0
        assert form(buffer) == form(np.full(shape, total, dtype))


@ranks(2)
@pytest.mark.parametrize("sent, held", ["lq", "ql", "LQ", "QL"])
def test_two_names_of_one_type_are_one_type(world, sent, held):
    """C's long and long long, of 8 bytes each here, are two dtypes to NumPy."""
    pypar.send(np.arange(3, dtype=sent), 1 - world.rank, use_buffer=True)
    buffer = np.zeros(3, held)
    assert pypar.receive(1 - world.rank, buffer).tolist() == [0, 1, 2]
    buffer = np.zeros(3, held)
    pypar.reduce(np.arange(3, dtype=sent), pypar.MAX, 0, buffer)
    assert buffer.tolist() == ([0, 1, 2] if world.rank == 0 else [0, 0, 0])


@ranks(1, 2, 3)
@pytest.mark.parametrize(
    "x", [5, None, {1: 2}, {0: 1, 1: 2}, {1, 2}, np.array(3)], ids=repr
)
def test_what_cannot_be_cut_is_refused_on_root_and_all_learn_it(world, x):
    refused = TypeError if world.rank == 0 else pypar.Error
    with pytest.raises(refused) as caught:
        pypar.scatter(x)
    who = "rank 0: " if world.rank == 0 else "rank 0: TypeError: "
    assert f"{who}x is {x!r}: scatter cuts an array" in str(caught.value)
    assert pypar.scatter("ab" * world.size) == "ab"


# -- importing and finalizing ----------------------------------------------------------


def test_mpiext_is_there_without_an_import_of_its_own(script):
    done = alone(PYTHON, script("import pypar\nprint(pypar.mpiext.MPI_ANY_TAG)"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "-1\n", ""), done


@pytest.mark.parametrize("n", [1, 3])
def test_the_arguments_and_the_folder_of_a_script_stay_its_own(script, tmp_path, n):
    path = script(
        """
        import os, sys
        before, hook = (os.getcwd(), list(sys.argv), sys.stdout), sys.excepthook
        import pypar
        assert (os.getcwd(), sys.argv, sys.stdout) == before
        assert sys.excepthook is hook or pypar.size() > 1
        assert sys.argv[1:] == ["-x", "--np", "5", "a b"], sys.argv
        assert os.getcwd() == os.path.dirname(os.path.abspath(__file__)), os.getcwd()
        """
    )
    done = mpirun(n, "-wdir", tmp_path, PYTHON, path, "-x", "--np", "5", "a b")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done


@pytest.mark.parametrize("n", [1, 3])
def test_after_finalize_a_script_goes_on_with_what_it_has_kept(script, n):
    path = script(
        """
        import sys
        import pypar
        rank, size = pypar.rank(), pypar.size()
        total = pypar.reduce(rank, pypar.SUM)
        pypar.finalize()
        assert not pypar.initialized()
        if rank == 0:
            print(f"{size} ranks: {total}, {pypar.balance(10, size, 0)}")
        sys.exit()
        """
    )
    done = mpirun(n, PYTHON, path)
    told = {1: "1 ranks: 0, (0, 10)\n", 3: "3 ranks: 3, (0, 4)\n"}[n]
    assert (done.returncode, done.stdout, done.stderr) == (0, told, ""), done
