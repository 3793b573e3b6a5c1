# SPDX-License-Identifier: MIT
"""Arrays arrive equal: every type, shape, order and stride; into buffers too."""

import array

import numpy as np
import pytest
from forms import carried, form
from ranks import pypar, ranks

PLAIN = "? b B h H i I l L q Q e f d g F D G S1 S7 U1 U7 V1 V5".split()
TIMES = ["M8[D]", "M8[ns]", "M8[25s]", "m8[ms]", "m8"]
SWAPPED = [">i2", ">i4", ">i8", ">u8", ">f4", ">f8", ">c16", ">M8[s]", ">U3"]
RECORDS = {
    "packed": np.dtype("i1,f8"),
    "aligned": np.dtype([("a", "i1"), ("b", "f8")], align=True),
    "named": np.dtype([("x", "f4"), ("long name ä", "U5")]),
    "nested": np.dtype([("p", [("x", "f8"), ("y", "f8")]), ("n", "i2")]),
    "subarray": np.dtype([("m", "f4", (2, 3)), ("k", "S3")]),
    "offsets": np.dtype({"names": ["b", "a"], "formats": ["i2", "f8"],
                         "offsets": [12, 0], "itemsize": 24}),
    "swapped": np.dtype([("a", ">i4"), ("b", "<f8")]),
    "titles": np.dtype([(("title", "a"), "i4")]),
    "many": np.dtype([(f"field_{i}", "f8") for i in range(300)]),
}  # fmt: skip
SHAPES = [
    *((), (0,), (1,), (5,), (0, 3), (3, 0), (2, 3), (2, 0, 4), (2, 3, 4), (1, 1, 1)),
    *((2,) * 10, (1,) * 32, (2,) * 5 + (1,) * 26 + (3,)),
]


def filled(dtype, shape=(7,)):
    """An array of that type with every byte set, as far as the type allows."""
    dtype = np.dtype(dtype)
    if dtype.names:
        result = np.zeros(shape, dtype)
        for name in dtype.names:
            part = result[name]
            part[...] = filled(part.dtype, part.shape)
        return result
    count = int(np.prod(shape))
    numbers = np.arange(1, count + 1)
    if dtype.kind in "SU":
        text = [chr(65 + i % 26) * (dtype.itemsize % 8 or 1) for i in range(count)]
        return np.array(text, dtype).reshape(shape)
    if dtype.kind == "V":
        return (
            np.arange(count * dtype.itemsize, dtype=np.uint8).view(dtype).reshape(shape)
        )
    if dtype.kind in "Mm":
        return (
            numbers.astype("i8")
            .view(dtype.newbyteorder("="))
            .astype(dtype)
            .reshape(shape)
        )
    if dtype.kind == "b":
        return (numbers % 3 == 0).reshape(shape)
    if dtype.kind in "fc":
        return (numbers / 7).astype(dtype).reshape(shape)
    return numbers.astype(dtype).reshape(shape)


@ranks(2)
@pytest.mark.parametrize("dtype", PLAIN + TIMES + SWAPPED)
def test_every_type_arrives(world, dtype):
    value = filled(dtype)
    for got in carried(world, value):
        assert form(got) == form(value)
        assert got.flags.writeable


@ranks(2)
@pytest.mark.parametrize("name", RECORDS)
def test_every_record_arrives(world, name):
    value = filled(RECORDS[name])
    for got in carried(world, value):
        assert form(got) == form(value)


