# SPDX-License-Identifier: MIT
"""python -m pypar doctor: each check on machines that are made up, and the whole of it
on this one."""

import importlib
import json
import re
import resource
import threading

import pytest
from mpirun import PYTHON, SOURCE, alone, mpirun
from ranks import IN_RANK, ranks

README = SOURCE / "README.md"
INFINITE = resource.RLIM_INFINITY
OPEN_MPI = "mpirun (Open MPI) 4.1.4\n\nReport bugs to ..."
LIBRARY = "Open MPI v4.1.4, /usr/lib/libmpi.so.40"
HYDRA = "HYDRA build details:\n    Version:                                 4.0.2\n"

if IN_RANK:  # importing pypar starts MPI
    doctor = importlib.import_module("pypar.doctor")
    copying, launch, machine, network, report, software, together = (
        importlib.import_module(f"pypar.doctor.{name}")
        for name in "copying launch machine network report software together".split()
    )
    here_of = importlib.import_module("pypar.doctor.here")
    which_mpi = importlib.import_module("pypar.which_mpi")


@pytest.fixture
def made(tmp_path):
    """A machine of files and other facts."""

    def make(files=None, said="", status=0, limits=(INFINITE, INFINITE), **facts):
        for name, text in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        facts = {"environ": {}, "cpus": 8, "host": "node7", **facts}
        return here_of.Here(
            root=tmp_path,
            run=lambda argv, **_: here_of.Output(status, said),
            limit=lambda _: limits,
            **facts,
        )

    return make


def check(result, status, *words):
    """A result has the status and the words; what is wrong has a cure."""
    assert result.status == status, result
    for word in words:
        assert str(word) in f"{result.fact} -> {result.cure}", result
    assert status == "ok" or result.cure


# ---- launch ------------------------------------------------------------------


@ranks(1)
def test_the_launcher_is_named(world, made):
    check(launch.launcher(made()), "ok", "one rank")
    srun = {"SLURM_STEP_NUM_TASKS": "6", "SLURM_PROCID": "2", "SLURM_JOB_ID": "1"}
    check(launch.launcher(made(environ=srun)), "ok", "srun has started 6")
    batch = {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "6", "SLURM_PROCID": "0"}
    check(launch.launcher(made(environ=batch)), "ok", "none, within a job of SLURM")
    assert launch.launched(made(environ=srun)).number == 2


@ranks(1)
def test_an_mpirun_of_another_mpi_is_found(world, made):
    check(launch.mpirun(made(said=OPEN_MPI), LIBRARY), "ok", "Open MPI 4.1.4")
    check(launch.mpirun(made(said=HYDRA), LIBRARY), "fail", "MPICH 4.0.2", "PATH")
    five = made(said="mpirun (Open MPI) 5.0.11")
    check(launch.mpirun(five, LIBRARY), "fail", "5.0.11", "4.1.4")
    check(launch.mpirun(made(status=127), LIBRARY), "warn", "none", "apt install")
    check(launch.mpirun(made(status=None), LIBRARY), "fail", "does not end")
    check(launch.mpirun(made(said="something"), LIBRARY), "warn", "something")


@ranks(1)
def test_mpis_are_known_by_what_they_say(world):
    said = {
        "Open MPI v5.0.11, package: Open MPI": ("Open MPI", "5.0.11"),
        "mpirun (Open MPI) 4.1.4": ("Open MPI", "4.1.4"),
        "mpirun.openmpi (OpenRTE) 4.1.4": ("Open MPI", "4.1.4"),
        "MPICH Version:      5.0.2\nMPICH Release date": ("MPICH", "5.0.2"),
        "Intel(R) MPI Library for Linux* OS, Version 2021.9": ("Intel MPI", "2021.9"),
    }
    assert {text: tuple(which_mpi.what_mpi(text)) for text in said} == said
    assert which_mpi.what_mpi("") is None


@ranks(1)
def test_srun_without_pmix_is_warned_of(world, made):
    job = {"SLURM_JOB_ID": "1"}
    assert launch.slurm(made()) is None
    listed = made(said="MPI plugin types are...\n\tnone\n\tpmi2\n\tpmix\n", environ=job)
    check(launch.slurm(listed), "ok", "pmix")
    check(launch.slurm(made(said="none\npmi2", environ=job)), "warn", "pmi2", "mpirun")
    check(launch.slurm(made(status=1, environ=job)), "warn", "fails")


