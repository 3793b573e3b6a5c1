# SPDX-License-Identifier: MIT
"""python -m pypar submit: what sbatch gets. tests/cluster runs it under SLURM."""

import shlex
import signal
import subprocess
import textwrap

import pytest
from mpirun import PYTHON, alone, end, environment
from test_run import HOSTILE, RUN

SUBMIT = [PYTHON, "-m", "pypar", "submit"]
DEAF = ["sh", "-c", "trap '' USR1; exec \"$@\"", "sh"]  # what a rank is before it is ours


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A folder with a script."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.py").write_text("")
    return tmp_path


def submit(*words, env=None):
    return alone(*SUBMIT, *words, env=env)


def lines_of(*words):
    done = submit(*words, "--dry-run")
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout.splitlines()


def test_a_dry_run_prints_the_batch_script(job):
    shebang, *options, trap, command = lines_of("job.py", "-n", "256", "--time", "2h")
    assert shebang == "#!/bin/sh"
    assert options == [
        "#SBATCH --job-name=job",
        "#SBATCH --ntasks=256",
        "#SBATCH --time=0-02:00:00",
        "#SBATCH --signal=B:USR1@60",
    ]
    assert trap == "trap '' USR1"
    words = ["exec", *RUN, *DEAF, PYTHON, str(job / "job.py")]
    assert shlex.split(command) == words


@pytest.mark.parametrize(
    "word, seconds",
    [
        ("--time=1", 0),
        ("--time=0:59", 0),
        ("--time=1m", 0),
        ("--time=1:01", 60),
        ("--time=00:02:00", 60),
        ("--time=0-1", 60),
        ("--signal=0", 0),
        ("--signal=61", 61),
    ],
)
def test_a_signal_is_asked_for_where_there_is_time_before_it(job, word, seconds):
    lines = lines_of("job.py", "-n", "2", word)
    asked = [line for line in lines if line.startswith("#SBATCH --signal=")]
    assert asked == ([f"#SBATCH --signal=B:USR1@{seconds}"] if seconds else [])
    exec_it = ["exec", *RUN, *(DEAF if seconds else []), PYTHON, str(job / "job.py")]
    assert shlex.split(lines[-1]) == exec_it


