# SPDX-License-Identifier: MIT
"""What the benchmark measures, whom it compares, and what is to be reached."""

from dataclasses import dataclass
from functools import cached_property

KIB, MIB = 1 << 10, 1 << 20

# By name: the program, and the form of message that it is told to use.
CONTENDERS = {
    "raw MPI": ("raw_mpi", "-"),
    "libpar": ("par", "-"),
    "pypar object": ("pypar", "object"),
    "pypar new": ("pypar", "new"),
    "pypar buffer": ("pypar", "buffer"),
    "mpi4py send": ("mpi4py", "object"),
    "mpi4py Send": ("mpi4py", "array"),
    "mpi4py pkl5": ("mpi4py", "pkl5"),
}


@dataclass(frozen=True)
class Row:
    """One measurement, taken of each of its contenders in turn."""

    section: "Section"
    label: str
    what: str  # the order to the ranks
    payload: str | int  # bytes, or the name of an object
    ranks: int = 2

    @property
    def name(self):
        return f"{self.section.name} {self.label}".strip()

    @property
    def operations(self):
        """What one round of the timed loop holds, that the time is given for."""
        return {"pingpong": 2, "object": 2, "rate": 64, "ring": self.ranks}.get(self.what, 1)

    @cached_property
    def contenders(self):
        """Who takes part. Pickles of hundreds of MiB only cost time: they go by
        copies, and how fast those are is known by then."""
        large = isinstance(self.payload, int) and self.payload > 64 * MIB
        left_out = ("mpi4py send", "pypar object") if large else ()
        return [name for name in self.section.contenders if name not in left_out]


@dataclass(frozen=True)
class Section:
    """Rows that make one table. ratios: (A, B) for the column A / B, of times."""

    name: str
    title: str
    contenders: tuple
    ratios: tuple
    in_gbps: bool = False


def size(count):
    for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
        if count >= unit and count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} B"


_C = ("libpar", "raw MPI")
_PYTHON = (
    ("pypar buffer", "raw MPI"),
    ("pypar new", "raw MPI"),
    ("pypar buffer", "mpi4py Send"),
    ("mpi4py send", "pypar new"),
)

LATENCY = Section(
    "latency", "Latency, one way, µs", tuple(CONTENDERS), (_C, *_PYTHON)
)
BANDWIDTH = Section(
    "bandwidth", "Bandwidth, one way, GB/s", tuple(CONTENDERS), (_C, *_PYTHON), True
)
RATE = Section(
    "rate",
    "Message rate, windows of 64, µs a message",
    ("raw MPI", "libpar", "pypar new", "pypar buffer", "mpi4py send", "mpi4py Send"),
    (_C, ("pypar buffer", "mpi4py Send"), ("mpi4py send", "pypar new")),
)
OBJECTS = Section(
    "object",
    "Objects, one way, µs",
    ("pypar object", "mpi4py send", "mpi4py pkl5"),
    (("mpi4py send", "pypar object"), ("mpi4py pkl5", "pypar object")),
)
COLLECTIVES = Section(
    "collective",
    "Collectives, 2 ranks, roots take turns, µs a call",
    ("raw MPI", "libpar", "pypar buffer", "mpi4py Send"),
    (_C, ("pypar buffer", "mpi4py Send")),
)
CROWD = Section(
    "crowd",
    "16 ranks, more than cores, raw MPI yielding: µs a hop of a ring, µs a barrier",
    ("raw MPI", "libpar"),
    (_C,),
)

OBJECT_NAMES = (
    *("None", "42", "3.14", "'hello'", "bytes", "tuple", "dict", "dataclass"),
    *("1000-floats", "1000-ints", "1000-str", "10-arrays"),
)
SMALL = (0, 8, 64, 256, KIB, 3900, 4 * KIB)
LARGE = tuple(
    [n * KIB for n in (8, 16, 32, 64, 256)] + [n * MIB for n in (1, 4, 16, 64, 256)]
)

ROWS = [
    *(Row(LATENCY, f"{n} B", "pingpong", n) for n in SMALL),
    *(Row(BANDWIDTH, size(n), "pingpong", n) for n in LARGE),
    *(Row(RATE, size(n), "rate", n) for n in (8, 256, KIB)),
    *(Row(OBJECTS, name, "object", name) for name in OBJECT_NAMES),
    Row(COLLECTIVES, "barrier", "barrier", 0),
    *(Row(COLLECTIVES, f"broadcast {size(n)}", "broadcast", n) for n in (8, KIB, 64 * KIB, MIB)),
    *(Row(COLLECTIVES, f"reduce {size(n)}", "reduce", n) for n in (8, KIB, 64 * KIB, MIB)),
    Row(CROWD, "ring", "ring", 8, ranks=16),
    Row(CROWD, "barrier", "barrier", 0, ranks=16),
]


@dataclass(frozen=True)
class Target:
    """The ratio of A's median to B's, in the worst of ROWS, is to be at most MOST
    or at least LEAST."""

    what: str
    a: str
    b: str
    rows: tuple
    most: float | None = None
    least: float | None = None


def _sized(*sections, low, high):
    return tuple(
        row.name for row in ROWS if row.section in sections and low <= row.payload <= high
    )


def _objects(*names):
    return tuple(f"object {name}" for name in names)


_ALL = 1 << 62

TARGETS = [
    Target("libpar, 8 B", *_C, ("latency 8 B",), most=1.15),
    Target("libpar, 1 KiB", *_C, ("latency 1024 B",), most=1.10),
    Target("libpar, 64 KiB and more", *_C, _sized(BANDWIDTH, low=64 * KIB, high=_ALL), most=1.03),
    Target("libpar, 4 to 32 KiB", *_C, _sized(LATENCY, BANDWIDTH, low=4 * KIB, high=32 * KIB), most=0.6),
    Target("libpar, message rate", *_C, _sized(RATE, low=0, high=_ALL), most=1.25),
    Target("into a buffer, 8 B", "pypar buffer", "raw MPI", ("latency 8 B",), most=1.6),
    Target("into a buffer, 64 KiB and more", "pypar buffer", "raw MPI", _sized(BANDWIDTH, low=64 * KIB, high=_ALL), most=1.05),
    Target("into a new array, 64 KiB to 16 MiB", "pypar new", "raw MPI", _sized(BANDWIDTH, low=64 * KIB, high=16 * MIB), most=1.15),
    Target("None, 42, 'hello', small tuple and dict", "mpi4py send", "pypar object", _objects("None", "42", "'hello'", "tuple", "dict"), least=2.5),
    Target("lists of 1000 numbers", "mpi4py send", "pypar object", _objects("1000-floats", "1000-ints"), least=3),
    Target("arrays, 8 B to 64 MiB", "mpi4py send", "pypar new", _sized(LATENCY, BANDWIDTH, low=8, high=64 * MIB), least=5),
    Target("dict of ten 1 MiB arrays", "mpi4py pkl5", "pypar object", _objects("10-arrays"), least=1),
    Target("dict of ten 1 MiB arrays", "mpi4py send", "pypar object", _objects("10-arrays"), least=3),
    Target("ring of 16 ranks, hop", *_C, ("crowd ring",), most=1.3),
]
