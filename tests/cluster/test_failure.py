# SPDX-License-Identifier: MIT
"""The programs of tests/failure, whose ranks are on several hosts: who waits for ever is
told with its line, and who only waits long is left alone."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from catalogue import programs
from mpirun import PYTHON

WRONG = """
    wrong-a_ring_of_large_sends
    wrong-one_rank_leaves_the_barrier_out
    wrong_messages-a_receive_from_anybody_when_all_others_have_ended
    wrong_messages-a_chain_that_hangs_on_a_cycle
    wrong_collectives-barriers_of_two_communicators_are_crossed
    wrong_collectives-scatter_without_its_root
""".split()
RIGHT = """
    right-a_rank_computes_before_the_barrier
    right_messages-a_server_of_anybody_whose_clients_sleep
    right_messages-a_rank_is_stopped_for_a_while
    right_collectives-parts_work_at_their_own_pace
    right_threads-threads_of_one_rank_serve_each_other
""".split()
FOUR = "h1:8,h2:8,h3:8,h4:8"


@pytest.mark.parametrize("names", [WRONG, RIGHT], ids=["wrong", "right"])
def test_programs_of_ranks_on_different_hosts(cluster, names):
    chosen = [program for program in programs("*.[cp]*") if str(program) in names]
    assert len(chosen) == len(names)

    def run(program):
        turns = ["-np", program.ranks, "--map-by", "node"]
        return cluster.mpirun(FOUR, *turns, *program.argv)

    with ThreadPoolExecutor(max_workers=3) as pool:
        for program, done in zip(chosen, pool.map(run, chosen), strict=True):
            program.check(done, lambda program=program: run(program))


def test_a_hang_is_told_with_what_the_ranks_of_all_hosts_do(cluster, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, time\n"
        "from pypar import world\n"
        "def work(end):\n"
        "    while time.monotonic() < end: pass\n"
        "if world.rank == 4:\n"  # of h2
        "    work(time.monotonic() + float(sys.argv[1]))\n"
        "if world.rank == 5:\n"  # of h3
        "    time.sleep(float(sys.argv[1]))\n"
        "world.barrier()\n"
    )
    told = [
        r"^  ranks 0-3 in barrier #\d at \S+:9$",
        r"rank 4 computes\n(?: {4}.*\n)+",
        "line 4 in work",
        "rank 5 sleeps outside the library",
    ]
    for seconds in 2, 10:  # by when all are to be where they stay
        hang = ["-x", f"PAR_HANG_SECONDS={seconds}", "--map-by", "node"]
        run = [PYTHON, script, 6 * seconds]
        done = cluster.mpirun("h1:2,h2:2,h3:2", *hang, *run, timeout=180)
        assert done.returncode == 0, done
        if all(re.search(words, done.stderr, re.MULTILINE) for words in told):
            return
    raise AssertionError(done)
