# SPDX-License-Identifier: MIT
"""What a rank that computes tells of itself: its stack, whenever another rank asks."""

import faulthandler
import os
import signal


def offer_stack(rank: int) -> None:
    """From now on write the stacks of all threads into a file in memory when SIGURG
    comes: other ranks on the node look there for the report of a hang (libpar's peers.c).

    Nothing is interrupted by it. A program that has a use for the signal keeps it.
    """
    if signal.getsignal(signal.SIGURG) is not signal.SIG_DFL:
        return
    try:
        file = os.memfd_create(f"par-stack-{rank}")  # open as long as the process is
    except OSError:  # a sandbox may forbid it: then the report has no stack
        return
    faulthandler.register(signal.SIGURG, file=file, all_threads=True)
