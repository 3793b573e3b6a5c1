# SPDX-License-Identifier: MIT
"""Which modules a script will import, as far as code says so; none of them is run.

What is said of a module: it is where PathFinder finds it. Modules that others find,
or that are in no folder, such as those built into Python or in an archive, are not
among them; nor is what a function imports, which may never be called.
"""

import dis
import importlib.util
import marshal
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import (
    ExtensionFileLoader,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from types import CodeType
from typing import Any

from .imports import Found


def find(loaded: set[str]) -> dict[str, Found]:
    """By name, what the script, and pypar, have yet to import beside what is LOADED."""
    search = _Search(loaded)
    package = sys.modules[__package__]
    for name in ("__main__", package.__name__):
        search.look_into(*_code_of_running(name))
    search.go_on()
    return search.modules


def _code_of_running(name: str) -> tuple[CodeType | None, str]:
    """The code of a module that is being imported, and its package."""
    module = sys.modules[name]
    file = getattr(module, "__file__", None)  # without one: python -c
    if not file or not file.endswith(".py"):
        return None, ""
    loader = SourceFileLoader(name, file)
    code = loader.source_to_code(loader.get_data(file), file)
    return code, module.__spec__.parent or "" if module.__spec__ else ""


class _Search:
    def __init__(self, loaded: set[str]) -> None:
        self.modules: dict[str, Found] = {}
        self._loaded = loaded
        self._specs: dict[str, ModuleSpec | None] = {}  # of all that were looked for
        self._waiting: list[str] = []

    def look_into(self, code: CodeType | None, package: str) -> None:
        self._waiting += _imports_of(code, package) if code else ()

    def go_on(self) -> None:
        """Until all modules are found, and those that they import."""
        while self._waiting:
            self._visit(self._waiting.pop())

    def _visit(self, name: str) -> None:
        if name in self._specs or name in self._loaded:
            return
        parent = name.rpartition(".")[0]
        if parent:
            self._visit(parent)
        path = self._folders_of(parent) if parent else sys.path
        spec = self._specs[name] = _spec(name, path, parent) if path else None
        if path and spec and spec.origin:
            self._add(name, spec, spec.origin, path)

    def _folders_of(self, package: str) -> Sequence[str] | None:
        if package in self._loaded:
            return getattr(sys.modules.get(package), "__path__", None)
        spec = self._specs[package]
        return spec.submodule_search_locations if spec else None

    def _add(self, name: str, spec: ModuleSpec, file: str, path: Sequence[str]) -> None:
        code = _code(spec)
        searched = _searched(file, spec.submodule_search_locations is not None, path)
        if not searched or not (code or isinstance(spec.loader, ExtensionFileLoader)):
            return
        folders = spec.submodule_search_locations
        self.modules[name] = Found(
            file,
            searched,
            None if folders is None else list(folders),
            marshal.dumps(code) if code else None,
        )
        self.look_into(code, spec.parent or "")


def _imports_of(code: CodeType, package: str) -> Iterator[str]:
    """What the code of a module in PACKAGE names where it is imported. Some of the names
    may be those of no module."""
    before: list[Any] = [None, None]
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            level, names = before
            try:
                base = importlib.util.resolve_name("." * level + step.argval, package)
            except ImportError:  # more dots than there are packages
                continue
            yield base
            yield from (f"{base}.{name}" for name in names or () if name != "*")
        if step.opname != "EXTENDED_ARG":  # a part of the next one
            before = [before[1], step.argval]


def _spec(name: str, path: Sequence[str], parent: str) -> ModuleSpec | None:
    """Where PathFinder finds it; None where another one does, or nobody."""
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, path if parent else None)
        except Exception:  # whatever is wrong, who imports it hears of it then
            return None
        if spec:
            return spec if finder is PathFinder else None
    return None


def _code(spec: ModuleSpec) -> CodeType | None:
    """That of a module in Python: from the cache of byte code, where it is put, too."""
    if not isinstance(spec.loader, SourceFileLoader):
        return None
    try:
        return spec.loader.get_code(spec.name)
    except Exception:  # as above
        return None


def _searched(file: str, is_package: bool, path: Sequence[str]) -> tuple[str, ...]:
    """The folders of PATH up to the one that FILE is in; none where it is in no folder
    of PATH."""
    folder = os.path.dirname(os.path.abspath(file))
    if is_package:
        folder = os.path.dirname(folder)
    for count, each in enumerate(path, 1):
        if os.path.abspath(each) == folder:
            return tuple(path)[:count]
    return ()
