# SPDX-License-Identifier: MIT
"""apps/fetch.py."""

import http.server
import re
import threading

import pytest
from mpirun import PYTHON, SOURCE, mpirun, unlabelled

FETCH = [PYTHON, SOURCE / "apps" / "fetch.py"]


def read(done, n):
    """The lines about the pages, and for each rank how many it fetched."""
    assert (done.returncode, done.stderr) == (0, ""), done
    *lines, last = done.stdout.splitlines()
    pages, counts = lines[:-n], lines[-n:]
    assert re.fullmatch(rf"{len(pages)} pages in \d+\.\d\d s", last), done
    found = [re.fullmatch(r"rank (\d+) fetched (\d+)", line) for line in counts]
    assert [int(each[1]) for each in found] == list(range(n)), done
    return pages, [int(each[2]) for each in found]


@pytest.mark.parametrize("n", [1, 3])
def test_the_pages_of_rank_0_are_fetched_in_order(n):
    pages, counts = read(mpirun(n, *FETCH, "--pages", 25, "--threads", 4), n)
    assert sum(counts) == 25
    for at, line in enumerate(pages):
        length = len(f"<html><title>Page {at}</title></html>") + at
        page = rf" *{length} bytes  http://127\.0\.0\.1:\d+/{at}  Page {at}"
        assert re.fullmatch(page, line), line


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if self.path == "/none" else 200)
        self.end_headers()
        self.wfile.write(b"<TITLE> hello\xff\n</TITLE>")

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_pages_of_others(server):
    pages, _ = read(mpirun(2, *FETCH, f"{server}/a", f"{server}/b"), 2)
    assert pages == [f"      23 bytes  {server}/{name}  hello\ufffd" for name in "ab"]
    done = mpirun(2, *FETCH, f"{server}/none")
    assert done.returncode == 1, done
    assert "HTTPError: HTTP Error 404" in unlabelled(done.stderr)
