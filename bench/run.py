#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measure path lengths in the guest and print them beside other systems' (./quire bench).

    run.py [--csv FILE]

Runs build/bench/bench-* under QEMU's -icount: figures are guest instructions, medians, the same on
every host. They are path lengths, not speeds: they hide cache and TLB misses and what a trap costs,
so kernel entries and CR3 loads stand beside them. The other systems' figures were measured the same
way and stand in bench/anchors.csv. The exit status is 0 if everything could be measured.
"""
import csv
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("QUIRE_BUILD", os.path.join(HERE, "build"))
sys.path.insert(0, os.path.join(HERE, "tools"))
import door  # noqa: E402
import vm  # noqa: E402

LINE = re.compile(r"^bench (\S+) median (\d+) entries (\d+) cr3 (\d+)$")


def kernel_text(path):
    """Bytes of the executable sections."""
    listing = subprocess.run(["i686-linux-gnu-size", "-A", path], capture_output=True, text=True,
                             check=True).stdout
    return sum(int(size) for size in re.findall(r"^\.text\s+(\d+)", listing, re.M))


def lines_of(*patterns):
    """Lines of source that are not blank."""
    count = 0
    for pattern in patterns:
        for path in glob.glob(os.path.join(HERE, "kernel", pattern)):
            with open(path, encoding="utf-8") as file:
                count += sum(1 for line in file if line.strip())
    return count


def measure_system(image, found):
    """What only the whole system shows: programs/ticks.c under the real pager, and the boot."""
    result = vm.run(vm.Machine(image=image, icount=True, limit=120,
                               command="policy=clock store=ram idle=spin run=ticks"))
    entered = re.search(r"entered at tick (\d+)", result.log)
    first = re.search(r"ticks: first line at (\d+)", result.text)
    touch = re.search(r"ticks: first touch of \d+ pages: mean (\d+), median (\d+)", result.text)
    if not (result.ok and entered and first and touch):
        sys.exit(f"quire: error: the program 'ticks': {result.explain()}")
    found["boot"] = (int(first[1]) - int(entered[1]), None, None)
    found["fault_real_zeroed"] = (int(touch[1]), None, None)
    found["fault_real"] = (int(touch[2]), None, None)


def measure():
    """{name: (value, entries, cr3 loads)} of all benchmarks; fails with a sentence."""
    image = vm.Image(BUILD)
    found = {}
    for path in sorted(glob.glob(os.path.join(BUILD, "bench", "bench-*"))):
        if not os.path.isfile(path) or not os.access(path, os.X_OK):
            continue
        image.modules = [path]
        result = vm.run(vm.Machine(image=image, icount=True, limit=120))
        failed = [line for line in result.lines if line.startswith("not ok")]
        if result.hung or result.code != vm.SUCCESS or failed:
            sys.exit(f"quire: error: {os.path.basename(path)}: {(failed or [result.explain()])[0]}")
        for line in result.lines:
            match = LINE.match(line)
            if match:
                name, value, entries, loads = match.groups()
                found[name] = (int(value), int(entries) / 100, int(loads) / 100)
    measure_system(vm.Image(BUILD), found)
    found["kernel_text"] = (kernel_text(image.kernel), None, None)
    found["kernel_c"] = (lines_of("*.c", "*.h"), None, None)
    found["kernel_asm"] = (lines_of("*.asm"), None, None)
    return found


def show(found, anchors):
    rivals = [name for name in anchors[0] if name not in ("bench", "operation", "unit", "goal")]
    width = max(len(row["operation"]) for row in anchors)
    head = f"{'':{width}}  {'Quire':>8} {'entries':>7} {'CR3':>5} {'goal':>6}"
    print(head + "".join(f" {name:>18}" for name in rivals))
    for row in anchors:
        value, entries, loads = found.get(row["bench"], (None, None, None))
        if value is None:
            sys.exit(f"quire: error: nothing measured {row['bench']}, which bench/anchors.csv names")
        line = f"{row['operation']:{width}}  {value:>8}"
        line += f" {entries:>7.2f} {loads:>5.2f}" if entries is not None else " " * 14
        line += f" {row['goal'] or '-':>6}"
        print(line + "".join(f" {row[name] or '-':>18}" for name in rivals))
    print("\nGuest instructions (medians under -icount), bytes, lines that are not blank. Path lengths, "
          "not speeds.\ngoal: what the project aims at; not reached yet where Quire's figure is "
          "larger.")


def main():
    parser = door.Parser(prog="./quire bench", description=__doc__.splitlines()[0])
    parser.add_argument("--csv", metavar="FILE", type=door.output_file,
                        help="write the figures of Quire there, too")
    output = parser.parse_args().csv
    with open(os.path.join(HERE, "bench", "anchors.csv"), encoding="utf-8") as file:
        anchors = list(csv.DictReader(file))
    found = measure()
    show(found, anchors)
    if output:
        with open(output, "w", encoding="utf-8") as file:
            file.write("bench,value,entries,cr3\n")
            for name, (value, entries, loads) in sorted(found.items()):
                file.write(f"{name},{value},{'' if entries is None else entries},"
                           f"{'' if loads is None else loads}\n")


if __name__ == "__main__":
    sys.exit(door.guard(main))
