# SPDX-License-Identifier: MIT
"""Jobs of SLURM on four nodes of some CPUs: how they start, where they run, how they end."""

import json
import os
import re
import textwrap

import pytest
from jobs import Job
from mpirun import APPS, PYTHON, SOURCE

CPUS = len(os.sched_getaffinity(0))


@pytest.fixture
def script(tmp_path):
    def write(text):
        file = tmp_path / "script.py"
        file.write_text(textwrap.dedent(text))
        return file

    return write


@pytest.fixture
def job(slurm, tmp_path):
    """Submit a batch script that ends with LINE, options of sbatch behind it."""

    def submit(line, *options):
        return Job(slurm, tmp_path, "sbatch", *options, "--wrap", line)

    return submit


@pytest.fixture
def submit(slurm, tmp_path):
    """The same by `python -m pypar submit`."""

    def call(*words):
        return Job(slurm, tmp_path, PYTHON, "-m", "pypar", "submit", *words)

    return call


def srun(slurm, *words, timeout=180):
    """What the ranks print."""
    done = slurm.start("srun", "--mpi=pmix", *words, timeout=timeout)
    assert done.returncode == 0, done
    return done.stdout


def places(output):
    """[("h1", "0"), ...]: the host and the CPUs of each rank, as ring prints them."""
    return re.findall(r"^rank \d+ on (\w+), CPUs (\S+)", output, re.MULTILINE)


# ---- how a job starts --------------------------------------------------------


def test_srun_starts_ranks_of_c(slurm):
    told = srun(slurm, "-N4", "-n8", APPS / "ring", "--laps", "10")
    hosts = [host for host, _ in places(told)]
    assert hosts == ["h1", "h1", "h2", "h2", "h3", "h3", "h4", "h4"]
    assert "token 80 as expected" in told


def test_srun_starts_ranks_of_python(slurm, script):
    file = script("""
        from pypar import get_processor_name, world
        told = world.gather((get_processor_name(), world.node.rank, world.node.size))
        if world.rank == 0:
            print(told)
    """)
    told = srun(slurm, "-N2", "-n4", PYTHON, file)
    assert told == "[('h1', 0, 2), ('h1', 1, 2), ('h2', 0, 2), ('h2', 1, 2)]\n"


def test_mpirun_in_a_batch_job_takes_what_slurm_gives(job):
    told = job(f"exec mpirun {APPS / 'ring'} --laps 10", "-n6").told()
    hosts = [host for host, _ in places(told)]
    assert hosts == ["h1", "h1", "h2", "h2", "h3", "h3"]
    assert "token 60 as expected" in told


def test_ranks_per_node_are_as_asked_for(job):
    words = ["--nodes=4", "--ntasks-per-node=1"]
    told = job(f"exec mpirun {APPS / 'ring'} --laps 10", *words).told()
    assert [host for host, _ in places(told)] == ["h1", "h2", "h3", "h4"]


def test_an_array_is_a_job_for_each_number(slurm, tmp_path, script):
    file = script(f"""
        import os
        from pypar import world
        number = int(os.environ["SLURM_ARRAY_TASK_ID"])
        total = world.allreduce(number * (world.rank + 1), 3)
        if world.rank == 0:
            open({str(tmp_path)!r} + f"/{{number}}.txt", "w").write(str(total))
    """)
    words = ["--array=5-7", "-n2", f"--output={tmp_path}/%a.out", "--wait"]
    done = slurm.run("sbatch", *words, "--wrap", f"exec mpirun {PYTHON} {file}")
    assert done.returncode == 0, done
    told = {n: (tmp_path / f"{n}.txt").read_text() for n in (5, 6, 7)}
    assert told == {5: "15", 6: "18", 7: "21"}


def test_the_status_of_a_rank_is_that_of_the_job(slurm, script):
    file = script("""
        from pypar import world
        if world.rank == 1:
            raise SystemExit(9)
        world.receive(1)
    """)
    done = slurm.run("sbatch", "-n4", "--wait", "--output=/dev/null",
                     "--wrap", f"exec mpirun {PYTHON} {file}")  # fmt: skip
    assert done.returncode == 9, done


# ---- where the ranks run -----------------------------------------------------

EACH = [str(cpu) for cpu in range(2)]
ALL = f"0-{CPUS - 1}"

needs_two = pytest.mark.skipif(CPUS != 2, reason="is about nodes of two CPUs")


@needs_two
@pytest.mark.parametrize(
    "words, cpus",
    [
        (["-n2"], EACH),
        (["-n2", "--cpu-bind=cores"], EACH),
        (["-n2", "--cpu-bind=none"], [ALL, ALL]),
        (["-n2", "--cpu-bind=map_cpu:1,0"], ["1", "0"]),
        (["-n2", "--cpu-bind=mask_cpu:0x3,0x2"], [ALL, "1"]),
        (["-n1", "--cpus-per-task=2"], [ALL]),
        (["-N2", "-n2", "--cpus-per-task=2"], [ALL, ALL]),
    ],
    ids=" ".join,
)
def test_the_cpus_that_srun_gives_a_rank_are_its_own(slurm, words, cpus):
    """par keeps to what srun was told."""
    words = words if "-N2" in words else ["-N1", *words]
    told = srun(slurm, *words, APPS / "ring", "--laps", "1")
    assert [mask for _, mask in places(told)] == cpus


