# SPDX-License-Identifier: MIT
"""The command line of the sample programs in Python."""

import argparse

import pypar as pp


class Parser(argparse.ArgumentParser):
    """All ranks read the same command line, and rank 0 alone speaks of it."""

    def __init__(self, **settings):
        super().__init__(allow_abbrev=False, **settings)

    def print_help(self, file=None):
        if pp.rank() == 0:
            super().print_help(file)

    def error(self, message):
        if pp.rank() == 0:
            line = "".join(c if c.isprintable() else "?" for c in message)
            pp.abort(2, f"{self.prog}: {line}")
        pp.finalize()  # waits for rank 0, which ends this rank, too


def number(smallest, largest):
    """The type of an argument that is a number of digits alone, in that range."""

    def read(text):
        plain = text.isascii() and text.isdigit() and len(text) < 20
        if plain and smallest <= int(text) <= largest:
            return int(text)
        message = f'wants {smallest} to {largest}, got "{text:.64}"'
        raise argparse.ArgumentTypeError(message)

    return read
