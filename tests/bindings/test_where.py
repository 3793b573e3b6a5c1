# SPDX-License-Identifier: MIT
"""`python -m pypar where` and pypar.where: where the ranks of real jobs are, on this
machine and on made-up ones."""

import json
import os

import pytest
from mpirun import PYTHON, alone, mpirun
from ranks import pypar, ranks

WHERE = [PYTHON, "-m", "pypar", "where"]
MACHINES = {
    "laptop": ("pack:1 core:4 pu:2", 4, 8),
    "two sockets": ("pack:2 [numa] l3:4 core:4 pu:2", 32, 64),
    "NPS4": ("pack:2 group:4 [numa] l3:2 core:8 pu:2", 128, 256),
    "one memory": ("pack:1 core:72 pu:1", 72, 72),
}


@pytest.fixture(autouse=True)
def nobody_has_chosen(monkeypatch):
    for name in ("OMP_NUM_THREADS", "PAR_BIND", "PAR_REPORT", "PAR_THREADS_PER_RANK"):
        monkeypatch.delenv(name, raising=False)


def ended(done):
    assert done.returncode == 0, done
    return done


@pytest.mark.parametrize("count", [1, 2, 4])
def test_it_prints_one_report_with_a_line_for_each_rank(count):
    done = ended(mpirun(count, *WHERE))
    first, _, head, titles, *lines = done.stdout.splitlines()
    assert first == f"{count} rank{'s' * (count > 1)} on 1 node"
    assert head.startswith(f"{os.uname().nodename}: ")
    assert titles.split()[0] == "rank" and titles.split()[-1] == "why"
    assert [line.split()[0] for line in lines[:count]] == [str(r) for r in range(count)]
    assert "(a cell is a core" in done.stdout


def test_it_works_alone():
    done = ended(alone(*WHERE))
    assert done.stdout.startswith("1 rank on 1 node\n")


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("count", [1, 4])
def test_the_json_says_what_there_is(machine, count):
    description, cores, cpus = MACHINES[machine]
    env = {"HWLOC_SYNTHETIC": description}
    told = json.loads(ended(mpirun(count, *WHERE, "--json", env=env)).stdout)
    assert told["ranks"] == count
    (node,) = told["nodes"]
    assert node["host"] == os.uname().nodename and node["like"] == 0
    assert node["machine"]["made_up"] is True
    found = node["machine"]["cpus"]
    assert len(found) == cpus and len({cpu["core"] for cpu in found}) == cores
    assert sorted(cpu["cpu"] for cpu in found) == list(range(cpus))
    assert [rank["rank"] for rank in node["ranks"]] == list(range(count))
    core_of = {cpu["cpu"]: cpu["core"] for cpu in found}
    for rank in node["ranks"]:
        assert rank["cpus"] and rank["why"]
        assert rank["cores"] == sorted({core_of[cpu] for cpu in rank["cpus"]})
        assert 1 <= rank["uses"] <= len(rank["cpus"])
    assert node["warnings"] == []
    every = [cpu for rank in node["ranks"] for cpu in rank["cpus"]]
    assert len(every) == len(set(every))


def test_the_json_and_this_process_agree():
    told = json.loads(ended(alone(*WHERE, "--json")).stdout)
    (rank,) = told["nodes"][0]["ranks"]
    assert rank["cpus"] == sorted(os.sched_getaffinity(0))
    assert told["nodes"][0]["machine"]["made_up"] is False
    # Only what the rank has by now: it grows with its imports.
    assert rank["near"] + rank["far"] >= 0


def test_more_ranks_than_cores_are_warned_about():
    env = {"HWLOC_SYNTHETIC": "pack:1 core:2 pu:1"}
    told = json.loads(ended(mpirun(4, *WHERE, "--json", env=env)).stdout)
    kinds = {warning["kind"]: warning for warning in told["nodes"][0]["warnings"]}
    assert kinds["shared-core"]["ranks"] == [0, 1, 2, 3]
    assert "4 ranks on 2 cores" in kinds["shared-core"]["text"]
    assert "threads" not in kinds


