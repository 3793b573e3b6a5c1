# SPDX-License-Identifier: MIT
"""What a worker tells of an exception, so that it is raised where the result would be."""

import pickle
import traceback
from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]
from typing import Any


def portable(error: BaseException) -> Any:
    """error as it can be sent: decoded, it has the worker's traceback for a cause."""
    trace = error.__traceback__
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        told = traceback.format_exception_only(error)
        error = RuntimeError("".join(told).strip())
    return ExceptionWithTraceback(error, trace)
