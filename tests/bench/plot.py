# SPDX-License-Identifier: MIT
"""The benchmark's curves as a picture: latency and bandwidth over message size."""

import matplotlib
import plan

matplotlib.use("Agg")  # a file is all that is wanted, and there may be no display
from matplotlib import pyplot, ticker  # noqa: E402

# By contender; alike for both languages is who plays the same part.
STYLES = {
    "raw": {"color": "black", "linestyle": "--"},
    "libpar": {"color": "tab:blue"},
    "pypar buffer": {"color": "tab:green"},
    "pypar new": {"color": "tab:olive"},
    "mpi4py Send": {"color": "tab:red", "linestyle": ":"},
    "mpi4py send": {"color": "tab:orange", "linestyle": ":"},
}


def curves(results, wanted):
    """{contender: ([bytes], [seconds])} of the rows that WANTED is true for."""
    found = {name: ([], []) for name in STYLES}
    for row, figures in results.items():
        for name in found.keys() & figures.keys():
            if row.what == "pingpong" and row.payload and wanted(row.payload):
                found[name][0].append(row.payload)
                found[name][1].append(figures[name]["median"])
    return {name: curve for name, curve in found.items() if curve[0]}


def draw(file, about, results):
    """Medians, to FILE, whose name says the format."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 5))
    for name, (sizes, seconds) in curves(results, lambda n: n <= 64 * plan.KIB).items():
        left.plot(
            sizes,
            [s * 1e6 for s in seconds],
            marker="o",
            ms=3,
            label=name,
            **STYLES[name],
        )
    for name, (sizes, seconds) in curves(results, lambda n: n >= plan.KIB).items():
        speeds = [n / s / 1e9 for n, s in zip(sizes, seconds, strict=True)]
        right.plot(sizes, speeds, marker="o", ms=3, label=name, **STYLES[name])
    for axes, title in ((left, "Latency, one way, µs"), (right, "Bandwidth, GB/s")):
        axes.set_title(title)
        axes.set_xlabel("message")
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(ticker.LogLocator(base=4 if axes is left else 16))
        axes.xaxis.set_major_formatter(lambda n, _: plan.size(int(n)))
        axes.grid(alpha=0.3)
    left.set_yscale("log")
    left.legend(frameon=False)
    figure.suptitle(f"{about['machine']}\n{about['MPI'].split(',')[0]}", fontsize=9)
    figure.tight_layout()
    figure.savefig(file, dpi=150)