# ---- how it ends -------------------------------------------------------------

# Half of the ranks compute and half wait.
ON_TIME_LIMIT = """
    import time
    from pypar import on_time_limit, world

    class TimeIsUp(Exception):
        pass

    @on_time_limit
    def stop():
        raise TimeIsUp

    try:
        world.barrier()  # who has named no function yet is killed by the signal
        if world.rank == 0:
            print("ready")
        while True:
            world.receive(world.rank) if world.rank % 2 else time.sleep(0.01)
    except TimeIsUp:
        print("rank", world.rank, "stopped")
"""
STOPPED = [f"rank {rank} stopped" for rank in range(4)]


def stopped(job):
    return sorted(re.findall(r"rank \d stopped", job.told()))


def test_the_time_limit_calls_a_function_on_all_ranks(job, script):
    """SLURM looks every 30 s, and sends the signal up to 30 s too early: here 20 s after
    the start, when the ranks are there, or later."""
    line = f"exec mpirun {PYTHON} {script(ON_TIME_LIMIT)}"
    ours = job(line, "-N2", "-n4", "--time=1", "--signal=B:USR1@10")
    assert stopped(ours) == STOPPED


@pytest.mark.parametrize(
    "launch, options",
    [
        ("exec mpirun", ["--batch"]),  # what --signal=B: sends to
        ("exec srun --mpi=pmix", ["--batch"]),
        ("srun --mpi=pmix", []),  # what --signal without B: sends to
    ],
)
def test_the_signal_reaches_all_ranks(job, script, launch, options):
    for _ in range(3):  # see Slurm.start
        ours = job(f"{launch} {PYTHON} {script(ON_TIME_LIMIT)}", "-N2", "-n4")
        if ours.wait_for("ready|Segmentation fault")[0] == "ready":
            break
    ours.signal(*options)
    assert stopped(ours) == STOPPED


# ---- run and submit ----------------------------------------------------------


def test_submit_runs_a_script_with_its_arguments(submit, script):
    file = script("""
        import json, os, sys
        from pypar import get_processor_name, world
        hosts = world.gather(get_processor_name())
        if world.rank == 0:
            print(json.dumps([hosts, sys.argv[1:], os.environ["SLURM_JOB_NAME"]]))
    """)
    hostile = ["a b", "$(touch made)", "it's", "", "-n", "*", "two\nlines"]
    words = ["-n", "3", "--nodes", "3", "--time", "2m"]
    told = submit(file, *words, "--", *hostile).told()
    assert json.loads(told) == [["h1", "h2", "h3"], hostile, "script"]


def test_submit_has_the_functions_of_the_time_limit_called(submit, script):
    job = submit(script(ON_TIME_LIMIT), "-n", "4", "--nodes", "2")
    job.wait_for("ready")
    job.signal("--batch")
    assert stopped(job) == STOPPED


def test_submit_lets_a_script_work_on_that_has_no_such_function(submit, script):
    """On two nodes, and on each of them with one rank that has a function."""
    file = script("""
        from pypar import on_time_limit, world

        def tell_the_others():
            world.send("time is up", world.rank - 1)

        if world.rank % 2:
            on_time_limit(tell_the_others)
            world.barrier()
        else:
            world.barrier()
            print("ready")
            print("rank", world.rank, "heard that", world.receive(world.rank + 1))
        world.barrier()
    """)
    job = submit(file, "-n", "4", "--nodes", "2")
    job.wait_for("ready")
    job.signal("--batch")
    heard = sorted(re.findall(r"rank \d heard that time is up", job.told()))
    assert heard == [f"rank {rank} heard that time is up" for rank in (0, 2)]


def test_run_in_an_allocation_takes_all_of_it(job):
    line = f"exec {PYTHON} -m pypar run {SOURCE / 'apps' / 'ring.py'}"
    told = job(line, "-N2", "-n4").told()
    assert "'P0P1P2P3' came back" in told and "oversubscribe" not in told


def test_run_on_hosts_with_too_little_room_starts_nothing(slurm, tmp_path):
    """mpirun that is told hosts but no number starts what there is room for."""
    file = tmp_path / "job.out"
    line = f"exec {PYTHON} -m pypar run --hosts h1:3,h2:1 echo started"
    words = ["-N2", "-n4", "--wait", f"--output={file}", "--wrap", line]
    done = slurm.run("sbatch", *words)
    told = file.read_text()
    assert done.returncode == 1 and "not enough slots" in told, told
    assert "started" not in told
