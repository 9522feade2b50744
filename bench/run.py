#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measure path lengths in the guest and print them beside other systems' (./quire bench).

Runs build/bench/bench-* under QEMU's -icount: figures are guest instructions, the same on every host.
They are path lengths, not speeds: they hide cache and TLB misses and what a trap costs, so kernel
entries, CR3 loads and cache lines stand beside them; those are counted by the plugin in bench/plugin.
The other systems' figures were measured the same way and stand in bench/anchors.csv. The exit status
is 0 if everything could be measured.
"""
import csv
import json
import os
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(HERE, "tools"))
import door  # noqa: E402
import history  # noqa: E402
import measure  # noqa: E402
import paths  # noqa: E402

RIVALS = ("seL4 ia32", "minimal Linux i386", "Debian Linux 686", "xv6 x86")
HEADS = ("seL4", "min. Linux", "Debian", "xv6")
NOTE = """
Guest instructions, bytes or lines of source but for blanks and comments. These are path lengths, not speeds.
median, p99: of 1,000 rounds, rdtsc around each, less the {overhead} that an empty round takes. entries,
CR3, lines: kernel entries, CR3 loads and distinct 64-byte lines that the kernel touches, of a median
round. best/us: the shortest of the others' paths over ours. A goal with * behind it is not met.
The image is the one that ./quire run boots; QEMU: {machine}"""

SCALE_NOTE = """
Medians in guest instructions, as above all path lengths. The crowd's tasks, of one thread each, and
threads, of one task, wait for a message while the others are measured; in the booted system init makes
them before it starts the rest. -: not measured there; a boot has no crowd."""


def anchors():
    with open(os.path.join(HERE, "bench", "anchors.csv"), encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(value):
    """At most one decimal, and none that says nothing."""
    if value is None:
        return "-"
    text = f"{value:,.1f}" if value < 10 else f"{value:,.0f}"
    return text.removesuffix(".0")


def ratio(anchor, value):
    others = [int(anchor[rival]) for rival in RIVALS if anchor[rival]]
    return f"{min(others) / value:.2f}" if others else "-"


def table(found):
    yield ("row", "median", "p99", "entries", "CR3", "lines", "goal", *HEADS, "best/us", "")
    for anchor in anchors():
        if anchor["name"] not in found:
            continue
        row = found[anchor["name"]]
        goal = number(int(anchor["goal"])) if anchor["goal"] else "-"
        missed = anchor["goal"] and row.median > int(anchor["goal"])
        yield (row.name, number(row.median), number(row.p99), number(row.entries),
               number(row.cr3_loads), number(row.lines), goal + ("*" if missed else " "),
               *(number(int(anchor[rival])) if anchor[rival] else "-" for rival in RIVALS),
               ratio(anchor, row.median), anchor["operation"])


def print_table(rows, last_is_text=False):
    """The first column to the left, the others to the right, but for a text at the end."""
    rows = list(rows)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    widths[-1] = 0 if last_is_text else widths[-1]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join([row[0].ljust(widths[0])] + cells).rstrip())


def show(found, overhead):
    print_table(table(found), last_is_text=True)
    print(NOTE.format(overhead=overhead, machine=measure.MACHINE))


def show_size():
    found = {row.name: row for row in measure.system_size()}
    print_table(((row[0], row[1], row[6], row[-1]) for row in table(found)), last_is_text=True)


def say(text):
    """What goes on, for who waits."""
    print(f"quire: bench: {text}", file=sys.stderr, flush=True)


def measured():
    say(f"{len(measure.RUNS)} machines count the instructions of each path; this takes some 20 seconds")
    return measure.everything()


def show_scale():
    say(f"{len(measure.RUNS) * len(measure.SIZES)} machines of {len(measure.SIZES)} kinds; this takes minutes")
    heads = [size for size, _, _ in measure.SIZES]
    print_table([("row", *heads)] + [(name, *map(number, medians))
                                     for name, medians in measure.scale().items()])
    print(SCALE_NOTE)


def show_where(name):
    """One operation's instructions, by function."""
    profile, parts, files = measure.profile(name)
    found = paths.functions(profile, files)
    total = sum(count for count, _ in found.values())
    what = "one operation" if parts == 1 else f"{parts} operations at once"
    print(f"{name}: {what}, {total:,} instructions of a round of median length\n")
    print(f"{'instructions':>12} {'share':>6} {'distinct':>8}  binary    function")
    for (binary, function), (count, distinct) in sorted(found.items(),
                                                        key=lambda item: (-item[1][0], item[0])):
        print(f"{count:>12,} {100 * count / total:>5.1f}% {distinct:>8}  {binary:<9} {function}")


def show_compare(before, found):
    """Each row then and now; a row that one side lacks is a dash."""
    names = list(found) + [name for name in before.rows if name not in found]
    rows = [("row", before.name, "now", "difference", "")]
    for name in names:
        then, now = before.rows.get(name), found[name].median if name in found else None
        both = then is not None and now is not None
        rows.append((name, number(then), number(now), f"{now - then:+,}" if both else "-",
                     f"{100 * (now - then) / then:+.1f} %" if both and then else "-"))
    print_table(rows)
    print("\nMedians; guest instructions (path lengths, not speeds), bytes, lines.")


def write_json(found, path):
    text = json.dumps(history.body(found), indent=1)
    if path == "-":
        print(text)
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")


def json_file(text):
    return text if text == "-" else door.output_file(text)


def row_name(text):
    names = measure.NAMES
    if text not in names:
        raise door.argparse.ArgumentTypeError(
            f"there is no row '{text}': give one of {', '.join(names)}")
    return text


def main():
    parser = door.Parser(prog="./quire bench", description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", type=json_file,
                        help="write the figures there (-: to the standard output, and no table)")
    parser.add_argument("--where", metavar="ROW", type=row_name,
                        help="print where one operation's instructions go, by function")
    parser.add_argument("--scale", action="store_true",
                        help="print the figures with little and much memory, many tasks and threads")
    parser.add_argument("--size", action="store_true",
                        help="print how large the kernel is, beside the goals, and measure nothing")
    parser.add_argument("--compare", metavar="REV|FILE", nargs="?", const="", type=history.source,
                        help="print what changed since a git revision, a file of --json, or (without "
                             "either) the last release in bench/history")
    parser.add_argument("--record", action="store_true",
                        help="add the figures to bench/history, as those of this version")
    options = parser.parse_args()
    modes = [name for name in ("where", "scale", "size", "compare", "record", "json")
             if getattr(options, name) not in (None, False)]
    if len(modes) > 1:
        parser.error(f"--{modes[0]} and --{modes[1]} are two different things: give one of them")
    if options.where:
        show_where(options.where)
        return 0
    if options.scale:
        show_scale()
        return 0
    if options.size:
        show_size()
        return 0
    if options.compare is not None:
        before = options.compare()
        show_compare(before, measured()[0])
        return 0
    if options.record:
        history.check_new()
    found, overhead = measured()
    if options.json != "-":
        show(found, overhead)
    if options.json:
        write_json(found, options.json)
    if options.record:
        history.add(found)
    return 0


if __name__ == "__main__":
    sys.exit(door.guard(main))
