# SPDX-License-Identifier: MIT
"""A batch job of SLURM, as a test sees it."""

import re
import time

UNDER_WAY = ("PENDING", "RUNNING", "COMPLETING")


class Job:
    def __init__(self, slurm, folder, *argv):
        """Submit it by ARGV; what it prints goes to a file in FOLDER."""
        self.slurm, self.file = slurm, folder / "job.out"
        self.file.write_text("")
        done = slurm.run(*argv, env={"SBATCH_OUTPUT": self.file})
        assert done.returncode == 0, done
        self.number = re.fullmatch(r"Submitted batch job (\d+)\n", done.stdout)[1]

    def __repr__(self):
        return f"job {self.number} is {self.state()}:\n{self.output()}"

    def state(self):
        done = self.slurm.run("scontrol", "show", "job", self.number)
        return re.search(r"\bJobState=(\w+)", done.stdout)[1]

    def output(self):
        return self.file.read_text()

    def told(self, seconds=240):
        """What it printed, once it has ended as it should."""
        limit = time.monotonic() + seconds
        while (state := self.state()) in UNDER_WAY and time.monotonic() < limit:
            time.sleep(0.2)
        assert state == "COMPLETED", self
        return self.output()

    def wait_for(self, pattern, seconds=180):
        """Until it has printed what PATTERN matches; the match."""
        limit = time.monotonic() + seconds
        while not (found := re.search(pattern, self.output())):
            assert time.monotonic() < limit, self
            time.sleep(0.1)
        return found

    def signal(self, *options):
        """Send SIGUSR1 as the time limit would, to all ranks that have said that they
        are ready for it and are likely to wait."""
        time.sleep(1)
        done = self.slurm.run("scancel", "--signal=USR1", *options, self.number)
        assert done.returncode == 0, done
