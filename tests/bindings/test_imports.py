# SPDX-License-Identifier: MIT
"""Modules by message: what is imported is the same as without, and files are not read."""

import json
import textwrap

import pytest
from mpirun import PYTHON, alone, mpirun

RANKS = 3
ON = {"PAR_BCAST_IMPORTS": "1"}

# Each rank writes to a file what it has found, and which of the files in its script's folder
# Python has opened to read a module.
BEGIN = """
    import json, os, sys

    HERE = os.path.dirname(os.path.abspath(__file__))
    opened = []

    def note(event, arguments):
        if event == "open" and str(arguments[0]).startswith(HERE):
            if str(arguments[0]).endswith((".py", ".pyc")):
                opened.append(os.path.relpath(arguments[0], HERE))

    sys.addaudithook(note)
    from pypar import world
"""
END = """
    with open(os.path.join(HERE, f"told.{world.rank}"), "w") as file:
        json.dump([told, opened], file)
"""


@pytest.fixture
def job(tmp_path):
    """Write FILES, "name: text", beside a script, and run it; [told, opened] of each rank."""

    def run(text, files, env=ON):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(textwrap.dedent(content))
        script = tmp_path / "script.py"
        script.write_text("".join(map(textwrap.dedent, (BEGIN, text, END))))
        done = mpirun(RANKS, PYTHON, script, env=env)
        assert done.returncode == 0 and not done.stderr, done
        return [
            json.loads((tmp_path / f"told.{rank}").read_text()) for rank in range(RANKS)
        ]

    return run


PACKAGE = {
    "tree/__init__.py": "from . import leaf\nfrom .branch import twig, name\n",
    "tree/leaf.py": '''
        import traceback

        class Leaf:
            """Of the tree."""

        def fail():
            raise KeyError("in the leaf")
        ''',
    "tree/branch/__init__.py": "name = 'branch'\n",
    "tree/branch/twig.py": "from .. import leaf\nfrom ..branch import name as mine\n",
    "tree/text.txt": "read me",
    "space/inner.py": "import tree.leaf\nvalue = 7\n",
}
USE = """
    import importlib.resources, inspect, pickle, traceback
    import tree, space.inner

    def failure():
        try:
            tree.leaf.fail()
        except KeyError:
            return traceback.format_exc().partition("tree")[2]

    modules = [tree, tree.leaf, tree.branch, tree.branch.twig, space.inner]
    told = [
        [[m.__name__, m.__file__, m.__package__, list(getattr(m, "__path__", [])),
          m.__cached__, m.__spec__.origin, m.__spec__.parent] for m in modules],
        failure(),
        inspect.getsource(tree.leaf.Leaf),
        importlib.resources.files(tree).joinpath("text.txt").read_text(),
        pickle.loads(pickle.dumps(tree.leaf.Leaf)) is tree.leaf.Leaf,
        tree.branch.twig.mine, space.inner.value,
        tree.leaf.__loader__.get_data(tree.branch.__file__).decode(),
        tree.__loader__.is_package("tree"), tree.leaf.__loader__.is_package("tree.leaf"),
    ]
"""


def test_modules_are_the_same_by_message_as_from_files(job):
    told = {on: job(USE, PACKAGE, {"PAR_BCAST_IMPORTS": on}) for on in "01"}
    without = told["0"][0][0]
    assert "raise KeyError" in without[1] and without[6] == 7
    for how in "01":
        for rank in range(RANKS):
            assert told[how][rank][0] == without, (how, rank)


def test_one_rank_reads_them(job):
    text = "import tree, space.inner; told = 0"
    for _, opened in job(text, PACKAGE, {}):
        assert len([name for name in opened if name.endswith(".pyc")]) == 5, opened
    by_rank = [opened for _, opened in job(text, PACKAGE)]
    assert len([name for name in by_rank[0] if name.endswith(".pyc")]) == 5
    assert by_rank[1:] == [[], []]


def test_what_one_rank_alone_imports_waits_for_nobody(job):
    told = job(
        """
        if world.rank == 1:
            import sent
            from sent import value
        def function():
            import unsent
            return unsent.value
        told = [value if world.rank == 1 else 0, function() if world.rank else 0]
        """,
        {"sent.py": "value = 1", "unsent.py": "value = 2"},
    )
    assert [each for each, _ in told] == [[0, 0], [1, 2], [0, 2]]
    assert not [name for name in told[1][1] if "unsent" not in name]


def test_where_another_module_comes_first_it_is_taken(job):
    told = job(
        """
        sys.path.insert(0, os.path.join(HERE, "before"))
        import which
        told = which.value
        """,
        {"which.py": "value = 'script'", "before/which.py": "value = 'before'"},
    )
    assert [each for each, _ in told] == ["before"] * RANKS


def test_a_module_that_is_loaded_again_is_read_again(job):
    told = job(
        """
        import importlib
        import changing
        before = changing.value
        world.barrier()
        if world.rank == 0:
            with open(changing.__file__, "w") as file:
                print("value = 'after, and longer'", file=file)
        world.barrier()
        importlib.reload(changing)
        del sys.modules["changing"]
        import changing as anew
        told = [before, changing.value, anew.value]
        """,
        {"changing.py": "value = 'before'"},
    )
    assert [each for each, _ in told] == [["before", *["after, and longer"] * 2]] * RANKS


def test_what_cannot_be_imported_says_so_in_its_place(job):
    told = job(
        """
        told = []
        for name in "broken", "tree.nothing", "raising", "....up":
            try:
                if name == "broken":
                    import broken
                elif name == "raising":
                    import raising
                elif name == "tree.nothing":
                    import tree.nothing
                else:
                    from ....up import nothing
            except Exception as error:
                told.append(f"{type(error).__name__}: {error}")
        """,
        {
            **PACKAGE,
            "broken.py": "def (:\n",
            "raising.py": "raise ValueError('of its own')",
        },
    )
    for said, _ in told:
        assert [each.partition(":")[0] for each in said] == [
            "SyntaxError",
            "ModuleNotFoundError",
            "ValueError",
            "ImportError",
        ]
        assert said[2] == "ValueError: of its own"


def test_a_module_that_the_script_writes_is_found(job):
    told = job(
        """
        if world.rank == 0:
            with open(os.path.join(HERE, "written.py"), "w") as file:
                print("value = 3", file=file)
        world.barrier()
        import importlib; importlib.invalidate_caches()
        import written
        told = written.value
        """,
        {},
    )
    assert [each for each, _ in told] == [3] * RANKS


def test_extension_modules_are_imported_as_usual(job):
    told = job("import numpy; told = int(numpy.arange(5).sum())", {})
    assert [each for each, _ in told] == [10] * RANKS


def test_another_value_is_refused():
    done = mpirun(2, PYTHON, "-c", "import pypar", env={"PAR_BCAST_IMPORTS": "yes"})
    assert done.returncode == 1, done
    assert 'PAR_BCAST_IMPORTS is "yes": it must be 1 or 0' in done.stderr


def test_run_asks_for_it(job, tmp_path):
    job("told = 0", PACKAGE, {})
    (tmp_path / "script.py").write_text(
        "import os, pypar, tree; print(os.environ.get('PAR_BCAST_IMPORTS'), "
        "type(tree.__loader__).__name__)"
    )
    words = ["-m", "pypar", "run", "--bcast-imports", "-n", "2"]
    done = alone(PYTHON, *words, tmp_path / "script.py")
    assert done.returncode == 0, done
    assert sorted(done.stdout.splitlines()) == ["1 _Loader"] * 2
