# SPDX-License-Identifier: MIT
"""Start a job from a test, with a time limit; nothing of it stays behind.

    done = mpirun(4, APPS / "ring", "--laps", "10")
    assert done.returncode == 0, done
    done = mpirun(1, a, ":", "-np", "1", PYTHON, b)      # two programs, one job
    done = alone(APPS / "ring")                          # without mpirun

`./dev test` sets PAR_BUILD to the build folder; without it build/release
beside the sources is taken.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("PAR_BUILD") or SOURCE / "build" / "release").resolve()
APPS = BUILD / "apps"
PYTHON = sys.executable

# What is late on a machine that is slow, or stands still now and then, is not wrong.
SECONDS = 120  # a job may take
GONE_SECONDS = 15  # until the last of its processes has ended, once it has itself


# What mpirun of Open MPI 4 says of itself, at times: when ranks leave while it ends them,
# and when what it starts on another host is quicker than itself.
NOISE = re.compile(
    r"^(\[warn\] Epoll MOD\(|\[.*\] plm:rsh: Warning: setpgid\().*\n", re.MULTILINE
)


class Done(subprocess.CompletedProcess):
    """How a job ended: returncode, stdout and stderr as text; readable where an
    assertion shows it."""

    def __repr__(self):
        return (
            f"{' '.join(self.args)}\nended with status {self.returncode}"
            f"\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )


def mpirun(n, *argv, timeout=SECONDS, env=None):
    """Run ARGV on N ranks, more than the machine has cores if need be."""
    return alone("mpirun", "--oversubscribe", "-np", n, *argv, timeout=timeout, env=env)


def alone(*argv, timeout=SECONDS, env=None):
    """Run ARGV as it stands, with ENV added to the environment.

    A job that takes longer than TIMEOUT seconds, or leaves processes behind, is
    ended with all of them, and the test fails with what it had written."""
    argv = [str(word) for word in argv]
    job = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment(env),
        start_new_session=True,
    )
    fault = None
    try:
        stdout, stderr = job.communicate(timeout=timeout)
        if not gone(job.pid, seconds=GONE_SECONDS):
            fault = "left processes behind"
    except subprocess.TimeoutExpired:
        fault = f"took longer than {timeout} s"
    finally:
        end(job)
    if fault and job.stdout and not job.stdout.closed:
        stdout, stderr = job.communicate(timeout=10)
    done = Done(argv, job.returncode, stdout, NOISE.sub("", stderr))
    if fault:
        raise AssertionError(f"the job {fault}: {done}")
    return done


def environment(more):
    """This process's environment with what a job needs, and MORE, in it."""
    python_path = [str(BUILD / "python"), os.environ.get("PYTHONPATH")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, python_path)),
        # Open MPI refuses root without these; who is not root needs none.
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "PRTE_ALLOW_RUN_AS_ROOT": "1",
        "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        **{name: str(value) for name, value in (more or {}).items()},
    }


LABEL = re.compile(r"^\[ranks? [\d,-]+ of \d+ · [^]]+\] ", re.MULTILINE)


def unlabelled(text):
    """TEXT without the ranks that its lines begin with."""
    return LABEL.sub("", text)


def _session(sid):
    """The living processes of session SID. mpirun gives every rank a process
    group of its own, so the session is what holds a job together."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path("/proc", entry, "stat").read_text(errors="replace")
            except OSError:  # it ended meanwhile
                continue
            state, _, _, session = stat.rpartition(")")[2].split()[:4]
            if int(session) == sid and state not in "ZX":
                found.append(int(entry))
    return found


def gone(sid, seconds):
    """Whether the processes of session SID have ended, SECONDS later at most."""
    limit = time.monotonic() + seconds
    while _session(sid):
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def end(job):
    """End the job: mpirun first, so that it can clean up, then what is left."""
    if job.poll() is None:
        job.terminate()
        gone(job.pid, seconds=5)
    while left := _session(job.pid):
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
    job.wait()
