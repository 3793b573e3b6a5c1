# SPDX-License-Identifier: MIT
"""Every public name of pypar says what it is, and how it is called."""

import importlib
import inspect
import pkgutil

from ranks import pypar, ranks


def modules():
    names = [found.name for found in pkgutil.walk_packages(pypar.__path__, "pypar.")]
    public = (name for name in names if "._" not in name)
    return [pypar, *(importlib.import_module(name) for name in public)]


def public(owner):
    """The public names of a module or class that are its own, and what they are."""
    names = getattr(owner, "__all__", None) or vars(owner)
    # A module may load a name when it is asked for; of a class, properties are wanted.
    look = getattr if inspect.ismodule(owner) else inspect.getattr_static
    for name in names:
        value = look(owner, name)
        foreign = (getattr(value, "__module__", None) or "pypar").split(".")[0] != "pypar"
        if not (name.startswith("_") or inspect.ismodule(value) or foreign):
            yield f"{getattr(owner, '__qualname__', owner.__name__)}.{name}", value


def with_members():
    for module in modules():
        for name, value in public(module):
            yield name, value
            if inspect.isclass(value):
                yield from public(value)


@ranks(1)
def test_every_module_and_what_is_in_it_has_a_docstring(world):
    assert [module.__name__ for module in modules() if not module.__doc__] == []
    constants = (bool, int, str, pypar.Comm)
    found = dict(with_members())
    assert len(found) > 100
    silent = [
        name
        for name, value in found.items()
        if not isinstance(value, constants) and not inspect.getdoc(value)
    ]
    assert silent == []


@ranks(1)
def test_the_modules_docstring_explains_the_constants(world):
    for name, value in public(pypar):
        if isinstance(value, int):
            assert name.partition(".")[2] in pypar.__doc__, name


@ranks(1)
def test_every_function_and_method_has_a_signature(world):
    for name, value in with_members():
        if inspect.isroutine(value):
            assert inspect.signature(value) is not None, name
