# SPDX-License-Identifier: MIT
"""One mpirun job of ranks that wait to be told which test to run next."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from multiprocessing.connection import Connection, wait
from pathlib import Path

from mpirun import GONE_SECONDS, PYTHON, end, environment, gone

START_SECONDS = 180  # until all ranks have imported pypar and the file of the tests
GRACE_SECONDS = 10  # for the other ranks, once one has failed
END_SECONDS = 60  # to leave the interpreter and finalize
DUMP_SECONDS = 10  # to begin to say where it is
LAST_SECONDS = 20  # until mpirun has said what became of a rank


class Job:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="par-ranks-"))
        self.process = None  # mpirun
        self.ranks = {}  # connection -> rank
        self.pids = {}  # rank -> pid

    def start(self, config, path, count):
        """Start the job; return what kept its ranks from getting ready, "" if
        nothing did."""
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(self.folder / "door"))
            door.listen(count)
            self.process = self._launch(config, path, count)
            self._admit(door, count)
        faults = [tale for tale in self._listen(START_SECONDS).values() if tale]
        if len(self.ranks) < count:
            came = f"of {count} ranks only {len(self.ranks)} came"
            faults.append(f"{came}\n{self._output()}")
        return "\n".join(dict.fromkeys(faults))

    def _launch(self, config, path, count):
        here = Path(__file__).parent
        argv = ["mpirun", "--oversubscribe", "-np", str(count), PYTHON]
        argv += ["-m", "pytest", "-p", "ranks_member", "-p", "ranks"]
        argv += ["-p", "no:terminal", "-p", "no:cacheprovider"]
        argv += ["-o", "addopts=", "--rootdir", str(config.rootpath), str(path)]
        if config.inipath:
            argv += ["-c", str(config.inipath)]
        env = environment({"PAR_RANKS_FOLDER": self.folder})
        path = [str(here), str(here.parent), env["PYTHONPATH"]]
        env["PYTHONPATH"] = os.pathsep.join(path)
        with open(self.folder / "output", "wb") as output:
            return subprocess.Popen(
                argv, env=env, cwd=config.rootpath, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def _admit(self, door, count):
        """Wait for the ranks to connect; who is missing at the end stays missing."""
        limit = time.monotonic() + START_SECONDS
        door.settimeout(0.1)
        while len(self.ranks) < count and time.monotonic() < limit:
            if self.process.poll() is not None:
                return
            try:
                visitor, _ = door.accept()
            except TimeoutError:
                continue
            visitor.setblocking(True)
            connection = Connection(visitor.detach())
            try:
                rank, pid = connection.recv()
            except EOFError:  # it died at once
                return
            self.ranks[connection] = rank
            self.pids[rank] = pid

    def run(self, test, next_test, seconds):
        """Run a test on all ranks: what each tells, {rank: its reports, or a
        text where it could not tell}."""
        self._tell((test, next_test))
        return self._listen(seconds)

    def _tell(self, order):
        for connection in self.ranks:
            try:
                connection.send(order)
            except OSError:
                pass  # it has ended, as will be seen

    def _listen(self, seconds):
        told = {}
        waiting = dict(self.ranks)
        limit = time.monotonic() + seconds
        while waiting:
            heard = wait(waiting, timeout=max(0, limit - time.monotonic()))
            for connection in heard:
                rank = waiting.pop(connection)
                told[rank] = self._hear(connection)
                if _failed(told[rank]):
                    limit = min(limit, time.monotonic() + GRACE_SECONDS)
            if not heard:
                break
        some_failed = any(_failed(tale) for tale in told.values())
        why = "others had failed" if some_failed else "its time was up"
        return told | {
            rank: f"did not end; when {why} it was at:\n{self._dump(rank)}"
            for rank in waiting.values()
        }

    def _hear(self, connection):
        try:
            return connection.recv()
        except (EOFError, OSError):
            try:
                self.process.wait(LAST_SECONDS)  # let mpirun have its say
            except subprocess.TimeoutExpired:
                pass
            return f"the process ended\n{self._output()}"

    def _dump(self, rank):
        """Where every thread of RANK is (ranks_member.py registers the signal)."""
        file = self.folder / f"stack.{rank}"
        try:
            os.kill(self.pids[rank], signal.SIGUSR1)
        except ProcessLookupError:
            return "(it is gone)"
        return _ours(_whole(file)) or "(it does not answer)"

    def _output(self):
        """The last that mpirun and the ranks had to say."""
        return _ours((self.folder / "output").read_text(errors="replace"))[-4000:]

    def end(self, quick):
        """End the job, politely unless QUICK; return what went wrong with it."""
        fault = None if quick else self._leave()
        if self.process:
            end(self.process)
        for connection in self.ranks:
            connection.close()
        shutil.rmtree(self.folder)
        return fault

    def _leave(self):
        self._tell(None)
        try:
            status = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            stacks = [f"rank {rank} is at\n{self._dump(rank)}" for rank in self.pids]
            return "\n".join(["the job did not end after its last test", *stacks])
        if status:
            return f"the job ended with status {status}\n{self._output()}"
        if not gone(self.process.pid, GONE_SECONDS):
            return "the job left processes behind"
        return None


def _whole(file):
    """What is being written to FILE: all, once it has not grown for a while."""
    limit = time.monotonic() + DUMP_SECONDS
    before, text = None, ""
    while text != before or (not text and time.monotonic() < limit):
        time.sleep(0.5)
        before, text = text, file.read_text()
    return text


def _ours(text):
    """A stack without the frames of the machinery that called the test."""
    machinery = r"  File .*(/_pytest/|/pluggy/|/pytest/|/ranks_member|runpy).*\n"
    return re.sub(machinery, "", text)


def _failed(tale):
    return isinstance(tale, str) or any(r["outcome"] == "failed" for r in tale or ())
