# SPDX-License-Identifier: MIT
"""Which mpirun is taken: that of the library's own MPI, whatever else is on PATH."""

import os
import re

import pytest
from mpirun import PYTHON, alone

FIND = "from pypar.launcher import find; "


@pytest.fixture
def fake(tmp_path):
    """A folder with an mpirun that says it is of another version, or MPI."""

    def make(says):
        mpirun = tmp_path / "mpirun"
        mpirun.write_text(f"#!/bin/sh\necho '{says}'\nexit 3\n")
        mpirun.chmod(0o755)
        return tmp_path

    return make


def python(script, env=None):
    return alone(PYTHON, "-c", script, env=env)


def test_it_has_the_librarys_version():
    done = python(FIND + "import subprocess; path, version = find(); print(version); "
                  "subprocess.run([path, '--version'])")  # fmt: skip
    version, first, *_ = done.stdout.splitlines()
    words = re.search(r"\((?:Open MPI|OpenRTE)\) (\S+)", first)[1]
    assert version == str(tuple(map(int, re.findall(r"\d+", words)))), done


@pytest.mark.parametrize("says", ["mpirun (Open MPI) 1.2.3", "HYDRA build details:", ""])
def test_another_one_that_comes_first_on_the_path_is_passed_over(fake, says):
    path = f"{fake(says)}{os.pathsep}{os.environ['PATH']}"
    run = [PYTHON, "-m", "pypar", "run", "-n", "1"]
    done = alone(*run, PYTHON, "-c", "print(7)", env={"PATH": path})
    assert done.returncode == 0 and done.stdout == "7\n", done


def test_one_that_says_openrte_is_open_mpis(tmp_path):
    """As mpirun.openmpi does, which Debian's mpirun need not be."""
    mpirun = tmp_path / "mpirun.openmpi"
    done = python(
        "from pathlib import Path\n"
        "from pypar import launcher, which_mpi\n"
        f"mpirun = Path({str(mpirun)!r})\n"
        "version = which_mpi.what_mpi(launcher.library()[1]).version\n"
        "mpirun.write_text(f'#!/bin/sh\\necho \"mpirun.openmpi (OpenRTE) {version}\"\\n')\n"
        "mpirun.chmod(0o755)\n"
        "launcher._candidates = lambda library: [str(mpirun)]\n"
        "print(launcher.find().path)"
    )
    assert done.stdout == f"{mpirun}\n", done


def test_where_there_is_none_all_that_were_seen_are_named(fake):
    folder = fake("mpirun (Open MPI) 1.2.3")
    script = (
        "from pypar import launcher, run\n"
        f"launcher._candidates = lambda library: [{str(folder / 'mpirun')!r}]\n"
        "import sys; sys.exit(run.main(['true']))"
    )
    done = python(script)
    assert done.returncode == 2 and not done.stdout, done
    assert (
        f"{folder / 'mpirun'} is Open MPI 1.2.3" in done.stderr
        and "libmpi" in done.stderr
    )
