# SPDX-License-Identifier: MIT
"""What the ranks have found, as one text or as JSON: what is equal stands there once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from .here import FAIL, OK, WARN, Result

ORDER = {FAIL: 0, WARN: 1, OK: 2}


def spell(ranks: Iterable[int]) -> str:
    """[0, 1, 2, 5] -> "ranks 0-2, 5" """
    numbers = sorted(ranks)
    runs = []
    for _, pairs in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        run = [rank for _, rank in pairs]
        runs.append(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}")
    return f"rank{'s' if len(numbers) > 1 else ''} {', '.join(runs)}"


def fold(told: Mapping[int, Sequence[Result]]) -> list[tuple[Result, list[int]]]:
    """Each result once, with the ranks that have it, as they were found."""
    ranks: dict[Result, list[int]] = {}
    for rank, results in sorted(told.items()):
        for result in results:
            ranks.setdefault(result, []).append(rank)
    names = list(dict.fromkeys(result.name for result in ranks))
    return sorted(ranks.items(), key=lambda item: names.index(item[0].name))


def worst(results: Iterable[Result]) -> str:
    """The worst status; ok for no result."""
    return min((result.status for result in results), key=ORDER.__getitem__, default=OK)


Found = Mapping[int, Sequence[Result]]


def _with(told: Found, of_job: Sequence[Result]) -> list[tuple[Result, list[int]]]:
    return [*((result, list(told)) for result in of_job), *fold(told)]


def as_text(title: str, told: Found, of_job: Sequence[Result] = ()) -> str:
    """Lines for people: one for a result, and one for its cure; OF_JOB are results that
    concern the ranks together."""
    folded = _with(told, of_job)
    width = max((len(result.name) for result, _ in folded), default=0)
    lines = [title, ""]
    for result, ranks in folded:
        where = "" if len(ranks) == len(told) else f" ({spell(ranks)})"
        lines.append(f"{result.status:4}  {result.name:{width}}  {result.fact}{where}")
        if result.cure and result.status != OK:
            lines.append(f"{'':6}{'':{width}}  -> {result.cure}")
    count = {status: sum(r.status == status for r, _ in folded) for status in ORDER}
    summary = f"{count[FAIL]} failed, {count[WARN]} to look at, {count[OK]} fine"
    return "\n".join([*lines, "", summary])


def as_json(title: str, told: Found, of_job: Sequence[Result] = ()) -> str:
    """The same for programs."""
    folded = _with(told, of_job)
    checks = [
        {**result._asdict(), "cure": result.cure or None, "ranks": ranks}
        for result, ranks in folded
    ]
    status = worst(result for result, _ in folded)
    lines = ",\n".join(f"  {json.dumps(check)}" for check in checks)
    head = json.dumps({"title": title, "status": status})[:-1]
    return f'{head}, "checks": [\n{lines}\n]}}'
