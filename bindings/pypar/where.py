# SPDX-License-Identifier: MIT
"""python -m pypar where: where the ranks of the job are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from ._core import Comm, world

if TYPE_CHECKING:
    import argparse

# Every program that imports pypar imports this file: what few need comes later.

# As par_report_form counts them; the picture is drawn from what the JSON says.
_NUMBERS = {"short": 1, "all": 2, "json": 3, "svg": 3}


def where(
    comm: Comm = world, form: Literal["short", "all", "json", "svg"] = "short"
) -> str | None:
    """Return where the ranks of comm are, on rank 0; None on the others. Collective.

    "short" is text in which nodes that are alike, and many ranks that are, are folded;
    "all" has a line for each rank. "json" is for programs, "svg" a picture.

    ValueError for another form: on that rank alone."""
    if form not in _NUMBERS:
        known = ", ".join(map(repr, _NUMBERS))
        raise ValueError(f"form is {form!r}: it must be one of {known}")
    text = comm._report(_NUMBERS[form])
    return _draw(text) if text and form == "svg" else text


def _draw(text: str) -> str:
    import json

    from ._svg import draw

    return draw(json.loads(text))


def main(arguments: Sequence[str]) -> int:
    """What the command does, on every rank. Its exit status."""
    asked = _parse(arguments)
    if asked.json or asked.svg:
        text = where(form="json")
    else:
        text = where(form="all" if asked.all else "short")
    if text is None:
        return 0
    if asked.json or not asked.svg:
        print(text, end="")
    return _save(text, asked.svg) if asked.svg else 0


def _save(text: str, file: str) -> int:
    try:
        with open(file, "w", encoding="utf-8") as out:
            out.write(_draw(text))
    except OSError as error:
        import sys

        print(f"pypar where: {error}", file=sys.stderr)
        return 1
    return 0


def _parse(arguments: Sequence[str]) -> "argparse.Namespace":
    import argparse

    from .command import one_voice

    parser = argparse.ArgumentParser(
        prog="python -m pypar where",
        description="Show where the ranks of the job are, and what is wrong with that: "
        "mpirun -np 4 python -m pypar where",
    )
    parser.add_argument("--all", action="store_true", help="a line for each rank")
    parser.add_argument("--json", action="store_true", help="print it for programs")
    parser.add_argument("--svg", metavar="FILE", help="draw a picture, instead of text")
    with one_voice(world.rank == 0):
        return parser.parse_args(arguments)
