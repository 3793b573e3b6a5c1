# SPDX-License-Identifier: MIT
"""python -m pypar pool: rank 0 runs a script, and the others are workers of its pools."""

import argparse
import importlib.util
import io
import os
import pickle
import signal
import sys
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from . import _core, service
from ._core import world
from .command import one_voice


def main(arguments: list[str]) -> int:
    """Run the script on rank 0; serve on the others, which don't come back."""
    with one_voice(world.rank == 0):
        program = _program(_parse(arguments))
    sys.argv[:] = program.argv
    sys.path[0] = program.folder
    if world.size > 1:
        _core._set_pickler(_dump)
        if world.rank:
            _ignore_the_time_limit()
        service.start(world, knows_script=False)
    _run(program)
    return 0


def _ignore_the_time_limit() -> None:
    """The launcher sends its signal to all ranks, and only rank 0 runs the script that
    may have named a function for it: the others must not die of it."""
    for number in signal.SIGUSR1, signal.SIGUSR2:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.SIG_IGN)


class Program(NamedTuple):
    """What is to run: a file, a module or some text."""

    code: CodeType
    file: str | None
    spec: ModuleSpec | None
    argv: list[str]
    folder: str  # where imports look first


def _run(program: Program) -> None:
    module = ModuleType("__main__")
    module.__spec__ = program.spec
    if program.spec:
        module.__package__ = program.spec.parent
    if program.file:
        module.__file__ = program.file
    sys.modules["__main__"] = module
    exec(program.code, vars(module))


def _dump(obj: object, protocol: int, *, buffer_callback: Any = None) -> bytes:
    """pickle.dumps, of what means something on ranks that have not run the script."""
    packed = pickle.dumps(obj, protocol, buffer_callback=buffer_callback)
    if b"__main__" in packed:  # libpar has cloudpickle send it by value
        raise pickle.PicklingError(
            f"{type(obj).__name__}: it is of the script, which only rank 0 runs; with the "
            "package cloudpickle it could be sent"
        )
    return packed


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pypar pool",
        description="Run a script on rank 0; the other ranks work for its pools: "
        "mpirun -np 4 python -m pypar pool script.py",
        usage="%(prog)s [-h] (-m MODULE | -c TEXT | SCRIPT) [ARGUMENT ...]",
        allow_abbrev=False,
    )
    for option, what in ("-m", "a module's name"), ("-c", "the script's text"):
        parser.add_argument(
            option,
            dest="kind",
            action="store_const",
            const=option,
            help=f"SCRIPT is {what}, as for python {option}",
        )
    parser.add_argument("what", metavar="SCRIPT", help="the file to run")
    parser.add_argument(
        "arguments", metavar="ARGUMENT", nargs=argparse.REMAINDER, help="the script's own"
    )
    return parser.parse_args(arguments)


def _program(asked: argparse.Namespace) -> Program:
    if asked.kind == "-c":
        code = compile(asked.what, "<string>", "exec")
        return Program(code, None, None, ["-c", *asked.arguments], "")
    if asked.kind == "-m":
        return _module(asked.what, asked.arguments)
    try:
        with io.open_code(asked.what) as file:
            code = compile(file.read(), asked.what, "exec")
    except OSError as error:
        sys.exit(f"pypar pool: {error}")
    folder = os.path.dirname(os.path.realpath(asked.what))
    return Program(code, asked.what, None, [asked.what, *asked.arguments], folder)


def _module(name: str, arguments: list[str]) -> Program:
    spec = importlib.util.find_spec(name)
    if spec and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(f"{name}.__main__")
    loader: Any = spec and spec.loader
    if not (spec and hasattr(loader, "get_code")):
        sys.exit(f"pypar pool: there is no module {name!r}")
    code = loader.get_code(spec.name)
    return Program(code, spec.origin, spec, [str(spec.origin), *arguments], os.getcwd())
