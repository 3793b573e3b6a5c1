# SPDX-License-Identifier: MIT
"""Python objects arrive equal and of equal type."""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import random
import struct
import textwrap
import threading
import uuid

import numpy as np
import pytest
from forms import carried, form
from mpirun import PYTHON, alone, mpirun
from ranks import pypar, ranks

Point = collections.namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = 1


class Number(enum.IntEnum):
    ONE = 1


class Flags(enum.Flag):
    A = 1
    B = 2


class MyInt(int):
    pass


class MyStr(str):
    pass


class MyFloat(float):
    pass


class MyBytes(bytes):
    pass


class MyList(list):
    pass


class MyTuple(tuple):
    pass


class MyDict(dict):
    pass


class MySet(set):
    pass


@dataclasses.dataclass
class Data:
    name: str
    values: list


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    x: int
    y: float


class Attributes:
    def __init__(self, **attributes):
        self.__dict__ = attributes

    def __eq__(self, other):
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def method(self):
        return 42


class Stateful:
    def __init__(self, x):
        self.x = x
        self.lock = threading.Lock()  # cannot travel, and need not

    def __getstate__(self):
        return self.x

    def __setstate__(self, x):
        self.__init__(x)

    def __eq__(self, other):
        return self.x == other.x


class Trouble(Exception):
    pass


def function(x):
    return 2 * x


def nested(depth, inner=0):
    for _ in range(depth):
        inner = [inner]
    return inner


NUMBERS = [
    *(0, 1, -1, 63, 64, -64, 127, 128, -128, -129, 255, 256, 32767, 32768, -32769),
    *(2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**32, 2**53 + 1),
    *(2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64 - 1, 2**64, 10**100, -(10**100)),
    *(1 << 20_000, -(1 << 600_000)),
    *(0.0, -0.0, 1.5, -1e-300, 5e-324, 1.7976931348623157e308),
    *(float("inf"), float("-inf"), float("nan"), -float("nan")),
    struct.unpack("d", b"\1\2\3\4\5\6\xf8\x7f")[0],  # a NaN with a payload
    *(0j, 1.5 - 2j, complex(-0.0, 0.0), complex(0.0, -0.0)),
    *(complex(float("nan"), 1), complex(1, float("-inf"))),
    *(True, False, None, ..., NotImplemented),
]

TEXTS = [
    *("", "a", "hello", "\0", "a\0b", "\x7f", "\x80", "ä", "ÿ", "Ā", "€", "\uffff", "😀"),
    *("\ud800", "a\udfffb", "\ud83d\ude00"),  # lone surrogates, and a pair of them
    *("x" * n for n in (254, 255, 256, 257, 3999, 4000, 4001, 65535, 65536, 1_000_000)),
    *("ä" * n for n in (127, 128, 2000, 100_000)),
    *("€" * n for n in (85, 86, 1400, 100_000)),
    *("😀" * n for n in (63, 64, 1000, 100_000)),
    *(b"", b"\0", b"abc", bytes(range(256)), b"x" * 65536, b"x" * 1_000_000),
    *(bytearray(), bytearray(b"abc"), bytearray(5000)),
]

CONTAINERS = {
    "empty tuple": (),
    "empty list": [],
    "empty dict": {},
    "empty set": set(),
    "empty frozenset": frozenset(),
    "tuple": (None, True, 1, 2.5, 3j, "a", b"b"),
    "list": [None, False, -1, 1e300, 1j, "ä", b""],
    "set": {None, 1, 2.5, "a", b"b", (1, 2), frozenset({3})},
    "frozenset": frozenset({1, "a"}),
    "1, 1.0 and True": [1, 1.0, True, 0, 0.0, False, -0.0],
    "dict": {"a": 1, 2: "b", None: [], (1, "x"): {}, 1.5: (), b"k": {1}},
    "dict in order": {key: None for key in "zaybxc"},
    "list of lists": [[], [[]], [[], [[]]]],
    "rows": [[i, i / 3, str(i)] for i in range(300)],
    "255 items": list(range(255)),
    "256 items": tuple(range(256)),
    "70000 items": list(range(70_000)),
    "dict of 5000": {str(i): i for i in range(5000)},
    "set of 1000": set(range(1000)),
    "100000 floats": [i / 7 for i in range(100_000)],
    "nested 10": nested(10),
    "nested 40": nested(40),
    "nested 300": nested(300),
    "nested in dicts": {"a": {"b": {"c": {"d": [({},)]}}}},
    "long texts": ["x" * 3000, b"y" * 3000, "€" * 3000],
    "bytearrays": [bytearray(b"abc"), (bytearray(),)],
    "huge int": {"n": -(10**5000)},
}

