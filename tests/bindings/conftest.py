# SPDX-License-Identifier: MIT
import textwrap

import pytest
import ranks


def pytest_configure(config):
    if not config.pluginmanager.is_registered(ranks):
        config.pluginmanager.register(ranks, "ranks")


@pytest.fixture
def script(tmp_path):
    """Write a script; the path of it."""

    def write(text):
        path = tmp_path / "script.py"
        path.write_text(textwrap.dedent(text))
        return path

    return write
