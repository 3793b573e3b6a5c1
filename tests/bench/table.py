# SPDX-License-Identifier: MIT
"""The benchmark's results as text: Markdown that lines up in a terminal, too."""

import plan


def short(number):
    """Three digits or so."""
    for limit, digits in ((10, 2), (100, 1)):
        if number < limit:
            return f"{number:.{digits}f}"
    return f"{number:,.0f}"


def grid(header, lines):
    """A Markdown table; the first column flush left, numbers flush right."""
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]

    def line(cells):
        first, *others = zip(cells, widths, strict=True)
        padded = [
            first[0].ljust(first[1]),
            *(cell.rjust(width) for cell, width in others),
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(header), line(rule), *map(line, lines)])


def cell(section, row, figures):
    if figures is None:
        return "-"
    numbers = figures["min"], figures["median"]
    if section.in_gbps:
        return " ".join(short(row.payload / seconds / 1e9) for seconds in numbers)
    return " ".join(short(seconds * 1e6) for seconds in numbers)


def ratio(figures, a, b):
    """Of the medians; None where one of them was not measured. Milliseconds where B is
    None."""
    if a not in figures or (b and b not in figures):
        return None
    if not b:
        return 1000 * figures[a]["median"]
    return figures[a]["median"] / figures[b]["median"]


def section_table(section, results, names):
    """RESULTS: {row: {contender: figures}}; NAMES: the contenders that there are."""
    names = [name for name in section.contenders if name in names]
    ratios = [pair for pair in section.ratios if {*pair} <= {*names}]
    header = ["", *names, *(f"{last_word(a)}/{last_word(b)}" for a, b in ratios)]
    lines = []
    for row, figures in results.items():
        quotients = (ratio(figures, *pair) for pair in ratios)
        lines.append(
            [row.label]
            + [cell(section, row, figures.get(name)) for name in names]
            + ["-" if q is None else f"{q:.2f}" for q in quotients]
        )
    return f"### {section.title}\n\n" + grid(header, lines)


def last_word(text):
    return text.split()[-1]


def judge(target, results):
    """(worst ratio, its row, whether that is enough); Nones where not all rows of
    TARGET were measured."""
    by_name = {row.name: figures for row, figures in results.items()}
    found = [
        (ratio(by_name.get(name, {}), target.a, target.b), name) for name in target.rows
    ]
    if not found or any(q is None for q, _ in found):
        return None, None, None
    worst, name = max(found) if target.least is None else min(found)
    reached = worst <= target.most if target.least is None else worst >= target.least
    return worst, name, reached


def target_table(results):
    lines = []
    for target in plan.TARGETS:
        worst, name, reached = judge(target, results)
        limit = f"≤ {target.most}" if target.least is None else f"≥ {target.least}"
        verdict = {True: "reached", False: "missed", None: "not measured"}[reached]
        lines.append(
            [target.what, f"{target.a} / {target.b}" if target.b else target.a, limit]
            + (["", "", verdict] if worst is None else [f"{worst:.2f}", name, verdict])
        )
    header = ["", "times of", "limit", "worst", "in row", ""]
    return "### To reach\n\n" + grid(header, lines)


LEGEND = """\
Each contender's least and median time, or best and median bandwidth, over all rounds;
A/B: the median time of A over that of B."""


def legend(about, names):
    what = ((name, plan.CONTENDERS[name][2]) for name in names)
    return "\n".join(f"- {key}: {value}" for key, value in [*about.items(), *what])


def text(about, results, names):
    parts = [legend(about, names), LEGEND]
    for section in dict.fromkeys(row.section for row in results):
        rows = {
            row: figures for row, figures in results.items() if row.section is section
        }
        parts.append(section_table(section, rows, names))
    parts.append(target_table(results))
    return "\n\n".join(parts) + "\n"