def test_too_many_threads_are_warned_about():
    env = {"HWLOC_SYNTHETIC": "pack:1 core:4 pu:1", "OMP_NUM_THREADS": 4}
    done = ended(mpirun(2, *WHERE, env=env))
    assert done.stdout.count("warning: ") == 1
    assert "may start 8 threads (OMP_NUM_THREADS) with a use for 4" in done.stdout


def test_what_is_right_has_no_warning():
    env = {"HWLOC_SYNTHETIC": "pack:1 core:4 pu:2"}
    for count in (1, 2, 4):
        assert "warning" not in ended(mpirun(count, *WHERE, env=env)).stdout


def test_par_report_prints_it_at_the_start_once(script):
    path = script("import pypar; pypar.barrier()")
    done = ended(mpirun(3, PYTHON, path, env={"PAR_REPORT": 1}))
    assert done.stderr.count("3 ranks on 1 node") == 1
    assert not done.stdout
    assert "ranks on" not in ended(mpirun(3, PYTHON, path)).stderr
    assert "ranks on" not in ended(mpirun(3, PYTHON, path, env={"PAR_REPORT": 0})).stderr


def test_par_report_has_all_if_asked(script):
    env = {"HWLOC_SYNTHETIC": "pack:1 core:18 pu:1", "PAR_REPORT": "1"}
    path = script("import pypar")
    short = ended(mpirun(18, PYTHON, path, env=env)).stderr
    full = ended(mpirun(18, PYTHON, path, env={**env, "PAR_REPORT": "all"})).stderr
    assert "  0-17  " in short
    assert "  0-17  " not in full and "\n  17 " in full


def test_another_word_for_par_report_is_refused(script):
    done = mpirun(2, PYTHON, script("import pypar"), env={"PAR_REPORT": "please"})
    assert done.returncode != 0
    assert 'PAR_REPORT is "please": it must be 0, 1, all or json' in done.stderr


def test_wrong_arguments_are_told_once():
    done = mpirun(3, *WHERE, "--colour")
    assert done.returncode == 2, done
    assert done.stderr.count("unrecognized arguments: --colour") == 1
    assert ended(mpirun(3, *WHERE, "--help")).stdout.count("usage: ") == 1


def test_a_picture_that_cannot_be_written_is_an_error(tmp_path):
    done = mpirun(2, *WHERE, "--svg", tmp_path / "no folder" / "x.svg")
    assert done.returncode == 1, done
    assert "No such file or directory" in done.stderr


def test_json_and_picture_go_together(tmp_path):
    file = tmp_path / "where.svg"
    done = ended(mpirun(2, *WHERE, "--svg", file, "--json"))
    assert json.loads(done.stdout)["ranks"] == 2
    assert file.read_text().startswith("<svg ")
    assert not ended(mpirun(2, *WHERE, "--svg", file)).stdout


@ranks(1, 2, 4)
def test_programs_ask_for_it(world):
    for form, begin in (("short", f"{world.size} rank"), ("json", "{"), ("svg", "<svg")):
        text = pypar.where(form=form)
        if world.rank == 0:
            assert text.startswith(begin)
        else:
            assert text is None


@ranks(4)
def test_a_communicator_has_its_own_ranks_alone(world):
    pair = world.split(color=world.rank // 2)
    text = pypar.where(pair, "json")
    if pair.rank == 0:
        told = json.loads(text)
        assert told["ranks"] == 2
        assert [rank["rank"] for rank in told["nodes"][0]["ranks"]] == [0, 1]


@ranks(2)
def test_a_wrong_form_is_refused_before_the_others_are_asked(world):
    with pytest.raises(ValueError, match="form is 'png': it must be one of 'short'"):
        pypar.where(form="png")
    world.barrier()
