# SPDX-License-Identifier: MIT
"""A picture of where the ranks are: each node's packages, NUMA nodes, caches and cores,
nested as they are, with the ranks on them.

Boxes know their size before they are drawn, from the inside out: a core is a Cell, cores
that share a cache a Grid, and around them stand Frames, side by side in Rows.
"""

import colorsys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, Protocol
from xml.sax.saxutils import escape, quoteattr

GAP, PAD, LINE, MARGIN = 5, 9, 18, 24
CELL_HEIGHT = 24
ROW_WIDTH = 1100  # beyond it packages, and what is in them, go on below
LETTER = 7.2  # the width of one, about

STYLE = """
  .page { fill: #ffffff } .frame { fill: #808080; fill-opacity: .06; stroke: #8a8f98 }
  text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #24292f }
  .host { font-size: 17px; font-weight: 600 } .label, .note { fill: #57606a }
  .rank { text-anchor: middle; dominant-baseline: central; fill: #1b1f24 }
  .free { fill: none; stroke: #8a8f98; stroke-dasharray: 2 2 }
  .taken { fill: #8a8f98; fill-opacity: .35 }
  .many { fill: #d0d4da } .warning { fill: #9a5b00 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 }
    .label, .note { fill: #9aa4af } .rank { fill: #1b1f24 } .warning { fill: #e3b341 }
  }
"""


class Box(Protocol):
    @property
    def width(self) -> float: ...
    @property
    def height(self) -> float: ...
    def draw(self, x: float, y: float) -> Iterator[str]: ...


def _text(x: float, y: float, kind: str, words: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words)}</text>'


def _rect(x: float, y: float, box: "Box | Part", look: str, round: int = 0) -> str:
    size = f'width="{box.width:g}" height="{box.height:g}"'
    return f'<rect x="{x:g}" y="{y:g}" {size} rx="{round}" {look}/>'


# ---- boxes -------------------------------------------------------------------


@dataclass
class Part:
    """A hyperthread, or all of a core where they are alike."""

    words: str
    look: str
    width: float
    height: float = CELL_HEIGHT


@dataclass
class Cell:
    """A core; its parts, where they differ, one below the other."""

    parts: list[Part]
    tip: str

    @property
    def width(self) -> float:
        return self.parts[0].width

    @property
    def height(self) -> float:
        return sum(part.height for part in self.parts)

    def draw(self, x: float, y: float) -> Iterator[str]:
        yield f"<g><title>{escape(self.tip)}</title>"
        for part in self.parts:
            yield _rect(x, y, part, part.look, 3)
            if part.words:
                middle = x + part.width / 2, y + part.height / 2
                yield _text(*middle, "rank", part.words)
            y += part.height
        yield "</g>"


@dataclass
class Flow:
    """Boxes beside each other, in as many lines as it takes."""

    boxes: Sequence[Box]
    widest: float = ROW_WIDTH
    gap: float = GAP

    @cached_property
    def places(self) -> list[tuple[float, float, Box]]:
        x = y = high = 0.0
        places = []
        for box in self.boxes:
            if x and x + box.width > self.widest:
                x, y, high = 0.0, y + high + self.gap, 0.0
            places.append((x, y, box))
            x, high = x + box.width + self.gap, max(high, box.height)
        return places

    @property
    def width(self) -> float:
        return max(x + box.width for x, _, box in self.places)

    @property
    def height(self) -> float:
        return max(y + box.height for _, y, box in self.places)

    def draw(self, x: float, y: float) -> Iterator[str]:
        for right, down, box in self.places:
            yield from box.draw(x + right, y + down)


@dataclass
class Frame:
    """What is INSIDE belongs together, and is called LABEL."""

    label: str
    inside: Box

    @property
    def width(self) -> float:
        return max(self.inside.width, LETTER * len(self.label)) + 2 * PAD

    @property
    def height(self) -> float:
        return self.inside.height + LINE + 2 * PAD

    def draw(self, x: float, y: float) -> Iterator[str]:
        yield _rect(x, y, self, 'class="frame"', 6)
        yield _text(x + PAD, y + PAD + 8, "label", self.label)
        yield from self.inside.draw(x + PAD, y + PAD + LINE)


@dataclass
class Lines:
    """Lines of text of one kind."""

    kind: str
    lines: list[str]

    @property
    def width(self) -> float:
        return max((LETTER * len(line) for line in self.lines), default=0.0)

    @property
    def height(self) -> float:
        return float(LINE * len(self.lines))

    def draw(self, x: float, y: float) -> Iterator[str]:
        for line in self.lines:
            yield _text(x, y + 13, self.kind, line)
            y += LINE


# ---- a node ------------------------------------------------------------------

Data = dict[str, Any]  # a part of what the JSON holds; docs/placement.md says what


def _spell(numbers: Sequence[int]) -> str:
    """[0, 1, 2, 5] -> "0-2,5" """
    runs = []
    for _, pairs in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in pairs]
        runs.append(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}")
    return ",".join(runs)


def _colour(index: int) -> str:
    """Of a node's ranks those next to each other differ most."""
    red, green, blue = colorsys.hls_to_rgb(index * 0.381966 % 1, 0.78, 0.65)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"


