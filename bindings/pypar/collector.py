# SPDX-License-Identifier: MIT
"""Who brings results to those that are to be told of them: a thread, or who waits."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from . import service
from .farm import Farm

HandIn: TypeAlias = Callable[[int], int]  # a task, on a channel; its number
Done: TypeAlias = Callable[[bool, Any], None]  # whether it went well; its value


class Job:
    """One task, from its handing in to its result."""

    def __init__(self, hand_in: HandIn, done: Done) -> None:
        self.hand_in = hand_in
        self.task: int | None = None  # until it is handed in
        self._done = done

    def tell(self, ok: bool, value: Any) -> None:
        """How it went. A callback that fails keeps nobody from the next one."""
        try:
            self._done(ok, value)
        except BaseException as error:
            thread = threading.current_thread()
            told = (type(error), error, error.__traceback__, thread)
            threading.excepthook(threading.ExceptHookArgs(told))


class Collector:
    """Hands in jobs on a channel, limit of them at a time, and tells each of its end."""

    def __init__(self, farm: Farm, channel: int, limit: int | None) -> None:
        self._farm = farm
        self.channel = channel
        self._limit = limit
        self._changed = threading.Condition()
        self._away: dict[int, Job] = {}
        self._waiting: deque[Job] = deque()
        self._ends = False
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Have a thread tell the jobs from now on."""
        task = service.service_here()

        def run() -> None:
            # Where the tasks are those of a task, deeper ones are done here meanwhile.
            service.set_service_here(task)
            self._run()

        self._thread = threading.Thread(target=run, name="pypar-collector", daemon=True)
        self._thread.start()

    def start(self, job: Job) -> None:
        """Have job done. If it cannot be handed in, it is told so."""
        with self._changed:
            self._waiting.append(job)
        self._hand_in()

    def take_back(self, job: Job) -> bool:
        """Whether job has not begun; then it never will, and is told nothing."""
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)
            elif job.task in self._away and self._farm.cancel(job.task):
                del self._away[job.task]
                self._changed.notify_all()
            else:
                return False
        self._hand_in()
        return True

    def finish(self) -> None:
        """Wait until all jobs have been told; without a thread, tell them here."""
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        if self._thread is None:
            self._run()
        elif self._thread is not threading.current_thread():
            self._thread.join()

    def drop(self) -> list[Job]:
        """Tell nobody any more, but return who has not been told. The channel may go."""
        with self._changed:
            jobs = [*self._away.values(), *self._waiting]
            self._away.clear()
            self._waiting.clear()
            self._ends = True
            self._changed.notify_all()
        return jobs

    def _hand_in(self) -> None:
        """Those that wait, as far as they may."""
        while True:
            with self._changed:
                if not self._waiting or len(self._away) == self._limit:
                    return
                job = self._waiting.popleft()
                try:
                    job.task = job.hand_in(self.channel)
                except Exception as error:
                    fault = error
                else:
                    self._away[job.task] = job
                    self._changed.notify_all()
                    continue
            job.tell(False, fault)

    def _run(self) -> None:
        while self._wait_for_work():
            try:
                result = self._farm.next(self.channel)
            except ValueError:  # of a channel that is closed, if so
                if self._away:
                    raise
                return
            if result is None:  # what was outstanding has been taken back
                continue
            task, ok, value = result
            with self._changed:
                job = self._away.pop(task, None)
            self._hand_in()
            if job:
                job.tell(ok, value)

    def _wait_for_work(self) -> bool:
        with self._changed:
            self._changed.wait_for(self._has_news)
            return bool(self._away)

    def _has_news(self) -> bool:
        return bool(self._away) or self._ends and not self._waiting
