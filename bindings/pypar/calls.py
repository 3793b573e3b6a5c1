# SPDX-License-Identifier: MIT
"""What a task is made of: a call, or several. Handed in on a channel, it has a number."""

from collections.abc import Callable, Mapping
from typing import Any

from .session import Session


def hand_in_call(
    session: Session,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    channel: int,
) -> int:
    """function(*args, **kwargs)"""
    with session.share(function) as shared:
        return session.farm.submit(channel, shared, args, dict(kwargs))


def hand_in_part(
    session: Session,
    function: Callable[..., Any],
    items: list[Any],
    star: bool,
    channel: int,
) -> int:
    """function(item), or function(*item) with star, for each of the items"""
    with session.share(function) as shared:
        return session.farm.submit_many(channel, shared, items, star, False)
