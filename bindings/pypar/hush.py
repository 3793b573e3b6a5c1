# SPDX-License-Identifier: MIT
"""An exception that all ranks have, and that one of them shows."""

import sys
import time
from types import TracebackType

SECONDS = 1  # mpirun ends all ranks once one has failed: the other speaks first


def leave_to_others(error: BaseException) -> None:
    """If nobody catches ERROR, this rank ends without a word: another one says it."""
    show = sys.excepthook

    def show_others(
        kind: type[BaseException], value: BaseException, trace: TracebackType | None
    ) -> None:
        if value is error:
            time.sleep(SECONDS)
        else:
            show(kind, value, trace)

    sys.excepthook = show_others
