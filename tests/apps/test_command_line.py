# SPDX-License-Identifier: MIT
"""What the sample programs do with a command line that is not right: one line from
one rank, status 2, and nothing from mpirun."""

import pytest
from mpirun import APPS, PYTHON, SOURCE, alone, mpirun, unlabelled

IN_C = ["ring", "fib", "pi", "mandelbrot"]
IN_PYTHON = """
ring.py fib.py pi.py mandelbrot.py farm.py bsend.py heat.py darts.py commands.py fetch.py
images.py
""".split()
PROGRAMS = {name: [APPS / name] for name in IN_C}
PROGRAMS |= {name: [PYTHON, SOURCE / "apps" / name] for name in IN_PYTHON}

LAPS = "ring: --laps wants a number from 1 to 1000000000, got "
BYTES = "ring: --bytes wants a number from 0 to 1073741824, got "
FIB = "fib: wants a number from 0 to 93, got "
FIB_PY = "fib.py: argument number: wants 0 to 93, got "
PI = "pi: --intervals wants a number from 1 to 1000000000, got "
PI_PY = "pi.py: argument --intervals: wants 1 to 1000000000, got "
WIDTH = "mandelbrot.py: argument --width: wants 1 to 10000, got "
FARM = "farm.py: argument number: wants 0 to 100000000000000, got "
BSEND = "bsend.py: argument --numbers: wants 0 to 100000000, got "
HEAT_PY = "heat.py: argument --rows: wants 1 to 1000000, got "
DARTS = "darts.py: argument --darts: wants 1 to 100000000000, got "
FETCH = "fetch.py: argument address: wants http://... or https://..., got "
HUGE = "9" * 5000

REFUSED = [
    ("ring", ["--laps", "x"], LAPS + '"x"'),
    ("ring", ["--laps"], LAPS + "nothing"),
    ("ring", ["--laps="], LAPS + '""'),
    ("ring", ["--laps", ""], LAPS + '""'),
    ("ring", ["--laps", "0"], LAPS + '"0"'),
    ("ring", ["--laps", "-1"], LAPS + '"-1"'),
    ("ring", ["--laps", "+1"], LAPS + '"+1"'),
    ("ring", ["--laps", "1.5"], LAPS + '"1.5"'),
    ("ring", ["--laps", "0x10"], LAPS + '"0x10"'),
    ("ring", ["--laps", " 1"], LAPS + '" 1"'),
    ("ring", ["--laps=10 "], LAPS + '"10 "'),
    ("ring", ["--laps", "10x"], LAPS + '"10x"'),
    ("ring", ["--laps", "1\n2"], LAPS + '"1?2"'),
    ("ring", ["--laps", "1000000001"], LAPS + '"1000000001"'),
    ("ring", ["--laps", str(2**64 + 1)], LAPS + f'"{2**64 + 1}"'),
    ("ring", ["--laps", HUGE], LAPS + f'"{HUGE[:63]}..."'),
    ("ring", ["--bytes", "-1"], BYTES + '"-1"'),
    ("ring", ["--bytes", "1073741825"], BYTES + '"1073741825"'),
    ("ring", ["--lap", "1"], 'ring: unknown option "--lap"; --help lists what there is'),
    ("ring", ["-l"], 'ring: unknown option "-l"; --help lists what there is'),
    ("ring", ["5"], 'ring: unknown argument "5"; --help lists what there is'),
    ("ring", [""], 'ring: unknown argument ""; --help lists what there is'),
    ("fib", ["94"], FIB + '"94"'),
    ("fib", ["30", "-3"], FIB + '"-3"'),
    ("fib", ["30x"], FIB + '"30x"'),
    ("fib", [HUGE], FIB + f'"{HUGE[:63]}..."'),
    ("fib", ["--scatter", "x"], 'fib: --scatter wants cost, block or pool, got "x"'),
    ("fib", ["--scatter"], "fib: --scatter wants cost, block or pool, got nothing"),
    ("fib", ["--laps", "1"], 'fib: unknown option "--laps"; --help lists what there is'),
    ("ring.py", ["5"], "ring.py: unrecognized arguments: 5"),
    ("ring.py", ["--laps"], "ring.py: unrecognized arguments: --laps"),
    ("fib.py", ["94"], FIB_PY + '"94"'),
    ("fib.py", ["30", "-3"], FIB_PY + '"-3"'),
    ("fib.py", ["30x"], FIB_PY + '"30x"'),
    ("fib.py", ["3\n4"], FIB_PY + '"3?4"'),
    ("fib.py", ["٣"], FIB_PY + '"٣"'),
    ("fib.py", [HUGE], FIB_PY + f'"{HUGE[:64]}"'),
    ("fib.py", ["--scatter"], "fib.py: argument --scatter: expected one argument"),
    ("fib.py", ["--laps"], "fib.py: unrecognized arguments: --laps"),
    ("pi", ["--intervals", "0"], PI + '"0"'),
    ("pi", ["--intervals", "1000000001"], PI + '"1000000001"'),
    ("pi", ["5"], 'pi: unknown argument "5"; --help lists what there is'),
    (
        "mandelbrot",
        ["--height", "0"],
        'mandelbrot: --height wants a number from 1 to 10000, got "0"',
    ),
    ("pi.py", ["--intervals", "0"], PI_PY + '"0"'),
    ("pi.py", ["--intervals=1e6"], PI_PY + '"1e6"'),
    ("pi.py", ["--intervals", "1000000001"], PI_PY + '"1000000001"'),
    ("mandelbrot.py", ["--width", "0"], WIDTH + '"0"'),
    ("mandelbrot.py", ["--width", "10001"], WIDTH + '"10001"'),
    (
        "mandelbrot.py",
        ["--cyclic", "--dynamic"],
        "mandelbrot.py: argument --dynamic: not allowed with argument --cyclic",
    ),
    ("mandelbrot.py", ["--out"], "mandelbrot.py: argument --out: expected one argument"),
    ("farm.py", ["6", "x"], FARM + '"x"'),
    ("farm.py", [str(10**14 + 1)], FARM + f'"{10**14 + 1}"'),
    ("bsend.py", ["--numbers", "-1"], BSEND + '"-1"'),
    ("bsend.py", ["--numbers", "100000001"], BSEND + '"100000001"'),
    ("heat.py", ["--rows", "0"], HEAT_PY + '"0"'),
    ("heat.py", ["--rows", "1000001"], HEAT_PY + '"1000001"'),
    ("heat.py", ["--rows", "1.5"], HEAT_PY + '"1.5"'),
    ("heat.py", ["--rows"], "heat.py: argument --rows: expected one argument"),
    ("heat.py", ["--row", "5"], "heat.py: unrecognized arguments: --row 5"),
    ("darts.py", ["--darts", "0"], DARTS + '"0"'),
    ("commands.py", ["--x"], "commands.py: unrecognized arguments: --x"),
    ("fetch.py", ["file:///etc/passwd"], FETCH + '"file:///etc/passwd"'),
    ("images.py", ["--out"], "images.py: argument --out: expected one argument"),
]


