# SPDX-License-Identifier: MIT
"""The programs of tests/failure: where they are, what they want, how they are run, and
what is told of those that can never end."""

import re
from pathlib import Path
from typing import NamedTuple

from mpirun import BUILD, PYTHON, mpirun

HERE = Path(__file__).parent / "failure"
DEADLOCK = 86  # the status of a job that cannot go on
START = {  # of a program's source, by the language
    ".py": re.compile(r"@on\((?P<ranks>\d+)\)\ndef (?P<name>\w+)"),
    ".c": re.compile(r"RANKS\((?P<ranks>\d+)\)\nstatic void (?P<name>\w+)"),
}
STUCK = re.compile(r"stuck: ([\d,-]+)")
# A rank at its end is named, too, with the line that ends it.
LINE = re.compile(
    r"^ *ranks? ([\d,-]+) in (?!finalize).* at (\S+):(\d+)(?:, .*)?$", re.MULTILINE
)


class Program(NamedTuple):
    path: Path
    name: str
    ranks: int
    stuck: dict  # line -> ranks that stand there

    def __str__(self):
        return f"{self.path.stem}-{self.name}"

    @property
    def argv(self):
        """What each of its ranks runs."""
        if self.path.suffix == ".py":
            return [PYTHON, self.path, self.name]
        return [BUILD / "tests" / "failure" / self.path.stem, self.name]

    def run(self):
        return mpirun(self.ranks, *self.argv)

    def told(self, text):
        """{line: ranks} of what the report in TEXT says of its file."""
        found = {}
        for ranks, file, line in LINE.findall(text):
            if file.endswith(self.path.name):
                found.setdefault(int(line), set()).update(ranks_of(ranks))
        return found

    def lacks_some(self, done):
        """Whether DONE is wrong in nothing but ranks that are missing, or that also wait,
        but elsewhere still: for those that are not of a deadlock its report waits for
        some tenths of a second."""
        certain = self.told(done.stderr.partition("also waiting:")[0])
        return (
            done.returncode == DEADLOCK
            and self.stuck
            and self.told(done.stderr) != self.stuck
            and all(certain[line] <= self.stuck.get(line, set()) for line in certain)
        )

    def check(self, done, again=None):
        """That DONE, a run of it, is told what is wrong, or left alone. Where ranks came
        too late to be told, as on a machine that stands still, AGAIN() runs it again."""
        for _ in range(3):
            if self.lacks_some(done):
                done = (again or self.run)()
        if self.path.stem.startswith("wrong"):
            assert done.returncode == DEADLOCK, done
            assert self.stuck and self.told(done.stderr) == self.stuck, done
            assert done.stderr.count("par: deadlock: ") == 1, done
        else:
            assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done


def ranks_of(text):
    """{0, 2, 3} of "0,2-3"."""
    ends = (part.partition("-") for part in text.split(","))
    return {
        rank
        for first, _, last in ends
        for rank in range(int(first), int(last or first) + 1)
    }


def programs(pattern):
    found = []
    for path in sorted(HERE.glob(pattern)):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            pair = "\n".join(lines[number : number + 2])
            if start := START[path.suffix].match(pair):
                program = Program(path, start["name"], int(start["ranks"]), {})
                found.append(program)
            if marker := STUCK.search(line):
                if found and found[-1].path == path:
                    found[-1].stuck[number + 1] = ranks_of(marker[1])
    return found
