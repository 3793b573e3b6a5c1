# SPDX-License-Identifier: MIT
"""Wrong programs are told what is wrong, and right ones are left alone."""

import re

from catalogue import ranks_of

DEADLOCK = 86  # the status of a job that cannot go on

# A rank at its end is named, too, with the line that ends it.
LINE = re.compile(r"^ *ranks? ([\d,-]+) in (?!finalize).* at (\S+):(\d+)$", re.MULTILINE)


def told(done, program):
    """{line: ranks} of what the report says of PROGRAM's file."""
    found = {}
    for ranks, file, line in LINE.findall(done.stderr):
        if file.endswith(program.path.name):
            found.setdefault(int(line), set()).update(ranks_of(ranks))
    return found


def test_who_stands_where_for_ever_is_told(runs, wrong_program):
    for run in runs[wrong_program.path, wrong_program.name]:
        done = run.result()
        assert done.returncode == DEADLOCK, done
        assert wrong_program.stuck and told(done, wrong_program) == wrong_program.stuck, (
            done
        )


def test_what_takes_its_time_is_left_alone(runs, right_program):
    for run in runs[right_program.path, right_program.name]:
        done = run.result()
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