OBJECTS = {
    "namedtuple": Point(1, [2.5]),
    "namedtuples": [Point(1, 2), (1, 2)],
    "Enum": Colour.RED,
    "IntEnum": Number.ONE,
    "Flag": Flags.A | Flags.B,
    "enums": {Colour.RED: [Number.ONE, 1]},
    "int subclass": MyInt(7),
    "str subclass": MyStr("seven"),
    "float subclass": MyFloat(7.5),
    "bytes subclass": MyBytes(b"7"),
    "list subclass": MyList([1, [2]]),
    "tuple subclass": MyTuple((1, 2)),
    "dict subclass": MyDict(a=1),
    "set subclass": MySet({1}),
    "subclasses inside": [MyInt(1), {MyStr("a"): MyFloat(0.5)}, (MyList(),)],
    "OrderedDict": collections.OrderedDict(b=1, a=2),
    "defaultdict": collections.defaultdict(list, a=[1]),
    "Counter": collections.Counter("hello"),
    "deque": collections.deque([1, 2], maxlen=3),
    "dataclass": Data("a", [1, Data("b", [])]),
    "slots": Slotted(1, 2.5),
    "instance": Attributes(a=1, b=[2]),
    "stateful": Stateful(5),
    "range": range(3, 30, 5),
    "slice": slice(1, None, 2),
    "date": datetime.date(2020, 2, 29),
    "datetime": datetime.datetime(2020, 2, 29, 12, tzinfo=datetime.UTC),
    "timedelta": datetime.timedelta(days=1, microseconds=1),
    "Decimal": decimal.Decimal("1.10"),
    "Fraction": fractions.Fraction(1, 3),
    "UUID": uuid.UUID(int=5),
    "Path": pathlib.PurePosixPath("/a/b"),
    "exception": ValueError("text", 1),
    "own exception": Trouble("text", [1]),
    "OSError": FileNotFoundError(2, "No such file", "name"),
    "SystemExit": SystemExit(3),
    "KeyboardInterrupt": KeyboardInterrupt(),
    "function": function,
    "builtin": len,
    "type": int,
    "own type": Attributes,
    "module attribute": collections.OrderedDict.fromkeys,
    "dtype": np.dtype([("a", "i4"), ("b", "f8", (2,))]),
}


@ranks(2)
@pytest.mark.parametrize("index", range(len(NUMBERS)))
def test_numbers_arrive(world, index):
    for got in carried(world, NUMBERS[index]):
        assert form(got) == form(NUMBERS[index])


@ranks(2)
@pytest.mark.parametrize("index", range(len(TEXTS)))
def test_texts_arrive(world, index):
    for got in carried(world, TEXTS[index]):
        assert form(got) == form(TEXTS[index])


@ranks(2)
@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_arrive(world, name):
    for got in carried(world, CONTAINERS[name]):
        assert form(got) == form(CONTAINERS[name])


@ranks(2)
@pytest.mark.parametrize("name", OBJECTS)
def test_objects_arrive(world, name):
    for got in carried(world, OBJECTS[name]):
        assert form(got) == form(OBJECTS[name])


def random_value(chooser, depth=0):
    """Any of the values above, or a container of such."""
    make = chooser.randrange(10 if depth < 4 else 4)
    if make == 0:
        return chooser.choice(NUMBERS[:20] + NUMBERS[-20:])
    if make == 1:
        return chooser.choice(TEXTS[:20])
    if make == 2:
        return chooser.choice(SCALARS)
    if make == 3:
        shape = [chooser.randrange(4) for _ in range(chooser.randrange(4))]
        dtype = chooser.choice(["f8", "i2", "?", "U2", ">i4", "i4,f8", "O"])
        return np.zeros(shape, dtype)
    items = [random_value(chooser, depth + 1) for _ in range(chooser.randrange(9))]
    if make in (4, 5):
        return items
    if make in (6, 7):
        return tuple(items)
    if make == 8:
        return {chooser.choice("abcdefgh"): item for item in items}
    return Data("data", items)


@ranks(2)
@pytest.mark.parametrize("seed", range(5))
def test_random_values_arrive(world, seed):
    chooser = random.Random(seed)
    for _ in range(200):
        value = random_value(chooser)
        for got in carried(world, value):
            assert form(got) == form(value)


