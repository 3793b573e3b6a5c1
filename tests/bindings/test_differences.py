# SPDX-License-Identifier: MIT
"""What docs/pypar-differences.md says is not as in the old pypar, in its order: a row
that no other file of tests covers has its test here."""

import array
import re

import numpy as np
import pytest
from forms import form
from mpirun import PYTHON, SOURCE, alone
from ranks import pypar, ranks

PAGE = (SOURCE / "docs" / "pypar-differences.md").read_text()


def exchanged(world, value, **keywords):
    """VALUE as the other rank's receive, with those KEYWORDS, gives it."""
    pypar.send(value, 1 - world.rank)
    return pypar.receive(1 - world.rank, **keywords)


def rows():
    """The cells of the tables' rows, without their heads."""
    for line in PAGE.splitlines():
        if line.startswith("| ") and line not in (
            "| the old pypar | now |",
            "| --- | --- |",
        ):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_each_row_of_the_page_tells_both_sides():
    assert len(list(rows())) > 40
    for row in rows():
        assert len(row) == 2 and all(row), row


@ranks(1)
def test_the_names_that_are_gone_are_gone_and_the_others_there(world):
    gone = """control_tag control_sep control_data_max_size create_control_info
              send_control_info receive_control_info send_array receive_string
              __date__ __author__""".split()
    for name in gone:
        assert f"`{name}`" in PAGE and not hasattr(pypar, name), name
    warns = re.search(r"## Names on their way out\n(.*?)\n## ", PAGE, re.DOTALL)[1]
    for name in re.findall(r"`(\w+)`", PAGE.partition("## pypar.ext")[0]):
        known = name in gone or name in warns or hasattr(pypar, name)
        assert known or name in KEYWORDS, name


# What else the page has in such quotes, by itself.
KEYWORDS = """use_buffer bypass vanilla int str bytes sys os types length size memoryview
              __all__""".split()


@ranks(1)
def test_a_star_import_brings_no_more_than_it_should(world):
    names = {}
    exec("from pypar import *", names)
    assert sorted(names.keys() - {"__builtins__"}) == sorted(pypar.__all__)


@ranks(1)
def test_a_star_import_takes_no_name_of_numpys_away_but_what_was_always_pypars(world):
    assert set(pypar.__all__) & set(np.__all__) == {"broadcast", "size"}


def test_an_mpi_that_cannot_start_is_an_import_error(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "try:\n    import pypar\nexcept ImportError as error:\n    print(error)\n"
    )
    done = alone(PYTHON, script, env={"PAR_INLINE": "nonsense"})
    assert done.returncode == 0, done
    assert done.stdout.startswith("pypar cannot start: ") and "nonsense" in done.stdout


@ranks(1)
def test_init_does_nothing(world):
    assert pypar.init(["script.py"]) is None and pypar.init() is None
    assert pypar.initialized() is True


@ranks(2)
@pytest.mark.parametrize("kind", [int, bool, np.int8, np.uint64, np.array], ids=str)
def test_any_integer_is_a_rank_and_a_tag(world, kind):
    if world.rank == 0:
        pypar.send("hello", kind(1), tag=kind(1))
    else:
        assert pypar.receive(kind(0), tag=kind(1)) == "hello"
    assert pypar.broadcast(world.rank, kind(1)) == 1


@ranks(2)
def test_what_is_no_integer_or_out_of_range_is_told_with_the_rank(world):
    for wrong in "0", 0.0, None, [0]:
        for call in (
            lambda wrong=wrong: pypar.send(1, wrong),
            lambda wrong=wrong: pypar.send(1, 0, tag=wrong),
            lambda wrong=wrong: pypar.receive(wrong),
            lambda wrong=wrong: pypar.broadcast(1, wrong),
        ):
            with pytest.raises(TypeError, match=f"rank {world.rank}: .*an integer"):
                call()
    for rank in 2, -2, 10**30:
        with pytest.raises(ValueError, match=f"rank {world.rank}: .*{rank}"):
            pypar.send(1, rank)


@ranks(2)
def test_every_tag_up_to_max_tag_is_the_scripts(world):
    for tag in 0, 13849, pypar.max_tag:
        pypar.send(tag, 1 - world.rank, tag=tag)
        assert pypar.receive(1 - world.rank, tag=tag) == tag
    with pytest.raises(ValueError, match=f"0 to {pypar.max_tag}"):
        pypar.send(1, 0, tag=pypar.max_tag + 1)


@ranks(2)
def test_a_send_without_use_buffer_into_a_buffer_leaves_nothing_behind(world):
    buffer = np.zeros(3)
    assert exchanged(world, np.arange(3.0), buffer=buffer) is buffer
    assert form(exchanged(world, np.arange(4))) == form(np.arange(4))


