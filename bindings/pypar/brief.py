# SPDX-License-Identifier: MIT
"""Programs that are asked for a few lines."""

import subprocess
from collections.abc import Sequence
from typing import NamedTuple


class Output(NamedTuple):
    """How a program has ended, and what it has printed; status None: it took too long."""

    status: int | None
    text: str


def run(argv: Sequence[str], seconds: float = 10) -> Output:
    """Run a program of which nothing is expected but a few lines, and soon."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return Output(None, "")
    except OSError as error:
        return Output(127, str(error))
    return Output(done.returncode, done.stdout)
