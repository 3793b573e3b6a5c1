# SPDX-License-Identifier: MIT
"""The benchmark works: every row is there, for every contender. How fast anything
is, is not tested here: a test must not fail because the machine is busy."""

import importlib.util
import json
import re
import subprocess
import sys

import pytest
from mpirun import BUILD, PYTHON, SOURCE, alone

BENCH = SOURCE / "tests" / "bench" / "bench.py"
HAS_MPI4PY, HAS_JOBLIB, HAS_DASK, HAS_RAY = (
    importlib.util.find_spec(module) is not None
    for module in ("mpi4py", "joblib", "distributed", "ray")
)


@pytest.fixture(scope="module", autouse=True)
def built():
    """The contenders in C, which nothing else needs."""
    made = subprocess.run(
        ["cmake", "--build", BUILD, "--target", "bench"], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stdout + made.stderr


def bench(*words, **options):
    return alone(PYTHON, BENCH, *words, **options)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A run of everything: its table, and its samples."""
    file = tmp_path_factory.mktemp("bench") / "samples.json"
    done = bench("--quick", "--json", file, timeout=900)
    assert done.returncode == 0, done
    return done.stdout, json.loads(file.read_text())


def expected_rows():
    sizes = ["0 B", "8 B", "64 B", "256 B", "1024 B", "3900 B", "4096 B"]
    large = ["8 KiB", "16 KiB", "32 KiB", "64 KiB", "256 KiB", "1 MiB", "4 MiB", "16 MiB"]
    objects = ["None", "42", "3.14", "'hello'", "bytes", "tuple", "dict", "dataclass"]
    many = ["1000-floats", "1000-ints", "1000-str", "10-arrays"]
    parts = ["8 B", "1 KiB", "64 KiB", "1 MiB"]
    moves = ["broadcast", "scatter", "gather", "allgather", "alltoall"]
    joins = ["reduce", "allreduce"]
    return [
        *(f"latency {size}" for size in sizes),
        *(f"bandwidth {size}" for size in large),
        *(f"rate {size}" for size in ("8 B", "256 B", "1 KiB")),
        *(f"object {name}" for name in objects + many),
        "collective barrier",
        *(f"collective {what} {size}" for what in moves + joins for size in parts),
        *(f"collective of four broadcast {size}" for size in parts),
        *(f"collective of four alltoall {size}" for size in parts),
        *(f"collective of four allreduce {size}" for size in parts),
        *(f"collective of objects {what} tuple" for what in moves),
        *(f"collective of objects {what} 42" for what in joins),
        *(f"collective of objects {what} 1-MiB-array" for what in moves + joins),
        "crowd ring",
        "crowd barrier",
        "place 16 ranks",
        "matmul 1 rank",
        "matmul 2 ranks",
        "pool empty tasks, each alone",
        "pool empty tasks, in chunks",
        "pool 1 MiB there and back",
        "pool uneven tasks",
        "pool start",
    ]


def pools(row):
    if row == "pool uneven tasks":
        return ["pypar Pool", "multiprocessing", "ideal"]
    others = ["MPIPoolExecutor"] if HAS_MPI4PY else []
    if row != "pool start":
        others += ["joblib"] if HAS_JOBLIB else []
        others += ["dask"] if HAS_DASK else []
        others += ["Ray"] if HAS_RAY else []
    return ["pypar Pool", "multiprocessing", *others]


def contenders(row):
    section = row["section"]
    if section == "pool":
        return pools(row["name"])
    names = {
        "object": ["pypar object"],
        "rate": ["raw", "libpar", "pypar new", "pypar buffer"],
        "collective": ["raw", "libpar", "pypar buffer"],
        "collective of four": ["raw", "libpar", "pypar buffer"],
        "collective of objects": ["pypar object"],
        "crowd": ["raw", "libpar"],
        "place": ["place"],
        "matmul": ["mpirun's CPUs", "par's places"],
    }.get(section, ["raw", "libpar", "pypar object", "pypar new", "pypar buffer"])
    mpi4py = {
        "object": ["mpi4py send", "mpi4py pkl5"],
        "rate": ["mpi4py send", "mpi4py Send"],
        "collective": ["mpi4py Send"],
        "collective of four": ["mpi4py Send"],
        "collective of objects": ["mpi4py send", "mpi4py pkl5"],
        "crowd": [],
        "place": [],
        "matmul": [],
    }.get(section, ["mpi4py send", "mpi4py Send", "mpi4py pkl5"])
    return names + (mpi4py if HAS_MPI4PY else [])


def test_every_row_has_samples_of_every_contender(quick):
    _, samples = quick
    assert [row["name"] for row in samples["rows"]] == expected_rows()
    for row in samples["rows"]:
        assert list(row["seconds"]) == contenders(row), row["name"]
        for name, figures in row["seconds"].items():
            assert figures["samples"], (row["name"], name)
            assert 0 < figures["min"] <= figures["median"], (row["name"], name)


def test_the_table_has_every_row(quick):
    text, samples = quick
    for row in samples["rows"]:
        label = row["name"].removeprefix(row["section"]).strip()
        assert re.search(rf"^\| {re.escape(label)} +\| +[0-9]", text, re.M), row["name"]


def test_targets_are_judged_by_their_medians(quick):
    text, samples = quick
    medians = {
        row["name"]: {name: f["median"] for name, f in row["seconds"].items()}
        for row in samples["rows"]
    }
    judged = [target for target in samples["targets"] if target["worst"] is not None]
    assert "ring of 16 ranks, a hop" in [target["what"] for target in judged]
    for target in judged:
        if not target["b"]:
            milliseconds = [1000 * medians[row][target["a"]] for row in target["rows"]]
            assert target["worst"] == pytest.approx(max(milliseconds))
            continue
        ratios = [
            medians[row][target["a"]] / medians[row][target["b"]]
            for row in target["rows"]
        ]
        if target["least"] is None:
            assert target["worst"] == pytest.approx(max(ratios))
            assert target["reached"] == (max(ratios) <= target["most"])
        else:
            assert target["worst"] == pytest.approx(min(ratios))
            assert target["reached"] == (min(ratios) >= target["least"])
        assert f"| {target['what']} " in text


def test_only_takes_the_rows_asked_for_and_starts_no_other_job():
    done = bench("--quick", "--only", "OBJECT none")
    assert done.returncode == 0, done
    assert re.findall(r"^\| (\S+) +\| +[0-9]", done.stdout, re.M) == ["None"]
    assert "rate" not in done.stdout.split("To reach")[0], done


@pytest.mark.parametrize(
    "words", [["--only", "nonsense"], ["--rounds", "0"], ["--rounds", "x"]]
)
def test_bad_options_are_status_2(words):
    done = bench(*words)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert words[-1] in done.stderr


# A library that stands between the contender in raw MPI and MPI.
SPOILER = """
#include <mpi.h>
#include <signal.h>

static int spoil(int code, char *last)
{
    static int calls;

    if (++calls >= 100)
        SPOIL;
    return code;
}

int MPI_Recv(void *data, int count, MPI_Datatype type, int source, int tag,
             MPI_Comm comm, MPI_Status *status)
{
    int code = PMPI_Recv(data, count, type, source, tag, comm, status);

    return spoil(code, (char *)data + count - 1);
}

int MPI_Alltoall(const void *out, int outs, MPI_Datatype type, void *in, int ins,
                 MPI_Datatype in_type, MPI_Comm comm)
{
    int code = PMPI_Alltoall(out, outs, type, in, ins, in_type, comm);

    return spoil(code, (char *)in + 2 * ins - 1);
}
"""


@pytest.mark.parametrize(
    ("row", "spoil", "told"),
    [
        ("latency 8 B", "*last ^= 1", "did not arrive intact"),
        ("collective alltoall 8 B", "*last ^= 1", "did not arrive intact"),
        ("latency 8 B", "raise(SIGKILL)", "is gone"),
    ],
)
def test_what_goes_wrong_in_a_contender_ends_the_benchmark(tmp_path, row, spoil, told):
    source, library = tmp_path / "spoil.c", tmp_path / "spoil.so"
    source.write_text(SPOILER.replace("SPOIL", spoil))
    subprocess.run(["mpicc", "-shared", "-fPIC", "-o", library, source], check=True)
    done = bench("--quick", "--only", row, env={"LD_PRELOAD": library})
    assert done.returncode == 1, done
    assert done.stdout == ""
    # Both receive by the function that is spoilt; either may be the first to notice.
    assert re.search(f"^bench: (raw_mpi|mpi4py)-2: .*{told}", done.stderr, re.M), done


def test_a_payload_that_changes_on_the_way_is_noticed(tmp_path):
    """By the part that all contenders in Python share."""
    script = tmp_path / "spoil.py"
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "import measure\n"
        "class Spoilt(measure.Form):\n"
        "    def pingpong(self, work, count):\n"
        "        work.got = work.expected.copy()\n"
        "        if count == 7:\n"
        "            work.got[-1] += 1\n"
        "form = Spoilt(0, 2)\n"
        "order = measure.Order('pingpong - 65536 6')\n"
        "assert measure.measure(form, order, lambda: None) is not None\n"
        "order = measure.Order('pingpong - 65536 7')\n"
        "assert measure.measure(form, order, lambda: None) is None\n"
    )
    done = alone(sys.executable, script, BENCH.parent)
    assert done.returncode == 0, done


def test_scale_has_a_row_for_each_program_and_number_of_ranks():
    done = alone(PYTHON, BENCH.with_name("scale.py"), "1", "3")
    assert done.returncode == 0, done
    rows = re.findall(
        r"^\| (\d) \| (.*?) \| ([\d.]+) \| ([\d.]+) \| (\d+) ", done.stdout, re.M
    )
    programs = ["raw MPI", "libpar", "pypar"]
    assert [row[:2] for row in rows] == [(n, p) for n in "13" for p in programs]
    for _, _, job, start, private in rows:
        assert float(job) >= float(start) > 0 and int(private) > 100
    assert [f"- {program}, KiB a peer: " in done.stdout for program in programs] == [
        True
    ] * 3
    assert alone(PYTHON, BENCH.with_name("scale.py"), "0").returncode == 2