@ranks(2)
def test_two_tags_on_the_way_do_not_mix(world):
    if world.rank == 0:
        pypar.send("text", 1, tag=1)
        pypar.send(np.arange(5), 1, tag=2)
    else:
        assert form(pypar.receive(pypar.any_source, tag=2)) == form(np.arange(5))
        assert pypar.receive(pypar.any_source, tag=1) == "text"


@ranks(2)
@pytest.mark.parametrize(
    "dtype", ["?", "b", "H", "e", "g", "G", "S3", "U2", ">i4", "M8[s]", "i4, f8", "O"]
)
def test_arrays_of_every_dtype_arrive(world, dtype, capfd):
    value = np.zeros((2, 3), dtype)
    assert form(exchanged(world, value)) == form(value)
    assert capfd.readouterr().out == ""


@ranks(2)
def test_arrays_of_any_order_and_dimensions_arrive(world):
    for value in (
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array(2.5),
        np.zeros((1,) * 20),
        np.zeros((3, 0, 2)),
    ):
        assert form(exchanged(world, value)) == form(value)


@ranks(2)
def test_a_buffer_that_is_not_contiguous_is_filled_and_what_lies_between_is_not(world):
    whole = np.full((4, 4), -1)
    exchanged(world, np.arange(4).reshape(2, 2), buffer=whole[::2, ::2])
    assert whole.tolist() == [[0, -1, 1, -1], [-1] * 4, [2, -1, 3, -1], [-1] * 4]
    buffer = np.zeros(6, int)
    pypar.broadcast(np.arange(3) if world.rank else buffer[::2], 1)
    assert world.rank or buffer.tolist() == [0, 0, 1, 0, 2, 0]
    pypar.gather(np.arange(2), 0, np.zeros(8, int)[::2])
    got = pypar.reduce(np.arange(4)[::2], pypar.SUM, 0, np.zeros(4, int)[::2])
    assert world.rank or got.tolist() == [0, 4]


@ranks(2)
def test_a_message_that_does_not_fit_stays_and_a_larger_buffer_is_fine(world):
    for buffer, error, builtin in (
        (np.zeros(4), pypar.SizeMismatch, ValueError),
        (np.zeros(5, int), pypar.TypeMismatch, TypeError),
    ):
        with pytest.raises(error) as caught:
            exchanged(world, np.arange(5.0), buffer=buffer)
        assert isinstance(caught.value, pypar.Error)
        assert isinstance(caught.value, builtin)
        assert not buffer.any()
        buffer = np.full(7, -1.0)
        got, status = pypar.receive(1 - world.rank, buffer, return_status=True)
        assert got is buffer and buffer.tolist() == [0, 1, 2, 3, 4, -1, -1]
        assert status.length == 5


@ranks(2)
def test_a_str_is_not_written_over_and_the_result_is_what_counts(world):
    text = "".join(["  ", "   "])
    assert exchanged(world, "hello", buffer=text) == "hello"
    assert pypar.broadcast("hello" if world.rank else text, 1) == "hello"
    assert pypar.scatter("abcdef", 0, text) == "abcdef"[3 * world.rank :][:3]
    assert text == "     "
    writable = bytearray(5)
    assert exchanged(world, b"hello", buffer=writable) is writable == b"hello"


@ranks(2)
def test_lists_and_array_arrays_arrive_as_what_they_are(world):
    pypar.send([1, 2, 3], 1 - world.rank, bypass=True)
    assert pypar.receive(1 - world.rank, bypass=True) == [1, 2, 3]
    got = exchanged(world, array.array("i", [1, 2]))
    assert type(got) is array.array and got == array.array("i", [1, 2])
    got = exchanged(world, memoryview(b"abc"))
    assert form(got) == form(np.frombuffer(b"abc", np.uint8))


@ranks(2)
def test_a_status_counts_elements(world):
    _, status = exchanged(world, np.zeros(3, complex), return_status=True)
    assert (status.length, status.size, status.bytes()) == (3, 16, 48)
    _, status = exchanged(world, "äö", return_status=True)
    assert (status.length, status.size) == (4, 1)
    _, status = exchanged(world, "abc", return_status=True)
    shown = f"pypar.Status(source={1 - world.rank}, tag=1, error=0, length=3, size=1)"
    assert repr(status) == str(status) == shown
    assert shown.replace("source=0", "source=1") in PAGE


MASKED = np.ma.array([1, 2], mask=[False, True])


