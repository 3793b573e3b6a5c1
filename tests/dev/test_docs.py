# SPDX-License-Identifier: MIT
"""The commands that README.md and docs/*.md tell people to type do work.

Every block of sh runs as it stands, from the top of the sources, unless the
line above it says why not: <!-- not run: needs a cluster -->. Of ./dev test,
which is what runs this, and of ./dev clean only the verb is looked up.
"""

import os
import re
import subprocess
import sys

import pytest
from mpirun import SOURCE, alone

PAGES = [SOURCE / "README.md", *sorted(SOURCE.glob("docs/*.md"))]
BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]*?) -->\n+)?```sh\n(?P<script>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
NOT_HERE = re.compile(r"^(\./dev (test|clean)\b|\.ci/run\b).*\n", re.MULTILINE)


def blocks_of(page):
    text = page.read_text()
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start("script")) + 1
        marks = [pytest.mark.skip(block["reason"])] if block["reason"] else []
        where = f"{page.relative_to(SOURCE)}:{line}"
        yield pytest.param(block["script"], id=where, marks=marks)


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


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


def test_the_readme_has_commands():
    assert any(block.id.startswith("README.md:") for block in BLOCKS)


def test_every_sample_program_has_its_line_and_its_command():
    page = (SOURCE / "docs" / "apps.md").read_text()
    files = [f for f in SOURCE.glob("apps/*") if f.suffix in (".c", ".py")]
    programs = [file for file in files if file.stem != "args"]
    assert len(programs) > 8
    for file in programs:
        assert f"(../apps/{file.name})" in page
        command = f"python apps/{file.name}" if file.suffix == ".py" else file.stem
        assert re.search(rf"mpirun -np \d+ {command}\b", page), file


@pytest.mark.parametrize("script", BLOCKS)
def test_a_block_of_commands_runs(script, environment, monkeypatch):
    monkeypatch.chdir(SOURCE)
    script_here = NOT_HERE.sub("", script)
    done = alone("sh", "-e", "-c", script_here, timeout=300, env=environment(script))
    assert done.returncode == 0, done


@pytest.mark.parametrize("script", BLOCKS)
def test_the_verbs_of_a_block_exist(script):
    told = alone(SOURCE / "dev", "help").stdout
    for verb in re.findall(r"^\./dev ([a-z]+)", script, re.MULTILINE):
        assert re.search(rf"^  {verb} ", told, re.MULTILINE), verb
