# SPDX-License-Identifier: MIT
"""Wrong programs are told what is wrong, and right ones are left alone."""


def test_who_stands_where_for_ever_is_told(runs, wrong_program):
    for run in runs[str(wrong_program)]:
        wrong_program.check(run.result())


def test_what_takes_its_time_is_left_alone(runs, right_program):
    for run in runs[str(right_program)]:
        right_program.check(run.result())