@ranks(2)
def test_masks_are_joined_with_what_they_mask(world):
    for got in (
        world.allreduce(MASKED, pypar.SUM),
        world.allreduce(MASKED, pypar.SUM, buffer=MASKED.copy()),
        world.allreduce(MASKED, pypar.MAX) * 2,
    ):
        assert got.tolist() == [2, None]
    got = pypar.gather(MASKED if world.rank else np.arange(2))
    assert world.rank or got.tolist() == [0, 1, 1, None]
    mine = MASKED.copy()
    pypar.inplace_reduce(mine, pypar.SUM)
    assert mine.tolist() == [1 if world.rank else 2, None]
    with pytest.raises(pypar.TypeMismatch, match="is a masked array of int64; the buf"):
        world.allreduce(MASKED, pypar.SUM, buffer=np.zeros(2, int))


@ranks(2)
def test_arrays_of_other_kinds_are_joined_element_by_element(world, tmp_path):
    got = world.allreduce(np.matrix([[1, 2], [3, 4]]), pypar.PROD)
    assert type(got) is np.matrix and got.tolist() == [[1, 4], [9, 16]]
    buffer = np.zeros(4, int)
    assert world.allreduce(got, pypar.SUM, buffer=buffer) is buffer
    assert buffer.tolist() == [2, 8, 18, 32]
    mapped = np.memmap(tmp_path / str(world.rank), "f8", "w+", shape=3)
    got = world.allreduce(mapped if world.rank else np.ones(3), pypar.SUM)
    assert got.tolist() == [1, 1, 1]


@ranks(1, 2)
def test_a_result_has_the_byte_order_of_what_is_joined(world):
    for x in np.ones(2, ">i4"), np.ones((), ">f8"):
        buffer = np.zeros_like(x)
        assert world.allreduce(x, pypar.SUM).dtype == x.dtype
        assert world.allreduce(x, pypar.SUM, buffer=buffer) is buffer
        assert (buffer == world.size).all()
        mine = x.copy()
        pypar.inplace_reduce(mine, pypar.SUM)
        assert (mine == (1 if world.rank else world.size)).all()
    objects = world.allreduce(np.array("a", object), pypar.SUM)
    assert form(objects) == form(np.array("a" * world.size, object))


# -- collectives ----------------------------------------------------------------------


@ranks(3)
def test_broadcast_of_an_object_takes_the_place_of_anything_but_an_array(world):
    value = {"long": "x" * 10_000}
    for buffer in None, "", 5, {}:
        assert pypar.broadcast(value if world.rank == 1 else buffer, 1) == value


SENT_AS_OBJECTS = {
    "matrix": lambda rank: np.matrix([[rank, 2.0]]),
    "recarray": lambda rank: np.rec.array(
        [(rank, 2.0)], dtype=[("a", "i4"), ("b", "f8")]
    ),
    "masked": lambda rank: np.ma.array([rank, 2], mask=[False, True]),
    "objects": lambda rank: np.array(["abc" * rank, None], dtype=object),
}


@ranks(2)
@pytest.mark.parametrize("kind", SENT_AS_OBJECTS)
def test_arrays_that_are_sent_as_objects_are_returned(world, kind):
    """Where other arrays are filled: it was the same kind on each rank."""
    make = SENT_AS_OBJECTS[kind]
    there = 1 - world.rank
    for got in (
        pypar.broadcast(make(world.rank), 1),
        exchanged(world, make(1), buffer=make(0)),
    ):
        assert type(got) is type(make(1)) and got.tolist() == make(1).tolist()
    request = world.ireceive(there, buffer=make(0))
    world.send(make(1), there)
    assert request.wait().tolist() == make(1).tolist()
    with pytest.raises(pypar.TypeMismatch, match="holds an object"):
        exchanged(world, make(1), buffer=np.zeros(2))
    pypar.receive(there)


@ranks(2)
def test_the_errors_of_buffers_name_the_rank_and_no_number_of_the_librarys(world):
    fixed = np.zeros(3)
    fixed.flags.writeable = False
    for wrong, text in (
        (np.zeros(3, int), "the message from rank 1 holds 3 float64"),
        (fixed, "the buffer is read-only"),
    ):
        if world.rank:
            pypar.broadcast(np.zeros(3), 1)
            continue
        with pytest.raises((pypar.TypeMismatch, ValueError), match=f"rank 0: {text}"):
            pypar.broadcast(wrong, 1)
    with pytest.raises(ValueError, match=f"rank {world.rank}: the buffer is read-only"):
        exchanged(world, np.zeros(3), buffer=fixed)
    pypar.receive(1 - world.rank)


