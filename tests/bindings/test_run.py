# SPDX-License-Identifier: MIT
"""python -m pypar run: the ranks there are, what they are given, how the job ends."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
from mpirun import APPS, PYTHON, SOURCE, alone, end, environment

RUN = [PYTHON, "-m", "pypar", "run"]

# What tests and ./dev set, and a user's shell has none of.
ALLOW = [f"{who}_ALLOW_RUN_AS_ROOT{more}" for who in ("OMPI", "PRTE")
         for more in ("", "_CONFIRM")]  # fmt: skip
OVERSUBSCRIBE = {
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}
BARE = ["env", *(f"--unset={name}" for name in [*ALLOW, *OVERSUBSCRIBE])]
MANY = os.cpu_count() + 1  # more than there are cores

HOSTILE = [
    "a b", "", "'", '"', "$(touch made)", "`touch made`", ";touch made", "*", "-n", "--",
    "--host", "\\", "two\nlines", "é", "a:b", "#SBATCH", "%s", "&&", "-np", "~", "{a,b}",
]  # fmt: skip


def run(*words, env=None):
    return alone(*BARE, *set_to(env or {}), *RUN, *words)


def set_to(env):
    """Words for env(1)."""
    return [f"{name}={value}" for name, value in env.items()]


@pytest.fixture
def words_script(script):
    return script("""
        import json, sys
        from pypar import world
        words = world.gather(sys.argv[1:])
        if world.rank == 0:
            print(json.dumps(words))
    """)


def test_it_starts_as_many_ranks_as_asked_for():
    done = run("-n", "5", SOURCE / "apps" / "ring.py")
    assert done.returncode == 0, done
    assert done.stdout.startswith("'P0P1P2P3P4' came back")


def test_it_starts_programs_that_are_no_scripts():
    done = run("-n", "2", APPS / "ring", "--laps", "3")
    assert done.returncode == 0 and "token 6 as expected" in done.stdout, done


def test_arguments_arrive_as_they_are(words_script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("-n", "2", words_script, *HOSTILE)
    assert done.returncode == 0, done
    assert json.loads(done.stdout) == [HOSTILE, HOSTILE]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("words", [["--", "x"], ["--", "--"], ["x", "--", "-n"]])
def test_two_dashes_are_an_argument_like_others(words_script, words):
    done = run("-n", "1", words_script, *words)
    assert done.returncode == 0 and json.loads(done.stdout) == [words], done


@pytest.mark.parametrize(
    "name", ["a b.py", "$(touch made).py", "-x.py", "'\".py", "é.py"]
)
def test_a_script_may_have_any_name(words_script, tmp_path, monkeypatch, name):
    folder = tmp_path / "it's; touch made"
    folder.mkdir()
    monkeypatch.chdir(folder)
    words_script.rename(folder / name)
    done = run("-n", "1", "--", name, "x")
    assert done.returncode == 0 and json.loads(done.stdout) == [["x"]], done
    assert os.listdir(folder) == [name]


def test_what_mpirun_is_told_beside_that_is_said():
    done = run("-n", MANY, "true")
    told = done.stderr.splitlines()
    assert done.returncode == 0 and len(told) == 1, done
    assert told[0].startswith("pypar run: ")
    assert re.search(rf"oversubscribe \({MANY} ranks on \d+ cores\)", told[0])
    if os.geteuid() == 0:
        assert "--allow-run-as-root (you are root)" in told[0]


def test_where_nothing_needs_to_be_told_nothing_is_said():
    done = run("-n", "1", "true", env=dict.fromkeys(ALLOW, "1"))
    assert done.returncode == 0 and not done.stderr, done


def test_what_the_user_has_allowed_is_not_told_again():
    done = run("-n", MANY, "true", env=dict.fromkeys(ALLOW, "1") | OVERSUBSCRIBE)
    assert done.returncode == 0 and not done.stderr, done


def test_many_ranks_that_end_at_once_end_the_job():
    """mpirun of Open MPI 4 alone hangs then, more often than not."""
    done = run("-n", "64", "true")
    assert done.returncode == 0, done


def test_the_exit_status_of_the_job_is_its_own():
    assert run("-n", "2", PYTHON, "-c", "raise SystemExit(7)").returncode == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_it_ends_the_job(script, number):
    file = script("from pypar import world; print('up'); world.receive(world.rank)")
    job = subprocess.Popen(
        [*BARE, *RUN, "-n", "2", file], env=environment({}), start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert job.stdout.readline() == "up\n"
        job.send_signal(number)
        job.communicate(timeout=60)
        assert job.returncode != 0
    finally:
        end(job)


def test_sigusr1_reaches_the_functions_of_the_time_limit(script):
    file = script("""
        from pypar import on_time_limit, world
        on_time_limit(lambda: world.send("time is up", world.rank))
        print("up")
        print(world.receive(world.rank))
    """)
    job = subprocess.Popen(
        [*BARE, *RUN, "-n", "2", file], env=environment({}), start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert [job.stdout.readline() for _ in range(2)] == ["up\n"] * 2
        time.sleep(0.3)
        job.send_signal(signal.SIGUSR1)
        told, _ = job.communicate(timeout=60)
        assert job.returncode == 0 and told.count("time is up") == 2
    finally:
        end(job)


@pytest.mark.parametrize(
    "words, said",
    [
        (["-n", "0", "true"], "'0'"),
        (["-n", "two", "true"], "'two'"),
        (["-n", "2"], "which program?"),
        (["-n", "2", "--"], "which program?"),
        (["-n", "2", "nowhere.py"], "no script 'nowhere.py'"),
        (["-n", "2", "nowhere"], "no program 'nowhere'"),
        (["--hosts", "a,,b", "true"], "''"),
        (["--hosts=-oProxyCommand=touch made", "true"], "is not HOST"),
        (["--hosts", "a;touch made", "true"], "'a;touch made'"),
        (["--hosts", "a:0", "true"], "'a:0'"),
        (["--hosts", "a:2,b", "true"], "either each host"),
        (["-n", "5", "--hosts", "a:2,b:2", "true"], "-n 5 is more than"),
        (["true", "a", ":", "b"], "':'"),
    ],
)
def test_what_cannot_be_is_status_2_and_says_why(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert done.returncode == 2 and not done.stdout, done
    assert said in done.stderr
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "hosts, n, shared_out, told_n",
    [
        ("a,b,c", 7, "a:3,b:2,c:2", 7),
        ("a,b,c", 2, "a:1,b:1", 2),
        ("a,b", None, "a:1,b:1", 2),
        ("a:3,b:5", 6, "a:3,b:5", 6),
        ("a:3,b:1", None, "a:3,b:1", 4),
        ("node-1.site:2", None, "node-1.site:2", 2),
    ],
)
def test_ranks_are_shared_out_among_hosts(hosts, n, shared_out, told_n):
    script = (
        "import argparse; from pypar import run; from pypar.launcher import Launcher; "
        f"asked = argparse.Namespace(hosts={hosts!r}, n={n}, bcast_imports=False); "
        "print([w for ws, _ in run._options(asked, Launcher('', (4,))) for w in ws])"
    )
    told = alone(PYTHON, "-c", script)
    assert f"'--host', '{shared_out}'" in told.stdout, told
    assert f"'-n', '{told_n}'" in told.stdout, told


def test_the_users_numbers_of_threads_go_to_other_hosts():
    script = (
        "from pypar import run, threads; "
        "print([name for name in threads.VARIABLES if not run._EXPORTED.fullmatch(name)])"
    )
    told = alone(PYTHON, "-c", script)
    assert told.stdout == "[]\n", told


@pytest.mark.parametrize(
    "errno, env, version, told",
    [
        (1, {"container": "podman"}, 4, "--mca btl_vader_single_copy_mechanism none"),
        (1, {"container": "podman"}, 5, "--mca btl_sm_single_copy_mechanism none"),
        (0, {"container": "podman"}, 4, ""),
        (1, {}, 4, ""),
        (1, {"container": "x", "OMPI_MCA_btl_vader_single_copy_mechanism": "cma"}, 4, ""),
    ],
)
def test_in_a_container_ranks_copy_as_they_may(errno, env, version, told):
    script = (
        "from pypar import run; from pypar.launcher import Launcher; "
        f"run.read_from_sibling = lambda: {errno}; run.os.path.exists = lambda _: False; "
        f"print(' '.join(run._copies(Launcher('', ({version},)))))"
    )
    done = alone("env", "--unset=container", *set_to(env), PYTHON, "-c", script)
    assert done.returncode == 0 and done.stdout == f"{told}\n", done
