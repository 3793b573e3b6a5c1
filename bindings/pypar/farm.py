# SPDX-License-Identifier: MIT
"""What Pool and Executor ask of a farm: _core.Farm, of ranks, and LocalFarm are one."""

from typing import Any, Protocol


class Farm(Protocol):
    """Tasks go in on a channel, and their results come out of it. Any thread may call
    any of it, but one thread at a time the next() of a channel."""

    @property
    def size(self) -> int:
        """How many workers there are."""

    def share(self, obj: Any, /) -> int:
        """Have every worker know obj, a callable, under the number returned."""

    def forget(self, shared: int, /) -> None:
        """The last task of the shared callable has been handed in."""

    def channel(self, ordered: bool, /) -> int:
        """Open a channel: results come as tasks were handed in, or as they are done."""

    def close_channel(self, channel: int, interrupt: bool = False) -> None:
        """Take back what has not begun, and drop what else will come; interrupt what has
        begun, as far as that can be, or let it end."""

    def submit(
        self,
        channel: int,
        shared: int,
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        copied: bool = False,
        /,
    ) -> int:
        """Hand in a call; return the task's number. Unless its arguments are copied,
        large arrays in them may be sent from where they lie until it is done."""

    def submit_many(
        self, channel: int, shared: int, items: list[Any], star: bool, copied: bool, /
    ) -> int:
        """Hand in a call for each item, or with star for the arguments that it is made
        of, as one task, whose result is their list."""

    def cancel(self, task: int, /) -> bool:
        """Whether the task could be taken back; then it has no result."""

    def next(
        self, channel: int, timeout: float | None = None, /
    ) -> tuple[int, bool, Any] | None:
        """Wait for a result: the task, whether it went well, and its value or exception.
        None if nothing is outstanding. TimeoutError after timeout seconds."""
