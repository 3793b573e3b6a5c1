# SPDX-License-Identifier: MIT
"""What the benchmark measures, whom it compares, and what is to be reached."""

from dataclasses import dataclass
from functools import cached_property

KIB, MIB = 1 << 10, 1 << 20

# By name: the program, the form of message that it is told to use, and what the
# name stands for.
CONTENDERS = {
    "raw": ("raw_mpi", "-", "C, MPI_Send and MPI_Recv, or the MPI function at hand"),
    "libpar": ("par", "-", "C, par_send and par_receive, or the like"),
    "pypar object": ("pypar", "object", "send and receive of bytes or the object named"),
    "pypar new": ("pypar", "new", "send and receive of an array, into a new array"),
    "pypar buffer": ("pypar", "buffer", "of an array, into one that is there already"),
    "mpi4py send": ("mpi4py", "object", "send and recv of the array or object: pickled"),
    "mpi4py Send": (
        "mpi4py",
        "array",
        "Send and Recv of an array, into one there already",
    ),
    "mpi4py pkl5": ("mpi4py", "pkl5", "send and recv of mpi4py.util.pkl5"),
    "place": ("place", "-", "C, what par_init does to find each rank its place"),
    "mpirun's CPUs": ("unplaced", "-", "NumPy where mpirun puts its ranks"),
    "par's places": ("placed", "-", "NumPy where par puts them"),
    "pypar Pool": ("pool_pypar", "-", "pypar.Pool, 2 ranks"),
    "multiprocessing": ("pool_multiprocessing", "-", "multiprocessing.Pool(2)"),
    "MPIPoolExecutor": ("pool_mpi4py", "-", "that of mpi4py.futures, 3 ranks"),
    "joblib": ("pool_joblib", "-", "joblib.Parallel(2), whose processes are loky's"),
    "dask": ("pool_dask", "-", "distributed.Client of 2 workers, a process each"),
    "Ray": ("pool_ray", "-", "ray.util.multiprocessing.Pool(2)"),
    "ideal": ("pool_ideal", "-", "2 processes, each with its share from the start"),
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
        return {"pingpong": 2, "object": 2, "rate": 64, "ring": self.ranks}.get(
            self.what, 1
        )

    @cached_property
    def contenders(self):
        """Who takes part. Pickles of hundreds of MiB only cost time: they go by
        copies, and how fast those are is known by then."""
        left_out = ()
        if isinstance(self.payload, int) and self.payload > 64 * MIB:
            left_out = ("mpi4py send", "pypar object")
        return [name for name in self.section.contenders if name not in left_out]


@dataclass(frozen=True)
class Section:
    """Rows that make one table. ratios: (A, B) for the column A / B, of times."""

    name: str
    title: str
    contenders: tuple
    ratios: tuple
    in_gbps: bool = False
    longer: float = 1  # than others' is what is timed at once


def size(count):
    for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
        if count >= unit and count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} B"


_C = ("libpar", "raw")
_PYTHON = (
    ("pypar buffer", "raw"),
    ("pypar new", "raw"),
    ("pypar buffer", "mpi4py Send"),
    ("mpi4py send", "pypar new"),
)

_ALL = tuple(
    name
    for name, (program, *_) in CONTENDERS.items()
    if program in ("raw_mpi", "par", "pypar", "mpi4py")
)

LATENCY = Section("latency", "Latency, one way, µs", _ALL, (_C, *_PYTHON))
BANDWIDTH = Section("bandwidth", "Bandwidth, one way, GB/s", _ALL, (_C, *_PYTHON), True)
RATE = Section(
    "rate",
    "Message rate, windows of 64, µs a message",
    ("raw", "libpar", "pypar new", "pypar buffer", "mpi4py send", "mpi4py Send"),
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
    "Collectives, 2 ranks, roots take turns, parts of so many bytes, µs a call",
    ("raw", "libpar", "pypar buffer", "mpi4py Send"),
    (_C, ("pypar buffer", "mpi4py Send")),
)
OF_FOUR = Section(
    "collective of four",
    "Collectives, 4 ranks on 2 cores, raw MPI and mpi4py told to yield, µs a call",
    COLLECTIVES.contenders,
    COLLECTIVES.ratios,
)
OF_OBJECTS = Section(
    "collective of objects",
    "Collectives of objects, 2 ranks, roots take turns, µs a call",
    OBJECTS.contenders,
    OBJECTS.ratios,
)
CROWD = Section(
    "crowd",
    "16 ranks on 2 cores, raw MPI told to yield: µs a hop of a ring, µs a barrier",
    ("raw", "libpar"),
    (_C,),
)
PLACE = Section("place", "Placement at the start of a job on 2 cores, µs", ("place",), ())
MATMUL = Section(
    "matmul",
    "Each rank squares a matrix of 768 x 768 with NumPy's threads, µs",
    ("mpirun's CPUs", "par's places"),
    (("mpirun's CPUs", "par's places"),),
)

