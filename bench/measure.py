# SPDX-License-Identifier: MIT
"""Run the benchmarks in the guest and collect their rows. Prints nothing.

    found, overhead = measure.everything()        {name: Row}, what an empty round takes
    instructions, parts, binaries = measure.profile("ipc_2w")
"""
import dataclasses
import glob
import os
import re
import subprocess
import tempfile

import paths
import vm

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(HERE, "build")
MEMORY = 64  # MiB
MACHINE = f"-cpu {vm.CPU} -m {MEMORY} -icount shift=0,sleep=off, idle=spin"
LIMIT = 300  # seconds for one machine
LINE = re.compile(r"^bench (\S+) rounds (\d+) parts (\d+) median (\d+) p99 (\d+) overhead (\d+)$")

# Boot modules in init's place, and programs in the booted system: their rows, in order.
RUNS = {
    "calls": ("null_call", "ipc_0w", "ipc_2w", "ipc_3w", "ipc_64w", "signal_wake"),
    "memory": ("map_unmap", "bulk_map_page", "populate", "scan_entry", "fault_pager",
               "fault_pager_zeroed", "protect_trap", "protect_100"),
    "touch": ("boot", "boot_program", "fault_real", "fault_zeroed"),
}
PROGRAMS = ("touch",)
NAMES = tuple(name for names in RUNS.values() for name in names if name != "boot_program")


@dataclasses.dataclass
class Row:
    name: str
    median: int
    p99: int = None
    entries: float = None
    cr3_loads: float = None
    lines: float = None


def machine(run, profile, memory=MEMORY):
    """The virtual machine of a run; the plugin writes to `profile`."""
    name = f"bench-{run}"
    path = os.path.join(BUILD, "bench", name)
    image, command = vm.Image(BUILD), ""
    if run in PROGRAMS:
        image, command = image.replaced({name: path}), f"policy=clock store=ram run={name}"
    else:
        image.modules = [path]
    plugin = os.path.join(BUILD, "bench", "paths.so")
    return vm.Machine(image=image, command=command, memory=memory, icount=True, limit=LIMIT,
                      extra=["-plugin", f"{plugin},out={profile}"], name=name)


def check(result):
    failed = [line for line in result.lines if line.startswith("not ok")]
    if result.hung or result.code != vm.SUCCESS or failed:
        raise RuntimeError(f"{result.machine.name}: {(failed or [result.explain()])[0]}")


def rows_of(run, result, profile):
    """([Row], overhead) of a run that ended well."""
    check(result)
    traced = paths.read(profile)
    found, overhead = [], None
    if run in PROGRAMS:
        boot = traced[0].rounds[0]
        found.append(Row("boot", boot[0], boot[0], boot[2], boot[3], boot[4]))
        entered = int(re.search(r"entered at tick (\d+)", result.log)[1])
        first = int(re.search(r"first line at (\d+)", result.text)[1])
        found.append(Row("boot_program", first - entered, first - entered))
    said = [match for match in map(LINE.match, result.lines) if match]
    for match, row in zip(said, traced[1:]):
        name, (_, parts, median, p99, overhead) = match[1], map(int, match.groups()[1:])
        found.append(Row(name, median, p99, row.median("entries") / parts,
                         row.median("loads") / parts, row.median("lines") / parts))
    if [row.name for row in found] != list(RUNS[run]):
        raise RuntimeError(f"{result.machine.name}: its rows are {[row.name for row in found]}, "
                           f"bench/measure.py expects {list(RUNS[run])}")
    return found, overhead


def system_size():
    """Rows that count source and bytes."""
    listing = subprocess.run(["i686-linux-gnu-size", "-A", os.path.join(BUILD, "kernel/kernel.elf")],
                             capture_output=True, text=True, check=True).stdout
    text = sum(int(size) for size in re.findall(r"^\.text\s+(\d+)", listing, re.M))
    return [Row("kernel_text", text), Row("kernel_c", lines_of("*.c", "*.h")),
            Row("kernel_asm", lines_of("*.asm"))]


def lines_of(*patterns):
    """Lines of source that are not blank."""
    count = 0
    for pattern in patterns:
        for path in glob.glob(os.path.join(HERE, "kernel", pattern)):
            with open(path, encoding="utf-8") as file:
                count += sum(1 for line in file if line.strip())
    return count


def everything(memory=MEMORY):
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
        profiles = {run: os.path.join(folder, run) for run in RUNS}
        results = vm.run_all([machine(run, path, memory) for run, path in profiles.items()])
        found = {}
        for (run, path), result in zip(profiles.items(), results):
            rows, overhead = rows_of(run, result, path)
            found |= {row.name: row for row in rows}
    return found | {row.name: row for row in system_size()}, overhead


def profile(name):
    """(instructions of a median round, operations in it, binaries) of one row."""
    run = next(run for run, names in RUNS.items() if name in names)
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
        path = os.path.join(folder, run)
        started = machine(run, path)
        result = vm.run(started)
        check(result)
        names = [name for name in RUNS[run] if name != "boot_program"]
        index = names.index(name) + (run not in PROGRAMS)
        said = {match[1]: int(match[3]) for match in map(LINE.match, result.lines) if match}
        return (paths.read(path)[index].typical(), said.get(name, 1),
                paths.binaries(BUILD, started.image.modules))
