# SPDX-License-Identifier: MIT
"""The programs of this folder: where they are, what they want, how they are run."""

import re
from pathlib import Path
from typing import NamedTuple

from mpirun import BUILD, PYTHON, mpirun

HERE = Path(__file__).parent
START = {  # of a program's source, by the language
    ".py": re.compile(r"@on\((?P<ranks>\d+)\)\ndef (?P<name>\w+)"),
    ".c": re.compile(r"RANKS\((?P<ranks>\d+)\)\nstatic void (?P<name>\w+)"),
}
STUCK = re.compile(r"stuck: ([\d,-]+)")


class Program(NamedTuple):
    path: Path
    name: str
    ranks: int
    stuck: dict  # line -> ranks that stand there

    def run(self):
        if self.path.suffix == ".py":
            words = PYTHON, self.path
        else:
            words = (BUILD / "tests" / "failure" / self.path.stem,)
        return mpirun(self.ranks, *words, self.name)


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