@ranks(1)
def test_more_ranks_than_cpus_are_warned_of(world, made):
    four = {"OMPI_COMM_WORLD_LOCAL_SIZE": "4"}
    assert launch.slots(made()) is None
    check(launch.slots(made(environ=four, cpus=4)), "ok", "4 ranks")
    check(launch.slots(made(environ=four, cpus=2)), "warn", "4 ranks", "2 CPUs")
    bound = {**four, "OMPI_MCA_orte_bound_at_launch": "1"}
    check(launch.slots(made(environ=bound, cpus=1)), "ok")


@ranks(1)
def test_what_keeps_mpirun_from_starting_two_is_named(world, made):
    def start(said, status=1):
        return launch.start_two(made(said=said, status=status), "python", 5)

    check(start("two 2\ntwo 2\n", 0), "ok", "works")
    check(start("two 1\ntwo 1\n", 0), "fail", "two 1")
    check(start("", None), "fail", "within 5 s")
    check(start("There are not enough slots available"), "warn", "--oversubscribe")
    check(start("mpirun has detected an attempt to run as root."), "fail", "ALLOW")
    check(start("----\nsomething else\n"), "fail", "something else")


@ranks(1)
def test_the_gist_of_many_words_is_the_import_error(world):
    pages = "Traceback\n  File x\nImportError: pypar cannot start: no MPI\n----\n"
    assert launch.gist(pages) == "no MPI"
    assert launch.gist("-----\n it  \n\n failed\n-----") == "it failed"
    assert launch.gist("") == "without a word"


# ---- machine -----------------------------------------------------------------


