# SPDX-License-Identifier: MIT
"""What mypy makes of pypar: of its own files, of a stub that must say what the extension
module has, and of programs that use it."""

import re
from pathlib import Path

import pytest
from mpirun import BUILD, PYTHON, SOURCE, alone

HERE = Path(__file__).parent
CHECK = [PYTHON, "-m", "mypy", "--strict", "--show-error-codes", "--no-error-summary"]

# Of files that are their own stubs stubtest takes a class that is local to a function for
# one of the module's, and does not see through functools.cache.
NO_FAULTS = r"""
pypar\..*@\d+
pypar\.(test|ext\.handympi)\.__all__
pypar\.ext\..*\._comm
pypar\.futures\._kept
"""


@pytest.fixture
def mypy(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # stubtest keeps its cache where it is

    def run(*argv):
        cache = {"MYPY_CACHE_DIR": SOURCE / "build" / "mypy_cache"}
        return alone(*argv, timeout=900, env={"MYPYPATH": BUILD / "python", **cache})

    return run


def test_the_packages_files_are_typed(mypy):
    done = mypy(*CHECK, "-p", "pypar")
    assert done.returncode == 0 and not done.stdout, done


def test_the_stub_is_what_the_module_has(mypy, tmp_path):
    (tmp_path / "allowed").write_text(NO_FAULTS)
    done = mypy(PYTHON, "-m", "mypy.stubtest", "pypar", "--allowlist", "allowed")
    assert done.returncode == 0, done


def test_right_uses_are_accepted(mypy):
    done = mypy(*CHECK, HERE / "typed_use.py")
    assert done.returncode == 0 and not done.stdout, done


def test_wrong_uses_are_refused_each_for_its_reason(mypy):
    file = HERE / "typed_misuse.py"
    done = mypy(*CHECK, file)
    told = re.findall(r":(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    wrong = [
        (str(number), line.partition("# refused: ")[2])
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if "# refused: " in line
    ]
    assert len(wrong) > 20
    assert told == wrong, done


def test_the_build_folder_has_all_files_of_the_package():
    package = SOURCE / "bindings" / "pypar"
    names = {str(file.relative_to(package)) for file in package.rglob("*.py*")}
    names = {name for name in names if not name.endswith(".pyc")} | {"py.typed"}
    assert "_core.pyi" in names
    missing = [name for name in names if not (BUILD / "python/pypar" / name).is_file()]
    assert missing == []
