# SPDX-License-Identifier: MIT
"""Modules by message: rank 0 reads them, and the other ranks get their code from it.

Thousands of ranks that import the same modules at the same time ask a file system
for the same small files. With PAR_BCAST_IMPORTS=1, which `python -m pypar run
--bcast-imports` sets, rank 0 finds out which modules the script imports, and which
those import, and so on (imports_found.py). It sends the code of all in one broadcast,
and a finder of the other ranks offers it from then on.

Nobody waits for anybody later: a module that was not sent is imported as usual, and
one that was sent and is not imported takes memory and nothing else. Extension modules
are loaded by the system, from their files; where those are is sent.
"""

import importlib.util
import marshal
import os
import sys
from collections.abc import Sequence
from importlib.machinery import (
    ExtensionFileLoader,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from types import CodeType, ModuleType
from typing import NamedTuple

from ._core import world


class Found(NamedTuple):
    """A module, where rank 0 has found it."""

    file: str
    searched: tuple[str, ...]  # folders that were looked at; it is in the last
    folders: list[str] | None  # where its submodules are, if it is a package
    code: bytes | None  # None: an extension module


def share() -> None:
    """Have rank 0 send the modules that the script imports. Collective over the world."""
    if (asked := os.environ["PAR_BCAST_IMPORTS"]) not in ("0", "1"):
        raise ImportError(f'PAR_BCAST_IMPORTS is "{asked}": it must be 1 or 0')
    if asked == "0":
        return
    # Byte code is understood by an interpreter of the same version alone.
    kind = (importlib.util.MAGIC_NUMBER, sys.flags.optimize)
    sent = None
    if world.rank == 0:
        loaded = set(sys.modules)  # here as on the other ranks
        from .imports_found import find

        sent = (kind, {name: tuple(found) for name, found in find(loaded).items()})
    theirs, modules = world.broadcast(sent)
    if theirs == kind:
        # What comes before it in the list keeps its turn.
        at = sys.meta_path.index(PathFinder)
        finder = _Finder({name: Found(*words) for name, words in modules.items()})
        sys.meta_path.insert(at, finder)


class _Finder:
    """Finds the modules that were sent, each where PathFinder would find it."""

    def __init__(self, modules: dict[str, Found]) -> None:
        self._modules = modules

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        found = self._modules.get(name)
        if not found or target:  # a module that is loaded again may have changed
            return None
        folders = sys.path if path is None else path
        if tuple(folders)[: len(found.searched)] != found.searched:
            return None  # another module of that name may come first here
        loader = (
            _Loader(name, found.file, self._modules)
            if found.code
            else ExtensionFileLoader(name, found.file)
        )
        return importlib.util.spec_from_file_location(
            name, found.file, loader=loader, submodule_search_locations=found.folders
        )


class _Loader(SourceFileLoader):
    """Knows the code of its module, and reads the file for all else that is asked."""

    def __init__(self, name: str, file: str, modules: dict[str, Found]) -> None:
        super().__init__(name, file)
        self._modules = modules

    def get_code(self, fullname: str) -> CodeType | None:
        found = self._modules.pop(fullname, None)  # once: then the memory is free
        if found and found.code:
            code: CodeType = marshal.loads(found.code)
            return code
        return super().get_code(fullname)
