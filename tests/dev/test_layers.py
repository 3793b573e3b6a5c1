# SPDX-License-Identifier: MIT
"""The layers of the library, which README.md lists from below: none includes one above."""

import re

from mpirun import SOURCE

LIBRARY = SOURCE / "lib" / "src"


def layers():
    text = (SOURCE / "README.md").read_text()
    listed = re.compile(r"layers of `lib/src` are, from\s+below: (.*?); a file", re.S)
    words = re.sub(r"\(.*?\)", "", listed.search(text)[1], flags=re.S)
    return [" ".join(word.split()) for word in re.split(r",|\band\b", words)]


def included(layer):
    for file in LIBRARY.glob(f"{layer}.[ch]"):
        yield from re.findall(r'^#include "(\w+)\.h"', file.read_text(), re.MULTILINE)


def test_a_layer_includes_only_what_is_below_it():
    order = layers()
    named = [layer for layer in order if (LIBRARY / f"{layer}.c").exists()]
    assert len(named) >= len(order) - 1 > 30  # one is "the kinds of collectives"
    place = {layer: at for at, layer in enumerate(order)}
    upwards = [
        f"{layer} includes {other}"
        for layer in named
        for other in included(layer)
        if place.get(other, 0) > place[layer]
    ]
    assert upwards == []