@ranks(2)
def test_every_size_around_the_inline_limit_arrives(world):
    """The limit is 4032 bytes with header and description: each size that could
    make the difference, for each way in which a body is made."""
    makers = [
        lambda n: b"\xab" * n,
        lambda n: "x" * n,
        lambda n: bytearray(b"\xcd" * n),
        lambda n: ["x" * 50] + ["y" * (n - 50)],
        lambda n: Attributes(text="z" * n),
        lambda n: np.full(n, 7, np.uint8),
        lambda n: {"a": np.full(n, 7, np.uint8)},
    ]
    for make in makers:
        for size in range(3800, 4120):
            value = make(size)
            if world.rank == 0:
                world.send(value, 1)
            else:
                assert form(world.receive(0)) == form(value), size


@ranks(2)
@pytest.mark.parametrize("size", [1 << 20, (1 << 24) + 1, 1 << 26])
def test_large_bodies_arrive(world, size):
    block = bytes(range(256)) * (size // 256) + bytes(size % 256)
    for value in (block, block.decode("latin1"), [block, 1]):
        if world.rank == 0:
            world.send(value, 1)
        else:
            assert world.receive(0) == value


# -- identity ---------------------------------------------------------------


@ranks(2)
def test_a_list_within_itself_arrives_so(world):
    value = [1]
    value.append(value)
    for got in carried(world, value):
        assert type(got) is list and len(got) == 2 and got[0] == 1
        assert got[1] is got


@ranks(2)
def test_a_dict_within_itself_arrives_so(world):
    value = {"a": ({},)}
    value["a"][0]["top"] = value
    for got in carried(world, value):
        assert got["a"][0]["top"] is got


@ranks(2)
@pytest.mark.parametrize("make", [list, dict, set, bytearray, Attributes])
def test_what_is_shared_arrives_shared(world, make):
    shared, other = make(), make()
    value = [shared, (1, shared), {"a": shared}, other]
    for got in carried(world, value):
        assert got[0] is got[1][1] is got[2]["a"]
        assert got[3] is not got[0]
        assert got[3] == got[0]


@ranks(2)
def test_a_shared_array_arrives_shared(world):
    shared = np.arange(1000.0)
    for got in carried(world, [shared, {"a": shared}]):
        assert got[0] is got[1]["a"]
        assert form(got[0]) == form(shared)


@ranks(2)
def test_what_arrives_from_oneself_is_a_copy(world):
    value = [[1], bytearray(b"a"), np.zeros(3)]
    world.send(value, world.rank)
    value[0].append(2)
    value[1][0] = 0
    value[2][0] = 5
    got = world.receive(world.rank)
    assert got[0] == [1] and got[1] == b"a" and got[2][0] == 0


# -- arrays among other things ------------------------------------------------

BIG = 200_000

HOLDERS = {
    "list": lambda: [np.arange(10), np.arange(5.0), 3],
    "dict": lambda: {"a": np.arange(10), "b": {"c": np.ones((2, 3), np.float32)}},
    "tuple": lambda: (np.zeros(0), np.array(5), np.array("text")),
    "big": lambda: [np.arange(BIG), np.arange(BIG) * 0.5, "x"],
    "ten of a MiB": lambda: {i: np.full(1 << 20, i, np.uint8) for i in range(10)},
    "300 small": lambda: [np.full(3, i) for i in range(300)],
    "fortran": lambda: [np.asfortranarray(np.arange(12).reshape(3, 4))],
    "strided": lambda: [np.arange(BIG)[::3], np.arange(BIG)[::-1]],
    "records": lambda: [np.zeros(3, "i4,f8"), np.array([("a", 1)], "U3,i2")],
    "objects": lambda: [np.array([1, "a", None, [2]], object)],
    "swapped": lambda: [np.arange(10, dtype=">i4")],
    "big bytes": lambda: [b"x" * BIG, bytearray(b"y" * BIG), "z" * BIG],
    "dataclass": lambda: Data("a", [np.arange(BIG), np.arange(3)]),
    "instance": lambda: [Data("a", [np.eye(300)])],
}


@ranks(2)
@pytest.mark.parametrize("name", HOLDERS)
def test_arrays_in_containers_arrive(world, name):
    value = HOLDERS[name]()
    for got in carried(world, value):
        if isinstance(value, Data):
            got, expected = got.values, value.values
        elif name == "instance":
            got, expected = got[0].values, value[0].values
        else:
            expected = value
        assert form(got) == form(expected)


@ranks(2)
def test_arrays_in_containers_arrive_writable_and_apart(world):
    for got in carried(world, [np.zeros(3), np.zeros(BIG), np.zeros(3)]):
        for item in got:
            assert item.flags.writeable
        got[0][:] = 1
        got[1][:] = 1
        assert not got[2].any()


@ranks(2)
def test_an_array_of_objects_arrives(world):
    value = np.array([[1, "a"], [None, [2.5]]], object)
    for got in carried(world, value):
        assert form(got) == form(value)


@ranks(2)
@pytest.mark.parametrize("maker", ["matrix", "masked", "recarray"])
def test_array_subclasses_keep_their_type(world, maker):
    value = {
        "matrix": lambda: np.matrix([[1, 2], [3, 4]]),
        "masked": lambda: np.ma.masked_array([1, 2, 3], [False, True, False]),
        "recarray": lambda: np.rec.array([(1, 2.5)], dtype=[("a", int), ("b", float)]),
    }[maker]()
    for got in carried(world, value):
        assert type(got) is type(value)
        assert repr(got) == repr(value)


SCALARS = [
    *(np.bool_(True), np.int8(-1), np.uint8(255), np.int16(-2), np.uint16(3)),
    *(np.int32(-4), np.uint32(5), np.int64(-6), np.uint64(2**64 - 1)),
    *(np.float16(0.5), np.float32(1.5)),
    *(np.float64(2.5), np.float64("nan"), np.float64(-0.0), np.longdouble(1) / 3),
    *(np.complex64(1 + 2j), np.complex128(3 - 4j), np.clongdouble(5j)),
    *(np.str_("text"), np.str_(""), np.bytes_(b"bytes"), np.void(b"\1\2\3")),
    *(np.datetime64("2020-02-29"), np.datetime64("NaT"), np.timedelta64(5, "ms")),
    np.array([(1, 2.5, "a")], "i4,f8,U2")[0],
]


@ranks(2)
@pytest.mark.parametrize("index", range(len(SCALARS)))
def test_numpy_scalars_keep_their_type(world, index):
    value = SCALARS[index]
    for got in carried(world, value):
        assert form(got) == form(value)
    for got in carried(world, [value, {"a": value}]):
        assert form(got[0]) == form(got[1]["a"]) == form(value)


@ranks(2)
@pytest.mark.parametrize("code", "bBhHiIlLqQfd")
def test_an_array_of_the_standard_library_arrives(world, code):
    value = array.array(code, [0, 1, 100])
    for got in carried(world, value):
        assert type(got) is array.array
        assert (got.typecode, got) == (code, value)


@ranks(2)
def test_a_memoryview_arrives_as_an_array(world):
    whole = memoryview(array.array("d", range(12)))
    for value in (whole, whole[::2], whole[::-1], whole.cast("B").cast("d", [3, 4])):
        for got in carried(world, value):
            assert isinstance(got, np.ndarray) and got.dtype == float
            assert got.tolist() == value.tolist()


# -- code ---------------------------------------------------------------------


@ranks(2)
def test_functions_without_a_name_arrive(world):
    pytest.importorskip("cloudpickle")
    factor = 3

    def inner(x):
        return x * factor

    class Local:
        def method(self):
            return factor

    if world.rank == 0:
        for value in (lambda x: x + factor, inner, [inner], Local, Local()):
            world.send(value, 1)
    else:
        assert world.receive(0)(1) == 4
        assert world.receive(0)(5) == 15
        assert world.receive(0)[0](5) == 15
        assert world.receive(0)().method() == 3
        assert world.receive(0).method() == 3


@ranks(2)
def test_bound_methods_arrive(world):
    for got in carried(world, Attributes(a=1).method):
        assert got() == 42
        assert got.__self__ == Attributes(a=1)


MAIN = """
    import dataclasses, enum, sys
    import pypar

    class Thing:
        def __init__(self, x):
            self.x = x
        def double(self):
            return 2 * self.x

    @dataclasses.dataclass
    class Data:
        x: list

    class Colour(enum.Enum):
        RED = 1

    def function(x):
        return Thing(x).double()

    other = (pypar.rank() + 1) % pypar.size()
    pypar.send([Thing(5), Data([1]), Colour.RED, function], other)
    thing, data, colour, got = pypar.receive(pypar.any_source)
    assert type(thing) is Thing and thing.double() == 10
    assert type(data) is Data and data == Data([1])
    assert colour is Colour.RED
    assert got is function and got(4) == 8
    print("fine")
"""


@pytest.mark.parametrize("count", [1, 2])
def test_classes_and_functions_of_the_script_itself_arrive(tmp_path, count):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(MAIN))
    done = mpirun(count, PYTHON, script)
    assert done.returncode == 0, done
    assert done.stdout.count("fine") == count


