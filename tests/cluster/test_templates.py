# SPDX-License-Identifier: MIT
"""The batch scripts of apps/slurm, submitted as they stand."""

import json
import re
import time

import pytest
from jobs import Job
from mpirun import SOURCE

TEMPLATES = sorted((SOURCE / "apps" / "slurm").glob("*.sbatch"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """We are in a folder like the sources, so that what is printed goes there."""
    (tmp_path / "apps").symlink_to(SOURCE / "apps")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sbatch(slurm, folder):
    def submit(name):
        return Job(slurm, folder, "sbatch", f"apps/slurm/{name}.sbatch")

    return submit


def test_each_template_is_tested():
    tests = {name[5:] for name in globals() if name.startswith("test_")}
    for template in TEMPLATES:
        assert any(test.startswith(f"{template.stem}_") for test in tests), template


def test_c_runs_four_ranks(sbatch):
    assert "token 400 as expected" in sbatch("c").told()


def test_python_runs_four_ranks(sbatch):
    told = sbatch("python").told()
    assert {f"rank {rank}" for rank in range(4)} <= set(re.findall(r"rank \d", told)), (
        told
    )


def test_threads_has_a_thread_for_each_cpu_of_a_rank(sbatch):
    told = sbatch("threads").told().splitlines()
    assert sorted(told) == [
        f"rank {rank} on h{rank + 1}: 2 threads, pi is 3.1415926536" for rank in (0, 1)
    ]


def test_array_is_three_jobs(slurm, folder):
    done = slurm.run("sbatch", "--wait", "apps/slurm/array.sbatch")
    assert done.returncode == 0, done
    told = {file.name[-6:-4]: file.read_text() for file in folder.glob("fib-*.out")}
    assert sorted(told) == ["20", "21", "22"]
    for number, value in (("20", 6765), ("21", 10946), ("22", 17711)):
        assert f"[{value}, {value}]" in told[number]


def test_resume_goes_on_where_its_time_was_up(sbatch, folder):
    job = sbatch("resume")
    job.wait_for("begins at step 0 of 1000")
    time.sleep(2)  # the other ranks do not say when they have named their function
    job.signal("--batch")
    end, total = map(int, job.wait_for(r"ends at step (\d+), total (\d+)").groups())
    assert end > 0 and total == sum(4 * step + 6 for step in range(end)), job
    assert json.loads((folder / f"resume-{job.number}.json").read_text()) == [end, total]
    job.wait_for(f"begins at step {end} of 1000")
