# SPDX-License-Identifier: MIT
"""What waits for a file."""

import time

SECONDS = 60  # what would take longer is lost


def until(path):
    """A task that lasts until somebody makes the file path; its name."""
    limit = time.monotonic() + SECONDS
    while not path.exists():
        assert time.monotonic() < limit
        time.sleep(0.005)
    return path.name
