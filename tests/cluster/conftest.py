# SPDX-License-Identifier: MIT
"""Four hosts of two CPUs each, and SLURM on them; without those the tests are skipped."""

import time
from collections import Counter

import hosts
import pytest
from slurm import Slurm
from slurm import why_not as why_no_slurm

SECONDS = 60  # until a job's last processes have ended


@pytest.fixture(scope="session")
def four_hosts(tmp_path_factory):
    if reason := hosts.why_not():
        pytest.skip(reason)
    with hosts.Cluster(tmp_path_factory.mktemp("cluster"), hosts=4) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def four_nodes(four_hosts):
    if reason := why_no_slurm():
        pytest.skip(reason)
    return Slurm(four_hosts)


@pytest.fixture
def cluster(four_hosts):
    """The hosts, on which a test leaves nothing."""
    before = four_hosts.traces()
    yield four_hosts
    limit = time.monotonic() + SECONDS
    while (left := _more(four_hosts.traces(), before)) and time.monotonic() < limit:
        time.sleep(0.2)
    assert not left, "the test left something behind"


def _more(now, before):
    """What there is NOW of traces, and was not BEFORE, when some may have been going."""
    found = {host: Counter(now[host]) - Counter(before[host]) for host in now}
    return {host: [*more.elements()] for host, more in found.items() if more}


@pytest.fixture
def slurm(four_nodes, cluster):
    """The nodes, free of jobs before and after a test."""
    yield four_nodes
    four_nodes.run("scancel", "--user=root")
    four_nodes.wait_until_idle()
