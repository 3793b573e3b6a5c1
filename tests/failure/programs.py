# SPDX-License-Identifier: MIT
"""Small programs, several in a file, each a function of the world:

    @on(2)
    def each_receives_first(world):
        world.receive(1 - world.rank)  # stuck: 0-1

    run()

`mpirun -np 2 python FILE each_receives_first` runs it on the two ranks it wants. The
comments say what a test expects to be told: which ranks stand at that line.
"""

import sys

_functions = {}


def on(_ranks):
    def note(function):
        _functions[function.__name__] = function
        return function

    return note


def run():
    """Run the one that the command line names, if the caller is what was started."""
    if sys._getframe(1).f_globals["__name__"] == "__main__":
        import pypar

        _functions[sys.argv[1]](pypar.world)
