# SPDX-License-Identifier: MIT
"""./dev itself: its verbs, its environment, and that it does nothing twice."""

import os
import re
import shutil

import pytest
from mpirun import SOURCE, alone

DEV = SOURCE / "dev"


def dev(*words, **options):
    return alone(DEV, *words, **options)


@pytest.fixture
def installers(tmp_path):
    """A PATH on which programs that install only note that they were called."""
    called = tmp_path / "called"
    for name in ("apt-get", "sudo", "pip"):
        fake = tmp_path / name
        fake.write_text(f'#!/bin/sh\necho "$0 $*" >>{called}\nexit 1\n')
        fake.chmod(0o755)

    def calls():
        return called.read_text() if called.exists() else ""

    calls.path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    return calls


def verbs():
    """The verbs that dev acts on, from its last case."""
    text = DEV.read_text()
    case = text[text.index("case $verb in") :]
    return re.findall(r"^ {4}([a-z]+)\b.*\)", case, re.MULTILINE)


def test_help_has_a_line_for_every_verb():
    done = dev("help")
    assert done.returncode == 0, done
    assert {"ring", "test", "shell"} <= set(verbs())
    told = re.findall(r"^  ([a-z]+) ", done.stdout, re.MULTILINE)
    assert sorted(told) == sorted(verbs())


def test_no_verb_is_help():
    assert dev().stdout == dev("help").stdout


@pytest.mark.parametrize("words", [["rign"], ["--laps", "3"], ["test", "p2p"]])
def test_what_it_does_not_know_is_status_2_and_one_line(words):
    done = dev(*words)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done
    assert "no such" in done.stderr


def test_shell_runs_a_command_where_it_was_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = 'pwd; echo "$PAR_BUILD"; command -v ring; command -v python'
    done = dev("shell", "sh", "-c", script)
    assert done.returncode == 0, done
    build = SOURCE / "build"
    assert done.stdout.splitlines() == [
        str(tmp_path),
        str(build / "release"),
        str(build / "release" / "apps" / "ring"),
        str(build / "venv" / "bin" / "python"),
    ]


def test_shell_finds_the_package_and_the_launcher():
    script = "import os, pypar; os.write(1, b'%d of %d;' % (pypar.rank(), pypar.size()))"
    done = dev("shell", "mpirun", "-np", "3", "python", "-c", script)
    assert done.returncode == 0, done
    assert sorted(done.stdout.split(";")) == ["", "0 of 3", "1 of 3", "2 of 3"]


def test_the_status_of_a_command_comes_back():
    assert dev("shell", "sh", "-c", "exit 7").returncode == 7


def test_a_second_run_installs_and_builds_nothing(installers):
    dev("shell", "true")
    library = SOURCE / "build" / "release" / "lib" / "libpar.so"
    built = library.stat().st_mtime_ns
    done = dev("shell", "true", env={"PATH": installers.path})
    assert done.returncode == 0, done
    assert "installing" not in done.stderr and installers() == ""
    assert "no work to do" in done.stderr
    assert library.stat().st_mtime_ns == built


def test_what_cannot_be_installed_is_named_with_the_cure(tmp_path):
    # A machine with neither compiler nor MPI, hwloc or apt-get.
    (tmp_path / "dirname").symlink_to(shutil.which("dirname"))
    done = dev("ring", env={"PATH": tmp_path})
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert re.search(r"^dev: missing.*\n +gcc .*libhwloc-dev", done.stderr), done
    assert re.search(r"^ +apt-get install .*libhwloc-dev", done.stderr, re.MULTILINE)


def test_the_jobs_output_is_all_there_is_on_stdout():
    done = dev("ring", "--laps", "3")
    assert done.returncode == 0, done
    assert done.stdout.splitlines()[0].startswith("rank 0 ")
    assert "token 48 as expected" in done.stdout