_SLICE_OF_POOLS = 25  # their processes start to work, and sleep again
_POOLS = ("pypar Pool", "multiprocessing", "MPIPoolExecutor", "joblib", "dask", "Ray")
POOL = Section(
    "pool",
    "Pools of 2 workers, µs a task",
    _POOLS,
    tuple((other, "pypar Pool") for other in _POOLS[1:]),
    longer=_SLICE_OF_POOLS,
)
POOL_UNEVEN = Section(
    "pool",
    "Fibonacci numbers of 300 sizes by 2 workers, µs for all",
    ("pypar Pool", "multiprocessing", "ideal"),
    (("pypar Pool", "ideal"), ("multiprocessing", "ideal")),
    longer=_SLICE_OF_POOLS,
)
POOL_START = Section(
    "pool",
    "A new pool and its first result, µs",
    ("pypar Pool", "multiprocessing", "MPIPoolExecutor"),
    (("multiprocessing", "pypar Pool"), ("MPIPoolExecutor", "pypar Pool")),
    longer=_SLICE_OF_POOLS,
)

OBJECT_NAMES = (
    *("None", "42", "3.14", "'hello'", "bytes", "tuple", "dict", "dataclass"),
    *("1000-floats", "1000-ints", "1000-str", "10-arrays"),
)
SMALL = (0, 8, 64, 256, KIB, 3900, 4 * KIB)
RATES = (8, 256, KIB)
LARGE = (
    *(n * KIB for n in (8, 16, 32, 64, 256)),
    *(n * MIB for n in (1, 4, 16, 64, 256)),
)
PARTS = (8, KIB, 64 * KIB, MIB)
MOVES = ("broadcast", "scatter", "gather", "allgather", "alltoall")
JOINS = ("reduce", "allreduce")


def _collectives(section, functions, ranks=2):
    return [
        Row(section, f"{what} {size(n)}", what, n, ranks)
        for what in functions
        for n in PARTS
    ]


ROWS = [
    *(Row(LATENCY, f"{n} B", "pingpong", n) for n in SMALL),
    *(Row(BANDWIDTH, size(n), "pingpong", n) for n in LARGE),
    *(Row(RATE, size(n), "rate", n) for n in RATES),
    *(Row(OBJECTS, name, "object", name) for name in OBJECT_NAMES),
    Row(COLLECTIVES, "barrier", "barrier", 0),
    *_collectives(COLLECTIVES, MOVES + JOINS),
    *_collectives(OF_FOUR, ("broadcast", "alltoall", "allreduce"), ranks=4),
    *(Row(OF_OBJECTS, f"{what} tuple", what, "tuple") for what in MOVES),
    *(Row(OF_OBJECTS, f"{what} 42", what, "42") for what in JOINS),
    *(
        Row(OF_OBJECTS, f"{what} 1-MiB-array", what, "1-MiB-array")
        for what in MOVES + JOINS
    ),
    Row(CROWD, "ring", "ring", 8, ranks=16),
    Row(CROWD, "barrier", "barrier", 0, ranks=16),
    Row(PLACE, "16 ranks", "place", 0, ranks=16),
    Row(MATMUL, "1 rank", "matmul", 768 * 768 * 8, ranks=1),
    Row(MATMUL, "2 ranks", "matmul", 768 * 768 * 8),
    Row(POOL, "empty tasks, each alone", "tasks", 8, ranks=1),
    Row(POOL, "empty tasks, in chunks", "chunks", 8, ranks=1),
    Row(POOL, "1 MiB there and back", "arrays", MIB, ranks=1),
    Row(POOL_UNEVEN, "uneven tasks", "uneven", 8, ranks=1),
    Row(POOL_START, "start", "start", 8, ranks=1),
]


@dataclass(frozen=True)
class Target:
    """The ratio of A's median to B's, in the worst of ROWS, is to be at most MOST
    or at least LEAST. Without B it is A's median in milliseconds."""

    what: str
    a: str
    b: str | None
    rows: tuple
    most: float | None = None
    least: float | None = None


