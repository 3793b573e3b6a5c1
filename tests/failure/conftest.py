# SPDX-License-Identifier: MIT
"""The programs of this folder, of which several run at a time: most of them wait."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from catalogue import HERE, programs

AT_ONCE = 4
TIMES = int(os.environ.get("PAR_TEST_TIMES", "1"))  # each program, for who has time


def pytest_generate_tests(metafunc):
    for kind in "wrong", "right":
        if f"{kind}_program" in metafunc.fixturenames:
            found = programs(f"{kind}*.[cp]*")
            metafunc.parametrize(f"{kind}_program", found, ids=str)


@pytest.fixture(scope="session")
def runs(request):
    """{program: futures of its runs}, of all that have been chosen."""
    pool = ThreadPoolExecutor(AT_ONCE)
    chosen = [
        value
        for item in request.session.items
        if item.path.parent == HERE
        for value in getattr(item, "callspec", item).params.values()
    ]
    yield {
        str(program): [pool.submit(program.run) for _ in range(TIMES)]
        for program in chosen
    }
    pool.shutdown(cancel_futures=True)