class Node:
    """What is drawn of a node, from MACHINE, its own or that of the node it is like."""

    def __init__(self, node: Data, machine: Data) -> None:
        self.node = node
        self.cpus: list[Data] = machine["cpus"]
        self.devices: list[Data] = machine["devices"]
        self.ranks_on: dict[int, list[Data]] = {cpu["cpu"]: [] for cpu in self.cpus}
        for rank in node["ranks"]:
            for cpu in rank["cpus"]:
                self.ranks_on.setdefault(cpu, []).append(rank)
        self.colours = {r["rank"]: _colour(i) for i, r in enumerate(node["ranks"])}
        longest = max((len(self.words(cpu)) for cpu in self.cpus), default=1)
        self.cell_width = max(28, LETTER * longest + 8)

    def words(self, cpu: Data) -> str:
        ranks = [rank["rank"] for rank in self.ranks_on[cpu["cpu"]]]
        words = _spell(ranks)
        return words if len(words) < 10 else f"{len(ranks)} ranks"

    def part(self, cpu: Data) -> Part:
        ranks = self.ranks_on[cpu["cpu"]]
        if len(ranks) == 1:
            look = f'fill="{self.colours[ranks[0]["rank"]]}"'
        elif ranks:
            look = 'class="many"'
        else:
            look = 'class="free"' if cpu["allowed"] else 'class="taken"'
        return Part(self.words(cpu), look, self.cell_width)

    def cell(self, cpus: list[Data]) -> Cell:
        parts = [self.part(cpu) for cpu in cpus]
        if all(part == parts[0] for part in parts):
            parts = parts[:1]
        tip = [f"core {cpus[0]['core']}, CPUs {_spell([cpu['cpu'] for cpu in cpus])}"]
        for rank in {r["rank"]: r for cpu in cpus for r in self.ranks_on[cpu["cpu"]]}:
            tip.append(f"rank {rank}")
        return Cell(parts, "\n".join(tip))

    def cores(self, cpus: list[Data]) -> Box:
        """The innermost: cores in lines of a round number of them."""
        cells = [self.cell(list(core)) for _, core in groupby(cpus, _at("core"))]
        columns = 4 if len(cells) <= 8 else 8 if len(cells) <= 48 else 12
        return Flow(cells, columns * (self.cell_width + GAP))

    def near(self, level: str, number: int) -> str:
        """The devices that are near this and nothing smaller."""
        names = [
            device["name"]
            for device in self.devices
            if device[level] == number and (level == "numa" or device["numa"] < 0)
        ]
        return " · ".join(["", *names])

    def levels(self) -> Iterator[tuple[str, Callable[[int], str]]]:
        """The levels at which the machine is divided, from the largest; how their parts
        are called."""
        count = {
            level: len({cpu[level] for cpu in self.cpus})
            for level in ("package", "numa", "l3", "kind")
        }
        numa = count["numa"] > 1
        yield (
            "package",
            lambda n: (
                f"package {n}"
                + self.near("package", n)
                + ("" if numa else self.near("numa", 0))
            ),
        )
        if numa:
            yield "numa", lambda n: f"NUMA {n}" + self.near("numa", n)
        if count["l3"] > max(count["numa"], count["package"]):
            yield "l3", lambda n: f"L3 {n}"
        if count["kind"] > 1:
            yield "kind", lambda n: f"kind {n}"

    def tree(self) -> Box:
        return self._nest(self.cpus, list(self.levels()))

    def _nest(
        self, cpus: list[Data], levels: list[tuple[str, Callable[[int], str]]]
    ) -> Box:
        if not levels:
            return self.cores(cpus)
        (level, name), *rest = levels
        return Flow(
            [
                Frame(name(number), self._nest(list(part), rest))
                for number, part in groupby(cpus, _at(level))
            ],
            ROW_WIDTH,
            2 * GAP,
        )


def _at(level: str) -> Callable[[Data], Any]:
    return lambda cpu: cpu[level]


# ---- the whole ---------------------------------------------------------------


def _boxes(places: Data) -> Iterator[Box]:
    """What stands on the page, from above."""
    nodes = places["nodes"]
    for index, node in enumerate(nodes):
        if node["like"] != index:
            continue
        alike = [other for other in nodes if other["like"] == index]
        yield Lines("host", [_title(alike)])
        if node["machine"]:
            yield Node(node, node["machine"]).tree()
        else:
            yield Lines("note", ["the CPUs of this node cannot be read"])
        yield Lines("note", list(_reasons(node["ranks"])))
        for warning in node["warnings"]:
            yield Lines("warning", textwrap.wrap(f"⚠ {warning['text']}", 130))


def _title(alike: list[Data]) -> str:
    ranks = sorted(rank["rank"] for node in alike for rank in node["ranks"])
    more = f" and {len(alike) - 1} like it" if len(alike) > 1 else ""
    listed = textwrap.shorten(_spell(ranks).replace(",", ", "), 60, placeholder=" ...")
    return f"{alike[0]['host']}{more}: rank{'s' * (len(ranks) > 1)} {listed}"


def _reasons(ranks: list[Data]) -> Iterator[str]:
    """Why the ranks are where they are, each reason once."""
    whys = {rank["why"]: None for rank in ranks}
    for why in whys:
        of = _spell([rank["rank"] for rank in ranks if rank["why"] == why])
        who = f"rank{'s' * (not of.isdecimal())} {of}" if len(whys) > 1 else "all"
        yield from textwrap.wrap(f"{who}: {why}", 140)


def draw(places: Data) -> str:
    """Return the picture, an SVG document, of what par_place_report says as JSON."""
    boxes = list(_boxes(places))
    width = max(box.width for box in boxes) + 2 * MARGIN
    height = sum(box.height + PAD for box in boxes) + 2 * MARGIN - PAD
    return "\n".join(_page(boxes, width, height)) + "\n"


def _page(boxes: Iterable[Box], width: float, height: float) -> Iterator[str]:
    label = quoteattr("where the ranks of the job are")
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label={label}'
        f' width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">'
    )
    yield f"<style>{STYLE}</style>"
    yield '<rect class="page" width="100%" height="100%"/>'
    y = float(MARGIN)
    for box in boxes:
        yield from box.draw(MARGIN, y)
        y += box.height + PAD
    yield "</svg>"