def _sized(low, high=1 << 62):
    """The rows of arrays of LOW to HIGH bytes that go to and fro."""
    return tuple(
        row.name for row in ROWS if row.what == "pingpong" and low <= row.payload <= high
    )


def _objects(*names):
    return tuple(f"object {name}" for name in names)


def _parts(section, least=1, most=1 << 62):
    """The collectives of SECTION whose parts have LEAST to MOST bytes."""
    return tuple(
        row.name
        for row in ROWS
        if row.section is section and least <= row.payload <= most
    )


def _of_objects(*names):
    return tuple(
        row.name for row in ROWS if row.section is OF_OBJECTS and row.payload in names
    )


_BUFFER = ("pypar buffer", "raw")
_OBJECT = ("mpi4py send", "pypar object")
_EACH = ("pool empty tasks, each alone",)
_LARGE_TASKS = ("pool 1 MiB there and back",)

TARGETS = [
    Target("libpar, 8 B", *_C, ("latency 8 B",), most=1.15),
    Target("libpar, 1 KiB", *_C, ("latency 1024 B",), most=1.10),
    Target("libpar, 64 KiB and more", *_C, _sized(low=64 * KIB), most=1.03),
    Target("libpar, 4 to 32 KiB", *_C, _sized(low=4 * KIB, high=32 * KIB), most=0.6),
    Target(
        "libpar, message rate", *_C, tuple(f"rate {size(n)}" for n in RATES), most=1.25
    ),
    Target("pypar into a buffer, 8 B", *_BUFFER, ("latency 8 B",), most=1.6),
    Target(
        "pypar into a buffer, 64 KiB and more", *_BUFFER, _sized(low=64 * KIB), most=1.05
    ),
    Target(
        "pypar into a new array, 64 KiB to 16 MiB",
        *("pypar new", "raw"),
        _sized(low=64 * KIB, high=16 * MIB),
        most=1.15,
    ),
    Target(
        "None, 42, 'hello', small tuple and dict",
        *_OBJECT,
        _objects("None", "42", "'hello'", "tuple", "dict"),
        least=2.5,
    ),
    Target(
        "lists of 1000 numbers", *_OBJECT, _objects("1000-floats", "1000-ints"), least=3
    ),
    Target(
        "arrays, 8 B to 64 MiB",
        *("mpi4py send", "pypar new"),
        _sized(low=8, high=64 * MIB),
        least=5,
    ),
    Target(
        "dict of ten 1 MiB arrays, against pkl5",
        *("mpi4py pkl5", "pypar object"),
        _objects("10-arrays"),
        least=1,
    ),
    Target(
        "dict of ten 1 MiB arrays, against send", *_OBJECT, _objects("10-arrays"), least=3
    ),
    Target("collectives, below 64 KiB", *_C, _parts(COLLECTIVES, most=KIB), most=1.6),
    Target(
        "collectives, 64 KiB and more",
        *_C,
        _parts(COLLECTIVES, least=64 * KIB),
        most=1.15,
    ),
    Target("collectives of four, below 64 KiB", *_C, _parts(OF_FOUR, most=KIB), most=1.6),
    Target(
        "collectives of four, 64 KiB and more",
        *_C,
        _parts(OF_FOUR, least=64 * KIB),
        most=1.15,
    ),
    Target(
        "collectives of small objects",
        *_OBJECT,
        _of_objects("tuple", "42"),
        least=2,
    ),
    Target(
        "collectives of 1 MiB arrays as objects",
        *_OBJECT,
        _of_objects("1-MiB-array"),
        least=5,
    ),
    Target("ring of 16 ranks, a hop", *_C, ("crowd ring",), most=1.3),
    *(
        Target("pool, empty tasks", other, "pypar Pool", _EACH, least=least)
        for other, least in zip(_POOLS[1:5], (10, 50, 10, 500), strict=True)
    ),
    Target(
        "pool, chunks of empty tasks",
        *("pypar Pool", "multiprocessing"),
        ("pool empty tasks, in chunks",),
        most=1,
    ),
    *(
        Target("pool, 1 MiB", other, "pypar Pool", _LARGE_TASKS, least=5)
        for other in ("multiprocessing", "MPIPoolExecutor")
    ),
    Target(
        "pool, uneven tasks", "pypar Pool", "ideal", ("pool uneven tasks",), most=1.05
    ),
    Target("pool, first result, ms", "pypar Pool", None, ("pool start",), most=5),
]
