# SPDX-License-Identifier: MIT
"""The constants that the old pypar's extension module had."""

from ._core import BAND, BOR, BXOR, LAND, LOR, LXOR, MAX, MIN, PROD, SUM
from ._core import any_source as MPI_ANY_SOURCE
from ._core import any_tag as MPI_ANY_TAG
from ._core import max_tag as MPI_TAG_UB

__all__ = [
    "BAND",
    "BOR",
    "BXOR",
    "LAND",
    "LOR",
    "LXOR",
    "MAX",
    "MIN",
    "MPI_ANY_SOURCE",
    "MPI_ANY_TAG",
    "MPI_TAG_UB",
    "PROD",
    "SUM",
]