def test_the_signal_ends_no_rank_that_names_no_function_for_it(job):
    """Nor what that has started; mpirun signals whole process groups."""
    (job / "job.py").write_text(
        textwrap.dedent("""
            import subprocess
            from pypar import on_time_limit, world

            if world.rank == 0:
                child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
                world.send("all are ready", 1)
                print(world.receive(1))
                child.communicate()
                print("the child's status is", child.returncode)
                world.send("the end", 1)
            else:
                on_time_limit(lambda: world.send("time is up", 0))
                print(world.receive(0))
                world.receive(0)
        """)
    )
    text = submit("job.py", "-n", "2", "--dry-run").stdout
    batch = job / "batch"
    batch.write_text(text.replace(" -m pypar run ", " -m pypar run -n 2 "))
    shell = subprocess.Popen(
        ["sh", batch], env=environment({}), start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert shell.stdout.readline() == "all are ready\n"
        shell.send_signal(signal.SIGUSR1)
        told, errors = shell.communicate(timeout=60)
        assert shell.returncode == 0, told + errors
        assert "time is up\nthe child's status is 0\n" in told
    finally:
        end(shell)


def test_options_of_sbatch_are_passed_on(job):
    words = ["--nodes=2", "--cpus-per-task=4", "--partition=long", "--array=0-9%2",
             "--account=x", "--mem=4G", "--output=%x-%j.out"]  # fmt: skip
    lines = lines_of("job.py", "-n", "8", "--name", "mine", "--signal", "90", *words)
    assert {f"#SBATCH {word}" for word in words} < set(lines)
    assert {"#SBATCH --job-name=mine", "#SBATCH --signal=B:USR1@90"} < set(lines)


def test_what_the_shell_makes_of_it_is_what_was_given(job):
    text = submit("job.py", "-n", "2", "--dry-run", "--", *HOSTILE).stdout
    exec_as = text.replace("exec ", "exec printf '%s\\0' ", 1)
    told = subprocess.run(["sh"], input=exec_as, capture_output=True, text=True).stdout
    words = [*RUN, *DEAF, PYTHON, str(job / "job.py"), *HOSTILE]
    assert told.split("\0") == [*words, ""]


def test_no_name_of_a_script_makes_an_option(job):
    name = "x\n#SBATCH --uid=0.py"
    (job / name).write_text("")
    lines = lines_of(name, "-n", "2")
    assert lines[1] == "#SBATCH --job-name=x__SBATCH_--uid_0"
    assert lines[4].startswith("trap "), "SLURM reads no option after the first command"


@pytest.mark.parametrize(
    "time, slurm",
    [
        ("90m", "0-01:30:00"),
        ("1d", "1-00:00:00"),
        ("1d12h30m", "1-12:30:00"),
        ("30h", "1-06:00:00"),
        ("45", "45"),
        ("02:30:00", "02:30:00"),
        ("00:00:30", "00:00:30"),
        ("2-12", "2-12"),
        ("2-12:00", "2-12:00"),
    ],
)
def test_a_time_may_be_written_in_two_ways(job, time, slurm):
    assert f"#SBATCH --time={slurm}" in lines_of("job.py", "-n", "2", "--time", time)


@pytest.mark.parametrize(
    "words, said",
    [
        (["job.py"], "-n"),
        (["job.py", "-n", "0"], "'0'"),
        (["none.py", "-n", "2"], "'none.py'"),
        (["job.py", "-n", "2", "--time", "2 hours"], "'2 hours'"),
        (["job.py", "-n", "2", "--time", "h"], "'h'"),
        (["job.py", "-n", "2", "--time", "0m"], "'0m': a minute is the least"),
        (["job.py", "-n", "2", "--time", "0"], "'0': a minute"),
        (["job.py", "-n", "2", "--time", "00:00:00"], "'00:00:00': a minute"),
        (["job.py", "-n", "2", "--time", "0-0"], "'0-0': a minute"),
        (["job.py", "-n", "2", "--time", "٢h"], "'٢h'"),
        (["job.py", "-n", "2", "--time", "٢"], "'٢'"),
        (["job.py", "-n", "2", "--signal", "soon"], "'soon'"),
        (["job.py", "-n", "2", "--signal", "65536"], "0 to 65535"),
        (["job.py", "-n", "2", "--signal", "90", "--time", "1:30"], "ends after 90 s"),
        (["job.py", "-n", "2", "--name", "a\n#SBATCH --uid=0"], "letters, digits"),
        (["job.py", "-n", "2", "--output", "a b"], "'a b'"),
        (["job.py", "-n", "2", "steps"], "steps"),
        (["job.py", "-n", "2", "--", ":"], "':'"),
    ],
)
def test_what_cannot_be_is_status_2_and_says_why(job, words, said):
    done = submit(*words, "--dry-run")
    assert done.returncode == 2 and not done.stdout, done
    assert said in done.stderr


def test_where_there_is_no_slurm_it_says_so(job):
    done = submit("job.py", "-n", "2", env={"PATH": job})
    assert done.returncode == 1 and not done.stdout, done
    assert "sbatch" in done.stderr and "--dry-run" in done.stderr


@pytest.mark.parametrize("status", [0, 3])
def test_sbatch_gets_it_and_its_status_comes_back(job, status):
    fake = job / "sbatch"
    fake.write_text(f"#!/bin/sh\n/bin/cat >{job}/got\necho Submitted\nexit {status}\n")
    fake.chmod(0o755)
    done = submit("job.py", "-n", "2", env={"PATH": job})
    assert (done.returncode, done.stdout) == (status, "Submitted\n"), done
    assert (job / "got").read_text().splitlines() == lines_of("job.py", "-n", "2")
