# SPDX-License-Identifier: MIT
"""Equal shares."""

from typing import SupportsInt


def balance(N: SupportsInt, P: SupportsInt, p: SupportsInt) -> tuple[int, int]:
    """The slice (lo, hi) of range(N) that is share p of P; talks to nobody.

    Lengths differ by one at most, the longer ones first; p >= P gives an empty one
    at the end.
    """
    N, P, p = int(N), int(P), int(p)
    if p >= P:
        return N, N
    length, longer = divmod(N, P)
    lo = p * length + min(p, longer)
    return lo, lo + length + (p < longer)
