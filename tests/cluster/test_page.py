# SPDX-License-Identifier: MIT
"""The commands that docs/slurm.md shows do work, each block on the head of a cluster."""

import re
import textwrap

import pytest
from mpirun import SOURCE

PAGE = (SOURCE / "docs" / "slurm.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_has_commands():
    assert len(BLOCKS) > 5


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: textwrap.shorten(block, 40))
def test_a_block_of_commands_runs(slurm, tmp_path, monkeypatch, block):
    (tmp_path / "apps").symlink_to(SOURCE / "apps")  # what it prints stays here
    monkeypatch.chdir(tmp_path)
    done = slurm.start("sh", "-e", "-c", block, timeout=300)
    assert done.returncode == 0, done
    slurm.wait_until_idle()
    for output in tmp_path.glob("*.out"):
        assert "rror" not in output.read_text()
