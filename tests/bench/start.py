# SPDX-License-Identifier: MIT
"""start.py - what the start of a job takes, in time, memory and files, in Python.

Every rank prints a line of JSON; scale.py reads them. Arguments are modules that are
imported behind pypar.
"""

import importlib
import json
import sys
import time

opened = []  # what Python itself opens to read modules


def note(event, arguments):
    if event == "open" and str(arguments[0]).endswith((".py", ".pyc")):
        opened.append(arguments[0])
    elif event == "import" and arguments[1]:  # an extension module, by its file
        opened.append(arguments[1])


def memory():
    with open("/proc/self/smaps_rollup") as file:
        fields = [line.split() for line in file if line.endswith("kB\n")]
    kib = {name.rstrip(":"): int(count) for name, count, _ in fields}
    return {"private": kib["Private_Dirty"] + kib["Private_Clean"], "pss": kib["Pss"]}


sys.addaudithook(note)
begin = time.perf_counter()
import pypar  # noqa: E402, what is measured

for name in sys.argv[1:]:
    importlib.import_module(name)
told = {"seconds": time.perf_counter() - begin, "opened": len(opened)}
told["started"] = memory()
rank, size = pypar.rank(), pypar.size()
for step in range(1, size):
    pypar.send(None, (rank + step) % size)
    pypar.receive((rank - step) % size)
told["talked"] = memory()
print(json.dumps(told))