def check_refused(done, complaint):
    assert (done.returncode, done.stdout) == (2, ""), done
    assert unlabelled(done.stderr) == complaint + "\n", done


@pytest.mark.parametrize("program, arguments, complaint", REFUSED)
def test_refused(program, arguments, complaint):
    check_refused(alone(*PROGRAMS[program], *arguments), complaint)


def test_fib_py_refuses_an_unknown_way_to_scatter():
    done = alone(*PROGRAMS["fib.py"], "--scatter", "x")
    assert (done.returncode, done.stdout) == (2, ""), done
    # The words behind this are argparse's and differ between versions.
    assert done.stderr.startswith("fib.py: argument --scatter: invalid choice: 'x'")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("n", [1, 2, 3, 16])
@pytest.mark.parametrize(
    "program, arguments, complaint",
    [
        ("ring", ["--laps", "x"], LAPS + '"x"'),
        ("fib", ["94"], FIB + '"94"'),
        ("ring.py", ["--laps"], "ring.py: unrecognized arguments: --laps"),
        ("fib.py", ["94"], FIB_PY + '"94"'),
        ("pi", ["--intervals", "0"], PI + '"0"'),
        ("farm.py", ["x"], FARM + '"x"'),
        ("heat.py", ["--rows", "0"], HEAT_PY + '"0"'),
        ("darts.py", ["--darts", "0"], DARTS + '"0"'),
    ],
)
def test_refused_by_one_rank_of(n, program, arguments, complaint):
    check_refused(mpirun(n, *PROGRAMS[program], *arguments), complaint)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("program", PROGRAMS)
def test_help_is_printed_once(program, n):
    done = mpirun(n, *PROGRAMS[program], "--help")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.count("--help") == 1


OPTIONS = {
    "ring": ["--laps", "--bytes"],
    "fib": ["--scatter", "0 to 93"],
    "pi": ["--intervals", "1000000 unless given"],
    "mandelbrot.py": [*"--width --height --iterations --blockwise --out FILE".split()],
}


@pytest.mark.parametrize("program", OPTIONS)
def test_help_names_every_option(program):
    done = alone(*PROGRAMS[program], "--help")
    for option in OPTIONS[program]:
        assert option in done.stdout, done
