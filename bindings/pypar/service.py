# SPDX-License-Identifier: MIT
"""The workers behind Pool and Executor: the ranks of a communicator, which do what its
rank 0 hands out until that leaves its script, or processes where there is one rank."""

import sys
import threading
import weakref
from multiprocessing.context import BaseContext
from typing import NoReturn, Protocol

from . import finalizing, local
from ._core import Comm, Farm, cpus, world
from .farm import Farm as AnyFarm
from .functions import Functions, Script
from .interrupt import interruptible
from .local import LocalFarm
from .remote import portable

GRACE = 1  # seconds for an interrupted task to clean up at the end of the job


class User(Protocol):
    """What may still be open when its workers leave."""

    def end(self) -> None:
        """Take back what has not begun."""

    def finish(self) -> None:
        """Wait until nobody is to be told of a result any more."""


class Service:
    """Workers that pools share."""

    def __init__(self, farm: AnyFarm, script: Script) -> None:
        self.farm = farm
        self.functions = Functions(farm, script)
        self.users: weakref.WeakSet[User] = weakref.WeakSet()

    def leave(self, user: User, *, wait: bool, interrupt: bool) -> None:
        """User needs no workers any more; with wait, see off those that were its own, and
        with interrupt let them not end what they do."""
        self.users.discard(user)


class LocalService(Service):
    """Processes of this machine, or threads, for one pool."""

    def __init__(self, size: int, context: BaseContext | None, *, threads: bool) -> None:
        self._local = LocalFarm(size, context, threads=threads)
        super().__init__(self._local, self._local.script)

    def leave(self, user: User, *, wait: bool, interrupt: bool) -> None:
        """Let the processes go."""
        super().leave(user, wait=wait, interrupt=interrupt)
        self._local.close(wait=wait, interrupt=interrupt)


class RankService(Service):
    """The ranks of comm, until its rank 0 leaves the script. Collective."""

    def __init__(self, comm: Comm, *, knows_script: bool) -> None:
        script = Script(known=knows_script)
        self._farm = Farm(comm)
        self._is_rank_0 = comm.rank == 0
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        super().__init__(self._farm, script)

    def serve_beside(self) -> None:
        """Have a thread of rank 0, too, do tasks."""
        with self._starting:
            if self._is_rank_0 and not self._has_thread():
                self._thread = threading.Thread(
                    target=self._serve, name="pypar-worker", daemon=True
                )
                self._thread.start()

    def _has_thread(self) -> bool:
        """Whether there is one, and it is not lost in a task that nobody wants any more."""
        thread = self._thread
        return thread is not None and not self._farm.give_up(thread.ident or 0)

    def serve(self) -> NoReturn:
        """Do tasks, as a rank other than 0; leave the script once there are no more."""
        self._serve()
        for user in list(self.users):  # of tasks that have not waited for theirs
            user.end()
            user.finish()
        self._farm.close()
        sys.exit(0)

    def _serve(self) -> None:
        _here.service = self
        with interruptible():
            self._farm.serve(portable)

    def end(self) -> None:
        """On rank 0: have all tasks that have begun done, and let the others leave."""
        if not self._is_rank_0:
            return
        for user in list(self.users):
            user.end()
        self._farm.stop(discard=True)
        if self._thread:
            self._see_off(self._thread)
        self._farm.close()

    def _see_off(self, thread: threading.Thread) -> None:
        """Wait for thread, but not long if nobody wants what it does."""
        thread.join(GRACE)
        while thread.is_alive() and not self._farm.give_up(thread.ident or 0):
            thread.join(GRACE)


_services: dict[Comm, RankService] = {}
_joining = threading.RLock()
_here = threading.local()


def join(
    comm: Comm | None, size: int | None, context: BaseContext | None, *, threads: bool
) -> Service:
    """The service of comm, or that of the task from which this is called. Collective the
    first time; then only rank 0, and tasks, come back from it."""
    if world.size == 1:
        return LocalService(size or cpus(), context, threads=threads)
    service = _service_of(comm)
    if size is None or size >= service.farm.size:
        service.serve_beside()
    return service


def _service_of(comm: Comm | None) -> RankService:
    if comm is None:
        if service := service_here():
            return service
        comm = world
    return start(comm, knows_script=True)


def start(comm: Comm, *, knows_script: bool) -> RankService:
    """The service of comm. Its ranks have run the script up to here, or don't run it."""
    with _joining:
        service = _services.get(comm)
        if service:
            return service
        _check_free(comm)
        service = _services[comm] = RankService(comm, knows_script=knows_script)
    if comm.rank:
        service.serve()
    return service


def _check_free(comm: Comm) -> None:
    """ValueError: comm has ranks that serve another pool, and so never come to this one.
    It is known where one of the two has all ranks of the job."""
    for other in _services:
        if min(comm.size, other.size) > 1 and world.size in (comm.size, other.size):
            raise ValueError(
                f"rank {world.rank}: a pool of {comm.size} of the job's ranks cannot begin "
                f"beside one of {other.size}, of {world.size} in all: some would be in "
                "both, and serve the first one until the script ends; give both the same "
                "comm, or comms that have no rank but this one in common"
            )


def in_task() -> bool:
    """Whether this thread does a task, or its process is a local worker."""
    return local.in_worker or service_here() is not None


def service_here() -> RankService | None:
    """The service whose task this thread does, if it does one."""
    return getattr(_here, "service", None)


def set_service_here(service: RankService | None) -> None:
    """This thread does tasks of service, or none."""
    _here.service = service


def _end_all() -> None:
    for comm, service in list(_services.items()):
        del _services[comm]
        service.end()


finalizing.before.append(_end_all)
finalizing.at_exit(_end_all)
