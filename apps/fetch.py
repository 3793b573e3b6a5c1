# SPDX-License-Identifier: MIT
"""Pages are fetched by all ranks, each with many threads, as they wait most of the time.

Run it as: mpirun -np 4 python apps/fetch.py --pages 200 --threads 16

Without addresses rank 0 serves pages to be fetched itself, each after a while.
"""

import argparse
import contextlib
import http.server
import itertools
import re
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import pypar as pp
from args import Parser, number

SECONDS = 0.02  # after which the server here answers
LIMIT = 30  # seconds for a page of anybody's


class Page(NamedTuple):
    address: str
    length: int
    title: str
    rank: int


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(SECONDS)
        name = self.path.strip("/")
        text = f"<html><title>Page {name}</title>{'-' * int(name)}</html>".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def served(pages):
    """The addresses of so many pages, for as long as they are served."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever).start()
        yield [f"http://127.0.0.1:{server.server_port}/{at}" for at in range(pages)]
        server.shutdown()


def fetch(address):
    with urllib.request.urlopen(address, timeout=LIMIT) as reply:
        text = reply.read()
    title = re.search(rb"<title>(.*?)</title>", text, re.DOTALL | re.IGNORECASE)
    told = title[1].decode(errors="replace").strip() if title else ""
    return Page(address, len(text), told, pp.rank())


def fetch_all(threads, addresses):
    """The pages, so many at a time, on this rank."""
    with ThreadPoolExecutor(threads) as executor:
        return list(executor.map(fetch, addresses))


def report(pages, seconds):
    for page in pages:
        print(f"{page.length:8} bytes  {page.address}  {page.title}")
    for rank in range(pp.size()):
        print(f"rank {rank} fetched {sum(page.rank == rank for page in pages)}")
    print(f"{len(pages)} pages in {seconds:.2f} s")


def address(text):
    """The type of an argument: urllib would open files, too."""
    if not re.match(r"https?://", text):
        message = f'wants http://... or https://..., got "{text:.64}"'
        raise argparse.ArgumentTypeError(message)
    return text


def read_arguments():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "addresses", metavar="address", nargs="*", type=address, help="of a page"
    )
    for option, most, unless_given, help in (
        ("pages", 100_000, 60, "that rank 0 serves if no addresses are given"),
        ("threads", 1000, 8, "of each rank, which fetch at a time"),
    ):
        help = f"{help}; {unless_given} unless given"
        kind = number(1, most)
        parser.add_argument(f"--{option}", type=kind, default=unless_given, help=help)
    return parser.parse_args()


def main():
    arguments = read_arguments()
    threads = arguments.threads
    with pp.Pool() as pool:
        given = contextlib.nullcontext(arguments.addresses)
        with given if arguments.addresses else served(arguments.pages) as addresses:
            start = time.perf_counter()
            at_a_time = range(0, len(addresses), threads)
            batches = [addresses[at : at + threads] for at in at_a_time]
            fetched = pool.imap(partial(fetch_all, threads), batches)
            pages = list(itertools.chain.from_iterable(fetched))
            report(pages, time.perf_counter() - start)


if __name__ == "__main__":
    main()
