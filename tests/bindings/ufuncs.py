# SPDX-License-Identifier: MIT
"""What reductions do with arrays: the functions of NumPy that give the same."""

import numpy as np

UFUNCS = {
    "SUM": np.add,
    "PROD": np.multiply,
    "MIN": np.minimum,
    "MAX": np.maximum,
    "LAND": np.logical_and,
    "LOR": np.logical_or,
    "LXOR": np.logical_xor,
    "BAND": np.bitwise_and,
    "BOR": np.bitwise_or,
    "BXOR": np.bitwise_xor,
}
INTEGERS = "bBhHiIlLqQ"  # the types that know all of them
