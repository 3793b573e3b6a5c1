# SPDX-License-Identifier: MIT
"""The picture of where the ranks are: a well-formed SVG that shows them all."""

import json
import re
from xml.etree import ElementTree

import pytest
from mpirun import PYTHON, mpirun
from ranks import pypar, ranks

SVG = "{http://www.w3.org/2000/svg}"


def cpu(number, **more):
    alone = {"package": 0, "numa": 0, "l3": 0, "thread": 0, "kind": 0, "allowed": True}
    return {"cpu": number, "core": number, **alone, **more}


def rank(number, cpus, why="kept"):
    return {"rank": number, "cpus": cpus, "why": why}


def places(*nodes, devices=()):
    """What par_place_report says, as far as a picture needs it."""
    made = []
    for host, cpus, of, *like in nodes:
        machine = {"cpus": cpus, "devices": list(devices)} if cpus else None
        node = {"host": host, "machine": machine, "ranks": of, "warnings": []}
        made.append({**node, "like": like[0] if like else len(made)})
    return {"ranks": sum(len(node["ranks"]) for node in made), "nodes": made}


def read(picture):
    return ElementTree.fromstring(picture)


def words(root, kind):
    return [
        "".join(text.itertext())
        for text in root.iter(f"{SVG}text")
        if text.get("class") == kind
    ]


def cells(root):
    """Fill, or class, and text of each part of a core."""
    for group in root.iter(f"{SVG}g"):
        for part in group.iter(f"{SVG}rect"):
            yield part.get("fill") or part.get("class")


def draw(*nodes, **more):
    from pypar._svg import draw

    return read(draw(places(*nodes, **more)))


@ranks(1)
def test_each_core_has_the_number_and_the_colour_of_its_rank(world):
    four = [cpu(n) for n in range(4)]
    root = draw(("a0", four, [rank(0, [0, 1]), rank(1, [2])]))
    assert words(root, "rank") == ["0", "0", "1"]
    first, second, third, fourth = cells(root)
    assert first == second != third
    assert re.fullmatch("#[0-9a-f]{6}", first) and fourth == "free"


@ranks(1)
def test_hyperthreads_that_differ_are_apart(world):
    two = [cpu(0, core=0), cpu(1, core=0), cpu(2, core=1), cpu(3, core=1)]
    root = draw(("a0", two, [rank(0, [0]), rank(1, [1]), rank(2, [2, 3])]))
    assert words(root, "rank") == ["0", "1", "2"]


@ranks(1)
def test_cores_of_several_ranks_and_of_nobody_are_told_apart(world):
    three = [cpu(0), cpu(1, allowed=False), cpu(2)]
    many = [rank(number, [0]) for number in range(0, 40, 2)]
    root = draw(("a0", three, many))
    assert words(root, "rank") == ["20 ranks"]
    assert list(cells(root)) == ["many", "taken", "free"]


@ranks(1)
def test_the_tree_has_the_levels_that_the_machine_has(world):
    cpus = [
        cpu(n, package=n // 8, numa=n // 4, l3=n // 2, kind=int(n == 15))
        for n in range(16)
    ]
    devices = [
        {"name": "ib0", "kind": "network", "package": 0, "numa": 1},
        {"name": "gpu0", "kind": "gpu", "package": 1, "numa": -1},
    ]
    root = draw(("a0", cpus, [rank(0, [0])]), devices=devices)
    labels = words(root, "label")
    assert [label for label in labels if "package" in label] == [
        "package 0",
        "package 1 · gpu0",
    ]
    assert [label for label in labels if "NUMA" in label] == [
        "NUMA 0",
        "NUMA 1 · ib0",
        "NUMA 2",
        "NUMA 3",
    ]
    assert sum(label.startswith("L3") for label in labels) == 8
    assert sum(label.startswith("kind") for label in labels) == 9


@ranks(1)
def test_nodes_that_are_alike_are_drawn_once(world):
    one = [cpu(0)]
    root = draw(
        ("a0", one, [rank(0, [0])]),
        ("a1", None, [rank(1, [0])], 0),
        ("b0", [cpu(0), cpu(1)], [rank(2, [0, 1])]),
    )
    assert words(root, "host") == ["a0 and 1 like it: ranks 0-1", "b0: rank 2"]
    assert words(root, "rank") == ["0", "2", "2"]


@ranks(1)
def test_odd_names_are_no_markup(world):
    root = draw(("<a&b>", [cpu(0)], [rank(0, [0], why='kept: "<&>"')]))
    assert words(root, "host") == ["<a&b>: rank 0"]
    assert words(root, "note") == ['all: kept: "<&>"']


@ranks(1)
def test_a_machine_that_cannot_be_read_is_said(world):
    root = draw(("a0", None, [rank(0, [0])]))
    assert "the CPUs of this node cannot be read" in words(root, "note")


@ranks(1)
def test_nothing_stands_outside_the_page(world):
    cpus = [cpu(n, package=n // 64, numa=n // 32, l3=n // 8) for n in range(256)]
    root = draw(("a0", cpus, [rank(n, [n], why="w" * 400) for n in range(256)]))
    width, height = float(root.get("width")), float(root.get("height"))
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    for box in root.iter(f"{SVG}rect"):
        if box.get("class") != "page":
            assert float(box.get("x")) + float(box.get("width")) <= width
            assert float(box.get("y")) + float(box.get("height")) <= height


@pytest.mark.parametrize("count", [1, 4])
def test_a_real_job_draws_itself(tmp_path, count):
    file = tmp_path / "where.svg"
    env = {"HWLOC_SYNTHETIC": "pack:2 [numa] l3:2 core:4 pu:2"}
    done = mpirun(count, PYTHON, "-m", "pypar", "where", "--svg", file, env=env)
    assert done.returncode == 0, done
    root = read(file.read_text(encoding="utf-8"))
    assert set(words(root, "rank")) == {str(number) for number in range(count)}
    assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text


@ranks(2)
def test_programs_get_the_same(world):
    text, said = pypar.where(form="svg"), pypar.where(form="json")
    if world.rank == 0:
        shown = {
            int(r) for one in words(read(text), "rank") for r in re.findall(r"\d+", one)
        }
        assert shown == {r["rank"] for r in json.loads(said)["nodes"][0]["ranks"]}