@ranks(1)
def test_a_quota_of_cpu_time_is_found_in_both_versions(world, made):
    check(machine.cpus(made()), "ok", 8)
    second = {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000"}
    check(machine.cpus(made(second)), "ok", 8)
    around = {"sys/fs/cgroup/a/cpu.max": "150000 100000"}
    check(machine.cpus(made(around)), "warn", "1.5", "start 2")


@ranks(1)
def test_a_quota_of_the_first_version(world, made):
    files = {
        "proc/self/cgroup": "4:cpu,cpuacct:/job\n1:name=systemd:/x\n",
        "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "50000",
        "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
    }
    check(machine.cpus(made(files)), "warn", "0.5", "start 1 ")


@ranks(1)
def test_little_shared_memory_is_found(world, made):
    check(machine.shared_memory(made()), "fail", "missing")
    there = {"dev/shm/x": ""}
    for free, status in ((1 << 20, "fail"), (32 << 20, "warn"), (5 << 30, "ok")):
        here = made(there, free=lambda _, free=free: (free, 6 << 30))
        result = machine.shared_memory(here)
        check(result, status, "6.0 GiB", *["--shm-size"] * (status != "ok"))


@ranks(1)
def test_the_session_folder_is_looked_at(world, made):
    files = {"tmp/x": "", "scratch/x": "", "a" * 70 + "/x": ""}
    plenty = {"free": lambda _: (1 << 30, 1 << 30)}
    check(machine.temporary(made(files, **plenty)), "ok", "/tmp", "1.0 GiB")
    check(machine.temporary(made(environ={"TMPDIR": "/none"})), "fail", "/none")
    long = {"TMPDIR": "/" + "a" * 70}
    check(machine.temporary(made(environ=long, **plenty)), "warn", "71 bytes")
    check(machine.temporary(made(free=lambda _: (0, 1))), "fail", "/tmp is full")


@ranks(1)
def test_ranks_that_look_one_after_the_other_find_the_same(world, made):
    for look in machine.temporary, machine.shared_memory:
        facts = {
            look(made({"dev/shm/x": "", "tmp/x": ""}, free=lambda _, f=f: (f, 99 << 30)))
            for f in (75 << 30, 76 << 30)
        }
        assert len(facts) == 1


@ranks(1)
def test_a_host_that_does_not_find_itself_is_told_of(world, made, monkeypatch):
    def fail(host):
        raise OSError("unknown")

    over = threading.Event()

    def hang(host):
        over.wait()

    check(machine.host_name(made(resolve=lambda host: "10.0.0.7")), "ok", "10.0.0.7")
    check(machine.host_name(made(resolve=fail)), "warn", "node7", "/etc/hosts")
    monkeypatch.setattr(machine, "RESOLVE_SECONDS", 0.05)
    check(machine.host_name(made(resolve=hang)), "fail", "within 0.05 s", "resolv.conf")
    over.set()


@ranks(1)
def test_limits_are_judged_by_what_is_there(world, made):
    check(machine.locked_memory(made()), "ok", "no limit")
    small = (64 << 10, INFINITE)
    check(machine.locked_memory(made(limits=small)), "ok", "64 KiB")
    card = {"sys/class/infiniband/mlx5_0/ports/1/state": "4: ACTIVE"}
    check(machine.locked_memory(made(card, limits=small)), "fail", "ulimit -l")
    check(machine.processes(made()), "ok", "no limit of processes")
    check(machine.processes(made(limits=(100, 100))), "warn", "100", "ulimit -u")
    check(machine.processes(made(limits=(255, 255), cpus=1)), "warn", "ulimit -n")


# ---- copying, network, software ----------------------------------------------


@ranks(1)
def test_what_keeps_processes_from_reading_each_other_is_named(world, made):
    check(copying.single_copy(made(), 0), "ok", "works")
    check(copying.single_copy(made(), 1), "warn", "not permitted", "SYS_PTRACE")
    yama = made({"proc/sys/kernel/yama/ptrace_scope": "1\n"})
    check(copying.single_copy(yama, 1), "warn", "ptrace_scope is 1", "sysctl")
    check(copying.single_copy(made(), -1), "warn", "it failed")


@ranks(1)
def test_interfaces_and_bridges_are_listed(world, made):
    net = "sys/class/net"
    check(network.interfaces(made()), "ok", "none but the loopback")
    files = {f"{net}/lo/operstate": "unknown", f"{net}/eth0/operstate": "up"}
    check(network.interfaces(made(files)), "ok", "eth0")
    bridge = made({f"{net}/docker0/operstate": "up", f"{net}/eth1/operstate": "down"})
    check(
        network.interfaces(bridge), "warn", "eth0", "docker0 may lead", "tcp_if_include"
    )
    assert "eth1" not in network.interfaces(bridge).fact
    chosen = bridge._replace(environ={"OMPI_MCA_btl_tcp_if_include": "eth0"})
    check(network.interfaces(chosen), "ok", "OMPI_MCA_btl_tcp_if_include")


@ranks(1)
def test_infiniband_is_looked_at(world, made):
    assert network.infiniband(made()) is None
    port = "sys/class/infiniband/mlx5_0/ports/1/state"
    check(network.infiniband(made({port: "1: DOWN"})), "warn", "mlx5_0", "ibstat")
    check(network.infiniband(made({port: "4: ACTIVE"})), "warn", "--device")
    check(network.infiniband(made({"dev/infiniband/uverbs0": ""})), "ok", "mlx5_0")


@ranks(1)
def test_settings_are_named_without_their_values(world, made):
    secrets = {
        "PAR_WAIT": "hush1",
        "OMPI_MCA_btl": "hush2",
        "OMPI_MCA_orte_hnp_uri": "hush3",
        "MY_TOKEN": "hush4",
    }
    result = software.settings(made(environ=secrets))
    assert result.fact == "OMPI_MCA_btl, PAR_WAIT"


@ranks(1)
def test_a_setting_that_is_misspelt_is_told(world, made):
    given = {"PAR_DEADLOK": "off", "PAR_WAIT": "spin", "PAR_BUILD": "somebody's"}
    cure = "PAR_DEADLOK changes nothing: PAR_DEADLOCK would"
    result = software.settings(made(environ=given))
    check(result, "warn", "PAR_BUILD, PAR_DEADLOK, PAR_WAIT")
    assert result.cure == cure


@ranks(1)
def test_the_settings_that_it_knows_are_those_of_the_readme(world):
    table = re.findall(r"^\| `(PAR_\w+)` \|", README.read_text(), re.MULTILINE)
    assert sorted(table) == list(software.OURS)


@ranks(1)
def test_versions_that_differ_between_ranks_are_warned_of(world):
    facts = ["CPython 3.11.7, /a/python", "CPython 3.11.7, /b/python"]
    assert software.differing("Python", facts) is None
    check(software.differing("Python", [*facts, "CPython 3.12.1, /a"]), "warn", 2)
    check(software.differing("packages", ["numpy 2.1", "numpy 2.2"]), "warn", 2)
    assert software.differing("CPUs", ["1", "2"]) is None


# ---- the report ----------------------------------------------------------------


@ranks(1)
def test_what_is_equal_on_all_ranks_stands_there_once(world):
    same = here_of.Result("CPUs", "ok", "8")
    other = here_of.Result("CPUs", "warn", "2", "ask for more")
    told = {rank: [other if rank in (3, 5, 6) else same] for rank in range(8)}
    lines = report.as_text("title", told).splitlines()
    assert lines == [
        "title",
        "",
        "ok    CPUs  8 (ranks 0-2, 4, 7)",
        "warn  CPUs  2 (ranks 3, 5-6)",
        "            -> ask for more",
        "",
        "0 failed, 1 to look at, 1 fine",
    ]
    found = json.loads(report.as_json("title", told, [same]))
    assert found["status"] == "warn"
    assert [check["ranks"] for check in found["checks"]][0] == list(range(8))
    assert found["checks"][-1]["cure"] == "ask for more"


@ranks(1)
def test_the_worst_counts(world):
    ok, warn, fail = (here_of.Result("x", s, "") for s in ("ok", "warn", "fail"))
    assert report.worst([]) == "ok"
    assert report.worst([ok, warn, ok]) == "warn"
    assert report.worst([warn, fail, ok]) == "fail"


@ranks(1)
def test_clocks_that_differ_are_warned_of(world):
    check(together.judge_clocks({"a": 0.01, "b": -0.02}), "ok", "0.020", "b")
    check(together.judge_clocks({"a": 0.01, "b": -3600.5}), "warn", "3600.5", "NTP")


@ranks(2)
def test_clocks_of_one_machine_go_alike(world):
    offset = together.offset_of_clock(1)
    assert abs(offset) < together.SKEW_SECONDS
    assert world.rank == 0 or offset == 0
    result = together.clocks(["here", "there"])
    assert world.rank == 1 or (result.status == "ok" and "there" in result.fact), result


# ---- the whole ------------------------------------------------------------------


def lines_of(done):
    return re.findall(r"^(ok|warn|fail) +(.+?)  ", done.stdout, re.MULTILINE)


def test_alone_it_looks_at_the_machine_and_starts_two_ranks():
    done = alone(PYTHON, "-m", "pypar", "doctor", timeout=120)
    names = {name: status for status, name in lines_of(done)}
    assert "pypar doctor: 1 rank on 1 host" in done.stdout and not done.stderr, done
    assert {"launcher", "CPUs", "/dev/shm", "single copy", "mpirun"} <= set(names), done
    assert done.returncode == int("fail" in names.values()), done
    assert names["mpirun -np 2"] == "ok" == names["MPI"], done


def test_as_a_job_it_makes_one_report():
    done = mpirun(3, PYTHON, "-m", "pypar", "doctor", timeout=120)
    assert done.stdout.count("pypar doctor: 3 ranks on 1 host") == 1, done
    names = [name for _, name in lines_of(done)]
    assert len(names) == len(set(names)) > 10, done
    assert ("ok", "MPI") in lines_of(done)
    assert done.returncode == int("fail" in dict(lines_of(done))), done


def test_its_json_is_for_programs():
    argv = [PYTHON, "-m", "pypar", "doctor", "--json"]
    done = mpirun(2, *argv, timeout=120, env={"PAR_TEST_TOKEN": "hush"})
    found = json.loads(done.stdout)
    assert {check["status"] for check in found["checks"]} <= {"ok", "warn", "fail"}
    assert all(set(check["ranks"]) <= {0, 1} for check in found["checks"])
    assert "PAR_TEST_TOKEN" in done.stdout and "hush" not in done.stdout


def test_an_mpi_that_does_not_start_is_reported():
    broken = {"OMPI_MCA_pml": "nonsense"}
    done = alone(PYTHON, "-m", "pypar", "doctor", timeout=120, env=broken)
    assert done.returncode == 1, done
    assert ("fail", "MPI") in lines_of(done) and ("ok", "Python") in lines_of(done)


def test_the_mpirun_of_another_mpi_is_reported():
    other = {"PMI_SIZE": 2, "PMI_RANK": 0}
    done = alone(PYTHON, "-m", "pypar", "doctor", timeout=120, env=other)
    assert done.returncode == 1 and "does not start: an mpirun of MPICH" in done.stdout
    done = alone(
        PYTHON, "-m", "pypar", "doctor", timeout=120, env={**other, "PMI_RANK": 1}
    )
    assert done.returncode == 1 and not lines_of(done), done


def test_an_mpi_that_hangs_is_reported():
    """The other rank of this job never comes."""
    argv = [PYTHON, "-m", "pypar", "doctor", "--timeout", "3"]
    done = mpirun(1, *argv, ":", "-np", "1", "sleep", "100", timeout=120)
    assert done.returncode == 1, done
    assert re.search(r"^fail  MPI +has not started within 3 s", done.stdout, re.M), done
