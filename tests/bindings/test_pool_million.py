# SPDX-License-Identifier: MIT
"""A million tasks of a Pool: none is lost, and none takes memory for good."""

from mpirun import PYTHON, mpirun

SCRIPT = """
    import operator, resource
    import pypar

    MILLION, SPARE = 1_000_000, 8192  # KiB

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    pool = pypar.Pool()
    seen, peaks = bytearray(MILLION), [peak()]
    for count, number in enumerate(pool.imap_unordered(operator.neg, range(MILLION)), 1):
        seen[-number] += 1
        if count % (MILLION // 2) == 0:
            peaks.append(peak())
    assert count == MILLION and seen == b"\\1" * MILLION
    assert peaks[2] - peaks[1] < SPARE, peaks
    print("all")
    """


def test_a_million_tasks_are_done_once_each_and_leave_no_memory(script):
    done = mpirun(3, PYTHON, script(SCRIPT), timeout=1200)
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == "all\n", done
