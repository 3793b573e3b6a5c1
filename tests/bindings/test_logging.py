# SPDX-License-Identifier: MIT
"""Log lines with rank and host, and log files of each rank."""

import re

import pytest
from mpirun import PYTHON, alone, mpirun

SCRIPT = """
import logging
import pypar.logging

pypar.logging.start({where})
logging.getLogger("solver").info("step %d", pypar.rank())
logging.debug("not this")
"""


def test_a_line_has_its_rank_and_host(script):
    done = mpirun(2, PYTHON, script(SCRIPT.format(where="")))
    assert done.returncode == 0, done
    for rank in range(2):
        line = rf"^\[rank {rank} of 2 · \S+\] INFO solver: step {rank}$"
        assert re.search(line, done.stderr, re.M), done
    assert len(done.stderr.splitlines()) == 2, done
    done = alone(PYTHON, script(SCRIPT.format(where="")))
    assert (done.returncode, done.stderr) == (0, "INFO solver: step 0\n")


def test_a_format_may_name_them(script):
    path = script(
        """
        import logging, sys
        import pypar.logging

        handler = pypar.logging.StreamHandler(sys.stdout)
        handler.setFormatter(pypar.logging.Formatter("%(rank)d/%(size)d %(message)s"))
        logging.getLogger().addHandler(handler)
        logging.warning("hello")
        """
    )
    done = mpirun(2, PYTHON, path)
    assert sorted(done.stdout.splitlines()) == ["0/2 hello", "1/2 hello"], done


def logs(folder):
    return {file.name: file.read_text() for file in folder.iterdir()}


def check_logs(folder):
    found = logs(folder)
    assert sorted(found) == ["0-of-2.log", "1-of-2.log"], found
    for rank in range(2):
        lines = found[f"{rank}-of-2.log"].splitlines()
        assert len(lines) == 1 and lines[0].endswith(f"INFO solver: step {rank}"), found


def test_each_rank_has_a_file_if_asked(script, tmp_path):
    folder = tmp_path / "some" / "logs"
    path = script(SCRIPT.format(where=repr(f"{folder}/{{rank}}-of-{{size}}.log")))
    done = mpirun(2, PYTHON, path)
    assert (done.returncode, done.stderr) == (0, ""), done
    check_logs(folder)


def test_a_variable_asks_for_it(script, tmp_path):
    folder = tmp_path / "logs"
    path = script(
        "import logging, pypar\n"
        "logging.getLogger('solver').info('step %d', pypar.rank())\n"
    )
    done = mpirun(2, PYTHON, path, env={"PAR_LOG": f"{folder}/{{rank}}-of-{{size}}.log"})
    assert (done.returncode, done.stderr) == (0, ""), done
    check_logs(folder)


def test_one_file_for_all_is_refused(script, tmp_path):
    done = mpirun(2, PYTHON, script(SCRIPT.format(where=repr(f"{tmp_path}/log"))))
    assert done.returncode == 1, done
    assert "all 2 ranks would write to the log file" in done.stderr, done
    assert "put {rank} into its name" in done.stderr, done
    assert (
        alone(PYTHON, script(SCRIPT.format(where=repr(f"{tmp_path}/log")))).stderr == ""
    )
    assert (tmp_path / "log").read_text().endswith("INFO solver: step 0\n")


@pytest.mark.parametrize("count", [1, 2])
def test_where_the_disk_is_full_the_lines_go_to_stderr(script, tmp_path, count):
    for rank in range(count):
        (tmp_path / f"log.{rank}").symlink_to("/dev/full")
    where = repr(f"{tmp_path}/log.{{rank}}")
    path = script(SCRIPT.format(where=where) + "logging.error('more')\nprint('end')\n")
    done = mpirun(count, PYTHON, path)
    assert (done.returncode, done.stdout) == (0, "end\n" * count), done
    assert done.stderr.count("cannot be written (No space left on device)") == count, done
    for rank in range(count):
        assert done.stderr.count(f"INFO solver: step {rank}\n") == 1, done
    assert done.stderr.count("ERROR root: more\n") == count, done
    assert "Traceback" not in done.stderr, done
