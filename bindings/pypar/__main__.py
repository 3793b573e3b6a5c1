# SPDX-License-Identifier: MIT
"""python -m pypar COMMAND, for the commands that run as ranks of the job."""

import sys

from . import command


def main() -> None:
    command.run(sys.argv[1:], is_rank=True)


if __name__ == "__main__":
    main()