def test_a_lambda_without_cloudpickle_is_refused_by_the_sender(tmp_path):
    (tmp_path / "cloudpickle.py").write_text("raise ImportError('not here')")
    script = tmp_path / "script.py"
    script.write_text(
        "import pickle, pypar\n"
        "try:\n"
        "    pypar.send(lambda: 1, 0)\n"
        "except (pickle.PicklingError, AttributeError, TypeError) as error:\n"
        "    print('refused:', error)\n"
        "pypar.send('next', 0)\n"
        "assert pypar.receive(0) == 'next'\n"
    )
    done = alone(PYTHON, script)
    assert done.returncode == 0, done
    assert "refused:" in done.stdout and "lambda" in done.stdout


# -- what cannot travel ---------------------------------------------------------


class Refusing:
    def __reduce__(self):
        raise Trouble("not me")


class RefusedThere:
    """Can be sent, but not be made again."""

    def __reduce__(self):
        return _refuse, ()


def _refuse():
    raise Trouble("not here")


class Sending:
    """Sends a message of its own while it is being encoded."""

    def __reduce__(self):
        pypar.send(["from inside", b"x" * 5000], pypar.rank(), tag=77)
        return int, (5,)


class Clearing:
    """Takes the list apart that it is an item of, while it is being encoded."""

    def __init__(self, items):
        self.items = items

    def __reduce__(self):
        self.items.clear()
        return int, (5,)