@ranks(2)
def test_what_does_not_fit_is_returned_by_a_vanilla_broadcast(world):
    for other in np.zeros(3, int), np.zeros(4):
        got = pypar.broadcast(np.arange(3.0) if world.rank else other, 1, vanilla=True)
        assert form(got) == form(np.arange(3.0)) and not other.any()
    fits = np.zeros(3)
    got = pypar.broadcast(np.arange(3.0) if world.rank else fits, 1, vanilla=True)
    assert world.rank or (got is fits and fits.tolist() == [0, 1, 2])


@ranks(2)
def test_bypass_changes_no_result(world):
    buffer = np.full(2, world.rank)
    assert pypar.broadcast(buffer, 1, bypass=True) is buffer
    got = pypar.reduce(np.ones(2), pypar.SUM, bypass=True)
    assert got is None if world.rank else got.tolist() == [2, 2]


@ranks(3)
def test_gather_takes_arrays_of_differing_length_and_no_dimension(world):
    got = pypar.gather(np.full((world.rank, 2), world.rank))
    if world.rank == 0:
        assert got.tolist() == [[1, 1], [2, 2], [2, 2]]
    else:
        assert form(got) == form(np.zeros((3 * world.rank, 2), int))
    got = pypar.gather(np.array(world.rank))
    assert got.tolist() == ([0, 1, 2] if world.rank == 0 else [0, 0, 0])


@ranks(2)
def test_gather_takes_no_arrays_or_texts_of_differing_kinds(world):
    """NumPy converted them, and lost digits."""
    for mine, error, here, there in (
        (
            [np.ones(2, "i8"), np.ones(2)],
            "TypeMismatch",
            "of int64 and",
            "of float64 and",
        ),
        ([np.ones(2), np.ones(2, "M8[s]")], "TypeMismatch", "float64", "datetime64"),
        ([np.arange(2), "ab"], "TypeMismatch", "of int64", "what is of type str"),
        (["ab", np.arange(2)], "TypeMismatch", "what is of type str", "of int64"),
        (["ab", b"ab"], "TypeMismatch", "of type str", "of type bytes"),
        ([np.ones((2, 2)), np.ones((2, 3))], "SizeMismatch", "(2, 2)", "(2, 3)"),
        ([np.ones((2, 2)), np.ones(4)], "SizeMismatch", "(2, 2)", "(4,)"),
    ):
        if world.rank:
            pypar.gather(mine[1])
            continue
        with pytest.raises(getattr(pypar, error)) as caught:
            pypar.gather(mine[0])
        given = str(caught.value).removeprefix("rank 0: rank 0 gives ")
        assert here in given.split(", but rank 1 ")[0], given
        assert there in given.split(", but rank 1 ")[1], given
    got = pypar.gather(np.array(["a" * (world.rank + 1)]))
    assert world.rank or got.tolist() == ["a", "aa"]


@ranks(3)
def test_gather_and_reduce_of_objects(world):
    got = pypar.gather({world.rank})
    assert got == ([{0}, {1}, {2}] if world.rank == 0 else None)
    got = pypar.gather(b"abc"[: world.rank])
    assert got == (b"aab" if world.rank == 0 else None)
    got = pypar.reduce([world.rank], pypar.SUM)
    assert got == ([0, 1, 2] if world.rank == 0 else None)


@ranks(2)
def test_operations_on_complex_and_float_arrays_are_right_or_refused(world):
    for op, value in (pypar.SUM, 2 + 4j), (pypar.PROD, -3 + 4j):
        got = pypar.reduce(np.full(3, 1 + 2j), op)
        assert got is None if world.rank else (got == value).all()
    logical = "LAND LOR LXOR BAND BOR BXOR".split()
    for name, number in [("MAX", 1j), ("MIN", 1j), *((name, 1.5) for name in logical)]:
        with pytest.raises(pypar.TypeMismatch, match=f"{name} cannot join"):
            pypar.reduce(np.full(3, number), getattr(pypar, name))


@ranks(1, 3)
def test_inplace_reduce_changes_roots_array(world):
    x = np.full(4, world.rank + 1.0)
    assert pypar.inplace_reduce(x, pypar.SUM, 0) is None
    total = world.size * (world.size + 1) / 2
    assert (x == (total if world.rank == 0 else world.rank + 1)).all()


@ranks(2)
def test_inplace_reduce_of_what_is_no_array_is_refused(world):
    for x in [1, 2], 1.5, None, np.float64(1):
        text = f"rank {world.rank}: x is of type {type(x).__name__}: .* an array"
        with pytest.raises(TypeError, match=text):
            pypar.inplace_reduce(x, pypar.SUM)
    world.barrier()
