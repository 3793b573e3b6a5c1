# SPDX-License-Identifier: MIT
"""The commands and programs that README.md and docs/*.md show do work.

Every block of sh runs as it stands, from the top of the sources. Of ./dev test,
which is what runs this, and of ./dev clean only the verb is looked up. Every
block of python or c is a whole program and runs on 2 ranks, or as many as the line
above it says: <!-- ranks: 3 -->. A block of text behind it is what it prints, the
lines in any order. A line above says why a block is not run, if so:
<!-- not run: needs a cluster -->.
"""

import json
import os
import re
import subprocess
import sys

import pytest
from mpirun import BUILD, PYTHON, SOURCE, alone, mpirun

PAGES = [SOURCE / "README.md", *sorted(SOURCE.glob("docs/*.md"))]
BLOCK = re.compile(
    r"^(?:<!-- (?:ranks: (?P<ranks>\d+)|not run: (?P<reason>[^\n]*?)) -->\n+)?"
    r"```(?P<language>sh|python|c)\n(?P<text>.*?)^```\n"
    r"(?:\n*```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
NOT_HERE = re.compile(r"^(\./dev (test|clean)\b|\.ci/run\b).*\n", re.MULTILINE)


def blocks_of(page, *languages):
    """The blocks of a page in one of the languages, as the parameters of a test."""
    text = page.read_text()
    for block in BLOCK.finditer(text):
        if block["language"] in languages:
            line = text.count("\n", 0, block.start("text")) + 1
            marks = [pytest.mark.skip(block["reason"])] if block["reason"] else []
            where = f"{page.relative_to(SOURCE)}:{line}"
            yield pytest.param(block, id=where, marks=marks)


# What needs a cluster is run on one: tests/cluster/test_page.py.
HERE = [page for page in PAGES if page.name != "slurm.md"]
BLOCKS = [block for page in HERE for block in blocks_of(page, "sh")]
PROGRAMS = [block for page in PAGES for block in blocks_of(page, "python", "c")]


@pytest.fixture
def environment(tmp_path):
    """Keeps `pip install` and the tests' own environment apart."""

    def made(script):
        if not re.search(r"\bpip\b", script):
            return {}
        venv = tmp_path / "venv"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        path = os.pathsep.join([str(venv / "bin"), os.environ["PATH"]])
        return {"PATH": path, "VIRTUAL_ENV": venv, "PYTHONPATH": ""}

    return made


def test_the_pages_have_commands_and_programs():
    assert any(block.id.startswith("README.md:") for block in BLOCKS)
    assert len(PROGRAMS) > 10
    shown = [re.findall(r"^```(?:python|c)$", page.read_text(), re.M) for page in PAGES]
    assert len(PROGRAMS) == sum(map(len, shown))


PARTS_OF_PROGRAMS = ("args", "fib_plan", "fib_pool")


def test_every_sample_program_has_its_line_and_its_command():
    page = (SOURCE / "docs" / "apps.md").read_text()
    files = [f for f in SOURCE.glob("apps/*") if f.suffix in (".c", ".py")]
    programs = [file for file in files if file.stem not in PARTS_OF_PROGRAMS]
    assert len(programs) > 8
    for file in programs:
        assert f"(../apps/{file.name})" in page
        command = f"python apps/{file.name}" if file.suffix == ".py" else file.stem
        assert re.search(rf"mpirun -np \d+ {command}\b", page), file


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_commands_runs(block, environment, monkeypatch):
    monkeypatch.chdir(SOURCE)
    script = NOT_HERE.sub("", block["text"])
    done = alone("sh", "-e", "-c", script, timeout=900, env=environment(script))
    assert done.returncode == 0, done


@pytest.mark.parametrize("block", BLOCKS)
def test_the_verbs_of_a_block_exist(block):
    told = alone(SOURCE / "dev", "help").stdout
    for verb in re.findall(r"^\./dev ([a-z]+)", block["text"], re.MULTILINE):
        assert re.search(rf"^  {verb} ", told, re.MULTILINE), verb


def compiled(source):
    program = source.with_suffix("")
    library = BUILD / "lib"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-I", SOURCE / "lib" / "include"]
    linked = ["-L", library, f"-Wl,-rpath,{library}", "-lpar"]
    done = alone("cc", *flags, source, "-o", program, *linked)
    assert done.returncode == 0, done
    return [program]


@pytest.mark.parametrize("block", PROGRAMS)
def test_a_program_runs_and_prints_what_the_page_says(block, tmp_path):
    source = tmp_path / ("program.c" if block["language"] == "c" else "program.py")
    source.write_text(block["text"])
    program = compiled(source) if source.suffix == ".c" else [PYTHON, source]
    done = mpirun(int(block["ranks"] or 2), *program)
    assert done.returncode == 0 and not done.stderr, done
    if block["output"] is not None:
        told = sorted(done.stdout.splitlines())
        assert told == sorted(block["output"].splitlines()), done


# ---- drawings of places --------------------------------------------------------

PLACEMENT = SOURCE / "docs" / "placement.md"
DRAWINGS = re.compile(r"^<!-- drawn on: ([^\n]*) -->\n\n```text\n(.*?)^```$", re.M | re.S)
COLUMN = 43  # where the right one of two drawings begins
DRAW = """
import json, sys, pypar

for bind, threads in json.loads(sys.argv[1]):
    pypar.place(bind, threads)
    text = pypar.where()
    if text:
        print(json.dumps(text.split("\\n\\n")[2].splitlines()[:-1]))
"""


def drawings_of(block):
    """Each drawing's title and lines."""
    for group in block.split("\n\n"):
        lines = group.splitlines()
        for half in ([x[:COLUMN].rstrip() for x in lines], [x[COLUMN:] for x in lines]):
            if half[0]:
                yield half[0], half[1:]


def asked_by(title):
    """How many ranks a drawing's title means, and what each of its words asks for."""
    if ranks := re.fullmatch(r"(\d+) ranks", title):
        return int(ranks[1]), [(None, None)]
    *policies, last = title.split(", ")
    if threads := re.fullmatch(r"PAR_THREADS_PER_RANK=(\d+)", last):
        return 4, [(policy, int(threads[1])) for policy in policies]
    return 4, [(policy, None) for policy in [*policies, last]]


def drawn_by_pypar(machine, ranks, asked):
    variable = "HWLOC_XMLFILE" if machine.endswith(".xml") else "HWLOC_SYNTHETIC"
    value = SOURCE / machine if machine.endswith(".xml") else machine
    job = [PYTHON, "-c", DRAW, json.dumps(asked)]
    done = mpirun(ranks, *job, env={variable: value})
    assert done.returncode == 0 and not done.stderr, done
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [[line[2:] for line in lines] for lines in found]


def test_the_drawings_of_places_are_the_programs_own():
    expected = {}  # machine, number of ranks -> what is asked for and drawn
    for machine, block in DRAWINGS.findall(PLACEMENT.read_text()):
        for title, lines in drawings_of(block):
            ranks, asked = asked_by(title)
            job = expected.setdefault((machine, ranks), [])
            job.extend((ask, lines) for ask in asked)
    assert sum(map(len, expected.values())) == 11
    for (machine, ranks), told in expected.items():
        drawn = drawn_by_pypar(machine, ranks, [ask for ask, _ in told])
        assert drawn == [lines for _, lines in told]


def test_the_report_that_is_shown_is_the_programs_own():
    page = PLACEMENT.read_text()
    machine = re.search(r'^`HWLOC_SYNTHETIC="(.*?)"` makes', page, re.MULTILINE)[1]
    shown = re.search(r"^```text\n(4 ranks on 1 node\n.*?)^```$", page, re.M | re.S)[1]
    where = [PYTHON, "-m", "pypar", "where"]
    done = mpirun(4, *where, env={"HWLOC_SYNTHETIC": machine})
    assert done.stdout == shown.replace("\nvm: ", f"\n{os.uname().nodename}: ")