def unsendable():
    yield threading.Lock()
    yield (x for x in ())
    yield [1, 2, {"a": threading.Lock()}]
    yield [np.zeros(BIG), threading.Lock()]


@ranks(2)
def test_what_cannot_travel_is_refused_and_nothing_is_sent(world):
    if world.rank == 0:
        for value in unsendable():
            with pytest.raises(TypeError):
                world.send(value, 1)
        for value in (Refusing(), [1, Refusing()], {"a": (Refusing(),)}):
            with pytest.raises(Trouble, match="not me"):
                world.send(value, 1)
        world.send("last", 1)
    else:
        assert world.receive(0) == "last"


@ranks(2)
def test_a_structure_too_deep_to_pickle_is_refused_and_nothing_is_sent(world):
    if world.rank == 0:
        with pytest.raises(RecursionError):
            world.send(nested(100_000), 1)
        world.send("last", 1)
    else:
        assert world.receive(0) == "last"


@ranks(2)
def test_what_cannot_be_made_again_fails_there_and_the_next_arrives(world):
    if world.rank == 0:
        world.send(RefusedThere(), 1)
        world.send([np.zeros(BIG), RefusedThere()], 1)
        world.send("next", 1)
    else:
        for _ in range(2):
            with pytest.raises(Trouble, match="not here"):
                world.receive(0)
        assert world.receive(0) == "next"


@ranks(2)
def test_what_cannot_be_made_again_is_named_by_its_sender_and_the_programs_tag(world):
    if world.rank == 0:
        world.send(RefusedThere(), 1, tag=7)
        world.broadcast(RefusedThere(), 0)
    else:
        with pytest.raises(Trouble, match="not here") as sent:
            world.receive(0, tag=7)
        assert sent.value.__notes__ == [
            "while decoding the message from rank 0 with tag 7"
        ]
        with pytest.raises(Trouble, match="not here") as shared:
            world.broadcast(None, 0)
        assert shared.value.__notes__ == ["while decoding the message from rank 0"]


@ranks(1)
def test_an_object_may_send_while_it_is_sent(world):
    world.send([1, Sending(), "end"], 0)
    assert world.receive(0) == [1, 5, "end"]
    assert world.receive(0, tag=77) == ["from inside", b"x" * 5000]


@ranks(1)
def test_a_list_that_shrinks_while_it_is_sent_harms_nobody(world):
    value = []
    value += [1, Clearing(value), 2, 3]
    try:
        world.send(value, 0)
    except RuntimeError:
        world.send(None, 0)
    world.receive(0)