@ranks(2)
@pytest.mark.parametrize("dtype", ["f8", "i1", "U3", "i4,f8", ">i4", "M8[s]"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_shape_arrives(world, shape, dtype):
    value = filled(dtype, shape)
    for got in carried(world, value):
        assert form(got) == form(value)


@ranks(2)
def test_an_array_of_as_many_dimensions_as_numpy_allows_arrives(world):
    most = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32
    for got in carried(world, np.full((1,) * most, 5.0)):
        assert got.shape == (1,) * most and got.item() == 5


@ranks(2)
@pytest.mark.parametrize(
    "size", [0, 1, 1000, 3999, 4000, 4001, 65536, 1_000_003, 8 << 20]
)
def test_every_size_arrives(world, size):
    value = np.arange(size) * 0.5
    for got in carried(world, value):
        assert form(got) == form(value)


def grid(rows=30, columns=40):
    return np.arange(rows * columns, dtype=float).reshape(rows, columns)


VIEWS = {
    "fortran": lambda: np.asfortranarray(grid()),
    "transposed": lambda: grid().T,
    "small fortran": lambda: np.asfortranarray(grid(2, 3)),
    "fortran 3-d": lambda: np.asfortranarray(np.arange(24).reshape(2, 3, 4)),
    "axes rolled": lambda: np.moveaxis(np.arange(2400).reshape(20, 30, 4), 0, 1),
    "every second": lambda: np.arange(2000)[::2],
    "backwards": lambda: np.arange(2000)[::-1],
    "rows backwards": lambda: grid()[::-1],
    "columns backwards": lambda: grid()[:, ::-1],
    "both": lambda: grid()[::-2, ::-3],
    "columns": lambda: grid()[:, 1:9],
    "rows": lambda: grid()[3:9],
    "fortran part": lambda: np.asfortranarray(grid())[2:9, 1::3],
    "one column": lambda: grid()[:, 3],
    "stride 0": lambda: np.broadcast_to(np.arange(5.0), (300, 5)),
    "one number": lambda: np.broadcast_to(np.float32(2.5), (3, 4)),
    "diagonal": lambda: np.diagonal(grid()),
    "one field": lambda: filled(RECORDS["nested"], (500,))["n"],
    "some fields": lambda: filled(RECORDS["many"], (3,))[["field_1", "field_7"]],
    "record strided": lambda: filled(RECORDS["packed"], (500,))[::3],
    "real part": lambda: filled("D", (300,)).real,
    "unaligned": lambda: np.frombuffer(bytes(range(81)), np.uint8)[1:].view("f8"),
    "large strided": lambda: np.arange(1_000_000)[::3],
    "large fortran": lambda: np.asfortranarray(grid(600, 700)),
    "empty strided": lambda: grid()[:, 5:5][::2],
}


@ranks(2)
@pytest.mark.parametrize("name", VIEWS)
def test_every_view_arrives(world, name):
    value = VIEWS[name]()
    for got in carried(world, value):
        assert got.dtype == value.dtype and got.shape == value.shape
        assert got.tolist() == value.tolist()
        assert got.flags.writeable
        if value.flags.f_contiguous:
            assert got.flags.f_contiguous


@ranks(2)
def test_a_readonly_array_arrives_writable(world):
    value = np.arange(10)
    value.flags.writeable = False
    for got in carried(world, value):
        assert form(got) == form(value)
        assert got.flags.writeable and got.flags.aligned and got.base is None


@ranks(2)
def test_sending_leaves_the_array_alone_and_what_arrives_is_apart(world):
    value = np.arange(3000.0)
    first, second = carried(world, value)
    first += 1
    second += 2
    assert (value == np.arange(3000.0)).all()
    assert (second - first == 1).all()


# -- into a buffer --------------------------------------------------------------


@ranks(2)
@pytest.mark.parametrize("dtype", PLAIN + TIMES + SWAPPED)
def test_every_type_arrives_in_a_buffer(world, dtype):
    value = filled(dtype, (5, 3))
    if world.rank == 0:
        world.send(value, 1)
    else:
        buffer = np.zeros((5, 3), dtype)
        assert world.receive(0, buffer=buffer) is buffer
        assert form(buffer) == form(value)


@ranks(2)
@pytest.mark.parametrize("size", [0, 1, 499, 500, 501, 505, 8192, 1_000_003])
def test_every_size_arrives_in_a_buffer(world, size):
    value = np.arange(size) * 0.5
    buffer = np.full(size, -1.0)
    world.send(value, world.rank)
    world.receive(world.rank, buffer=buffer)
    assert form(buffer) == form(value)
    buffer[:] = -1
    if world.rank == 0:
        world.send(value, 1)
    else:
        world.receive(0, buffer=buffer)
        assert form(buffer) == form(value)


@ranks(2)
@pytest.mark.parametrize("size", [5, 5000, 500_000])
def test_a_larger_buffer_keeps_what_the_message_does_not_reach(world, size):
    if world.rank == 0:
        world.send(np.arange(size), 1)
    else:
        buffer = np.full(size + 10, -1)
        got, status = world.receive(0, buffer=buffer, return_status=True)
        assert got is buffer
        assert status.length == size
        assert (buffer[:size] == np.arange(size)).all()
        assert (buffer[size:] == -1).all()


@ranks(2)
@pytest.mark.parametrize("size", [5, 5000, 500_000])
def test_a_smaller_buffer_is_refused_and_the_message_stays(world, size):
    if world.rank == 0:
        world.send(np.arange(size), 1)
        world.send("next", 1)
    else:
        buffer = np.full(size - 1, -1)
        for _ in range(2):
            with pytest.raises(pypar.SizeMismatch, match=rf"{size}\b.*{size - 1}\b"):
                world.receive(0, buffer=buffer)
            assert (buffer == -1).all()
        buffer = np.full(size, -1)
        world.receive(0, buffer=buffer)
        assert (buffer == np.arange(size)).all()
        assert world.receive(0) == "next"


@ranks(2)
@pytest.mark.parametrize("size", [5, 5000, 500_000])
@pytest.mark.parametrize(
    "sent, wanted",
    [
        *(("f8", "i8"), ("f8", "f4"), ("i8", "u8"), ("i4", "i8"), ("u1", "?")),
        *(("c16", "f8"), ("M8[s]", "i8"), ("M8[s]", "M8[ms]"), ("i4,f4", "f8")),
        *(("S4", "U1"), ("S4", "S8"), ("e", "i2"), ("g", "c16")),
        *(("i4,f4", "f4,i4"), ("i8", "O")),
    ],
)
def test_a_buffer_of_another_type_is_refused_and_the_message_stays(
    world, sent, wanted, size
):
    value = filled(sent, (size,))
    if world.rank == 0:
        world.send(value, 1)
        world.send("next", 1)
    else:
        buffer = np.zeros(4 * size, wanted)
        before = form(buffer)
        with pytest.raises((pypar.TypeMismatch, TypeError)) as caught:
            world.receive(0, buffer=buffer)
        if not np.dtype(wanted).hasobject:
            assert caught.type is pypar.TypeMismatch
            for dtype in (value.dtype, buffer.dtype):
                assert dtype.name in str(caught.value) or str(dtype) in str(caught.value)
        assert form(buffer) == before
        assert form(world.receive(0)) == form(value)
        assert world.receive(0) == "next"


@ranks(2)
@pytest.mark.parametrize(
    "sent, wanted", [("l", "q"), ("L", "Q"), ("f8", "f8"), ("g", "g")]
)
def test_types_that_are_the_same_by_another_name_fit(world, sent, wanted):
    if world.rank == 0:
        world.send(filled(sent), 1)
    else:
        buffer = np.zeros(7, wanted)
        world.receive(0, buffer=buffer)
        assert (buffer == filled(sent)).all()


def fits_or_is_refused(world, buffer, surroundings, value):
    """Receive into BUFFER, a view of SURROUNDINGS: VALUE then stands in it and
    nothing else has changed; or it is refused and nothing at all has changed."""
    before = surroundings.copy()
    view_before = buffer.copy()
    try:
        assert world.receive(0, buffer=buffer) is buffer
    except (pypar.Error, ValueError, TypeError):
        assert (surroundings == before).all()
        assert (world.receive(0) == value).all()
        return False
    assert buffer.shape == value.shape and (buffer == value).all()
    buffer[...] = view_before
    assert (surroundings == before).all()
    return True


BUFFERS = {
    "contiguous": lambda a: a.ravel(order="K")[100:1300].reshape(30, 40),
    "columns": lambda a: a[:30, 2:42],
    "every second": lambda a: a[:60:2, :40],
    "backwards": lambda a: a[29::-1, :40],
    "columns backwards": lambda a: a[:30, 39::-1],
    "transposed": lambda a: a[:40, :30].T,
    "corner": lambda a: a[-30:, -40:],
}


@ranks(2)
@pytest.mark.parametrize("order", ["C", "F", "strided"])
@pytest.mark.parametrize("memory", ["C", "F"])
@pytest.mark.parametrize("name", BUFFERS)
def test_a_view_as_a_buffer_is_filled_rightly_or_refused(world, name, memory, order):
    value = grid(30, 40) if order != "strided" else grid(60, 80)[::2, ::-2]
    value = np.asarray(value, order=order) if order in "CF" else value
    if world.rank == 0:
        world.send(value, 1)
    else:
        surroundings = np.full((70, 60), -1.0, order=memory)
        fits_or_is_refused(world, BUFFERS[name](surroundings), surroundings, value)


@ranks(2)
@pytest.mark.parametrize("sent", ["C", "F"])
@pytest.mark.parametrize("wanted", ["C", "F"])
def test_orders_of_memory_are_never_mixed_up(world, sent, wanted):
    value = np.asarray(grid(), order=sent)
    if world.rank == 0:
        world.send(value, 1)
    else:
        buffer = np.zeros((30, 40), order=wanted)
        assert fits_or_is_refused(world, buffer, buffer, value) or sent != wanted


@ranks(2)
def test_a_buffer_of_another_shape_takes_the_elements_in_order_or_is_refused(world):
    value = np.arange(24.0).reshape(4, 6)
    for shape in [(24,), (6, 4), (2, 12), (1, 24), (24, 1), (2, 3, 4)]:
        if world.rank == 0:
            world.send(value, 1)
        else:
            buffer = np.zeros(shape)
            fits_or_is_refused(world, buffer, buffer, value.reshape(shape))


@ranks(2)
def test_one_element_arrives_in_a_buffer_of_one_element(world):
    for sent in (np.array(5.0), np.array([5.0])):
        for shape in ((), (1,), (1, 1)):
            if world.rank == 0:
                world.send(sent, 1)
            else:
                buffer = np.zeros(shape)
                world.receive(0, buffer=buffer)
                assert buffer.item() == 5


@ranks(2)
def test_buffers_that_are_no_numpy_arrays_are_filled(world):
    if world.rank == 0:
        for dtype in ("f8", "u1", "i4"):
            world.send(np.arange(5, dtype=dtype), 1)
    else:
        buffer = array.array("d", [0] * 5)
        assert world.receive(0, buffer=buffer) is buffer
        assert buffer.tolist() == [0, 1, 2, 3, 4]
        buffer = bytearray(5)
        assert world.receive(0, buffer=buffer) is buffer
        assert buffer == bytes(range(5))
        memory = array.array("i", [0] * 5)
        world.receive(0, buffer=memoryview(memory))
        assert memory.tolist() == [0, 1, 2, 3, 4]


@ranks(2)
@pytest.mark.parametrize("size", [5, 50_000])
def test_a_memoryview_fills_a_buffer(world, size):
    value = memoryview(array.array("i", range(size)))
    for sent in (value, value[::-1]):
        if world.rank == 0:
            world.send(sent, 1)
        else:
            buffer = np.zeros(size, "i4")
            world.receive(0, buffer=buffer)
            assert buffer.tolist() == sent.tolist()


@ranks(2)
def test_a_readonly_buffer_is_refused_and_the_message_stays(world):
    if world.rank == 0:
        world.send(np.arange(5.0), 1)
    else:
        buffer = np.zeros(5)
        buffer.flags.writeable = False
        with pytest.raises((ValueError, TypeError, BufferError)):
            world.receive(0, buffer=buffer)
        assert not buffer.any()
        assert world.receive(0).tolist() == [0, 1, 2, 3, 4]


@ranks(2)
@pytest.mark.parametrize("value", [{"a": 1}, "text", None, 5, [1.0, 2.0]], ids=repr)
def test_an_object_does_not_fit_an_array_and_stays(world, value):
    if world.rank == 0:
        world.send(value, 1)
    else:
        buffer = np.zeros(100)
        with pytest.raises(pypar.TypeMismatch):
            world.receive(0, buffer=buffer)
        assert not buffer.any()
        assert form(world.receive(0)) == form(value)


@ranks(2)
def test_a_refused_message_is_seen_by_any_source_and_any_tag_in_its_place(world):
    if world.rank == 0:
        for i in range(3):
            world.send(np.full(600, i), 1, tag=7 + i)
    else:
        with pytest.raises(pypar.TypeMismatch):
            world.receive(0, 7, buffer=np.zeros(600))
        for i in range(3):
            assert world.receive(pypar.any_source, pypar.any_tag)[0] == i


@ranks(2)
def test_memory_of_a_large_array_is_used_again_only_when_nobody_has_it(world):
    sizes = [1 << 20, 3 << 20, 1 << 20, 5 << 20, 2 << 20, 1 << 20] * 3
    if world.rank == 0:
        for i, size in enumerate(sizes):
            world.send(np.full(size, i, np.uint8), dest=1)
        return
    kept = {}
    for i in range(len(sizes)):
        array = world.receive(source=0)
        view = array[::2] if i % 3 else None  # keeps the memory, not the array
        if i % 2:
            kept[i] = array if view is None else view
        del array, view
    for i, array in kept.items():
        assert (array == i).all()
