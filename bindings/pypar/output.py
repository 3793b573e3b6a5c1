# SPDX-License-Identifier: MIT
"""What ranks print: in whole lines, and each line at once."""

import sys


def print_whole_lines() -> None:
    """From now on each line goes out when it ends, in one write.

    mpirun mixes what the ranks write as it comes. Into its pipes Python would write
    blocks, hours late, or with PYTHONUNBUFFERED a line and its end apart.
    """
    for stream in (sys.__stdout__, sys.__stderr__):
        # Who replaces them may do without: then nothing is to be done.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(line_buffering=True, write_through=False)
