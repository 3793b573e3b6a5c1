# SPDX-License-Identifier: MIT
"""apps/images.py."""

import re

import pytest
from mpirun import PYTHON, SOURCE, alone, mpirun, unlabelled
from PIL import Image

IMAGES = [PYTHON, SOURCE / "apps" / "images.py"]


def sheet(n, out):
    """The sheet of 5 pictures, made on so many ranks."""
    done = mpirun(n, *IMAGES, "--count", 5, "--out", out)
    assert (done.returncode, done.stderr) == (0, ""), done
    *ranks, last = done.stdout.splitlines()
    assert last == f"{out / 'sheet.png'}: 450 x 200"
    made = [re.fullmatch(r"rank (\d+) made (\d+) small in .* s", line) for line in ranks]
    assert [int(each[1]) for each in made] == list(range(n)), done
    assert sum(int(each[2]) for each in made) == 5
    names = {f"{at:04}.png" for at in range(5)} | {"sheet.png"}
    assert {file.name for file in out.iterdir()} == names
    return Image.open(out / "sheet.png")


def test_any_number_of_ranks_makes_the_same_sheet(tmp_path):
    one, three = sheet(1, tmp_path / "one"), sheet(3, tmp_path / "a" / "three")
    assert one.size == (450, 200) and one.tobytes() == three.tobytes()
    parts = [one.crop((x, y, x + 150, y + 100)) for y in (0, 100) for x in (0, 150, 300)]
    assert len({part.tobytes() for part in parts}) == 6
    assert set(parts[5].tobytes()) == {255}  # there is no sixth
    with Image.open(tmp_path / "one" / "0003.png") as picture:
        assert picture.size == (1200, 800)


@pytest.mark.parametrize("n", [1, 2])
def test_a_folder_that_cannot_be_written_is_told(n, tmp_path):
    (tmp_path / "file").touch()
    done = mpirun(n, *IMAGES, "--out", tmp_path / "file")
    assert (done.returncode, done.stdout) == (2, ""), done
    told = "images.py: argument --out: cannot write there: "
    assert unlabelled(done.stderr).startswith(told)


def test_it_wants_a_folder():
    done = alone(*IMAGES)
    assert done.returncode == 2
    assert "--out" in done.stderr and done.stderr.count("\n") == 1, done
