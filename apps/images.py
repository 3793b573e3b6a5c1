# SPDX-License-Identifier: MIT
"""A folder of pictures is made small and sharp by whichever rank is free.

Run it as: mpirun -np 4 python apps/images.py --count 24 --out build/images

The pictures are drawn first; sheet.png shows all that came of them.
"""

import math
import os
import time
from functools import partial
from pathlib import Path

import pypar as pp
from args import Parser, number
from PIL import Image, ImageDraw, ImageFilter, ImageOps

LARGE = (1200, 800)
SMALL = (150, 100)


def draw(folder, at):
    """A picture with rings around a point of its own; its file."""
    gradient = Image.linear_gradient("L").resize(LARGE)
    picture = Image.merge("RGB", (gradient, ImageOps.flip(gradient), gradient))
    pen = ImageDraw.Draw(picture)
    x = LARGE[0] * (0.5 + 0.4 * math.cos(at))
    y = LARGE[1] * (0.5 + 0.4 * math.sin(at))
    for radius in range(20, 600, 20 + at % 30):
        box = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse(box, outline=(255, 255, 40 * at % 256), width=6)
    file = folder / f"{at:04}.png"
    picture.save(file, compress_level=1)
    return file


def shrink(file):
    """Its small picture, and who made it in how many seconds."""
    start = time.perf_counter()
    with Image.open(file) as picture:
        small = ImageOps.fit(picture.convert("RGB"), SMALL, Image.Resampling.LANCZOS)
    small = small.filter(ImageFilter.UnsharpMask(radius=1, percent=120))
    return small, pp.rank(), time.perf_counter() - start


def sheet(pictures):
    """One picture of them all, in rows."""
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    whole = Image.new("RGB", (columns * SMALL[0], rows * SMALL[1]), "white")
    for at, picture in enumerate(pictures):
        row, column = divmod(at, columns)
        whole.paste(picture, (column * SMALL[0], row * SMALL[1]))
    return whole


def report(ranks, seconds):
    for rank in range(pp.size()):
        mine = [s for r, s in zip(ranks, seconds, strict=True) if r == rank]
        print(f"rank {rank} made {len(mine)} small in {sum(mine):.3f} s")


def read_arguments():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--count",
        type=number(1, 10_000),
        default=12,
        help="how many pictures there are, 12 unless given",
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where they go")
    return parser, parser.parse_args()


def main():
    parser, arguments = read_arguments()
    folder = Path(arguments.out)
    with pp.Pool() as pool:
        try:
            os.makedirs(folder, exist_ok=True)
            files = pool.map(partial(draw, folder), range(arguments.count))
        except OSError as error:
            parser.error(f"argument --out: cannot write there: {error}")
        pictures, ranks, seconds = zip(*pool.imap(shrink, files), strict=True)
    report(ranks, seconds)
    whole = sheet(pictures)
    whole.save(folder / "sheet.png")
    print(f"{folder / 'sheet.png'}: {whole.width} x {whole.height}")


if __name__ == "__main__":
    main()
