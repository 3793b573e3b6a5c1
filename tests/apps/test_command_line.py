# SPDX-License-Identifier: MIT
"""What the sample programs do with a command line that is not right: one line from
one rank, status 2, and nothing from mpirun."""

import pytest
from mpirun import APPS, PYTHON, SOURCE, alone, mpirun

PROGRAMS = {
    "ring": [APPS / "ring"],
    "fib": [APPS / "fib"],
    "ring.py": [PYTHON, SOURCE / "apps" / "ring.py"],
    "fib.py": [PYTHON, SOURCE / "apps" / "fib.py"],
}

LAPS = "ring: --laps wants a number from 1 to 1000000000, got "
BYTES = "ring: --bytes wants a number from 0 to 1073741824, got "
FIB = "fib: wants a number from 0 to 93, got "
FIB_PY = "fib.py: argument number: wants 0 to 93, got "
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
    ("fib", ["--scatter", "x"], 'fib: --scatter wants cost or block, got "x"'),
    ("fib", ["--scatter"], "fib: --scatter wants cost or block, got nothing"),
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
]


def check_refused(done, complaint):
    assert (done.returncode, done.stdout, done.stderr) == (2, "", complaint + "\n"), done


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


@pytest.mark.parametrize("program", ["ring", "fib"])
def test_help_names_every_option(program):
    done = alone(*PROGRAMS[program], "--help")
    options = {"ring": ["--laps", "--bytes"], "fib": ["--scatter", "0 to 93"]}
    for option in options[program]:
        assert option in done.stdout, done
