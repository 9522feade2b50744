# SPDX-License-Identifier: MIT
"""Run the benchmarks in the guest and collect their rows. Prints nothing.

    found, overhead = measure.everything()        {name: Row}, what an empty round takes
    instructions, parts, binaries = measure.profile("ipc_2w")
    medians = measure.scale()                     {name: one median for each of SIZES, or None}
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
EVEN = 1.02  # mean of a row's rounds over their median, for rows of many operations a round
LINE = re.compile(r"^bench (\S+) rounds (\d+) parts (\d+) median (\d+) p99 (\d+) overhead (\d+)$")

# Boot modules in init's place, and programs in the booted system: their rows, in order.
RUNS = {
    "calls": ("null_call", "ipc_0w", "ipc_2w", "ipc_3w", "ipc_64w", "signal_wake"),
    "memory": ("map_unmap", "bulk_map_page", "populate", "scan_entry", "fault_pager",
               "fault_pager_zeroed", "protect_trap", "protect_100"),
    "touch": ("boot", "boot_program", "fault_real", "fault_zeroed"),
}
PROGRAMS = ("touch",)
COMMENTS = ("//", ";")  # of C and assembly: how a line begins that is not counted
# Machines that --scale compares: how to call it, MiB, options of bench/guest/crowd.c.
SIZES = (("64 MB", 64, ""), ("16 MB", 16, ""), ("3 GB", 3072, ""),
         ("3 GB, 10,000 threads", 3072, "threads=10000"), ("3 GB, 1,000 tasks", 3072, "tasks=1000"))
NAMES = tuple(name for names in RUNS.values() for name in names if name != "boot_program")


@dataclasses.dataclass
class Row:
    name: str
    median: int
    p99: int = None
    entries: float = None
    cr3_loads: float = None
    lines: float = None


def machine(run, profile=None, memory=MEMORY, crowd=""):
    """The virtual machine of a run; the plugin writes to `profile`.

    In the booted system the crowd is made by init, which is the system's own but for that.
    """
    name = f"bench-{run}"
    path = os.path.join(BUILD, "bench", name)
    image, command = vm.Image(BUILD), crowd
    if run in PROGRAMS:
        changes = {"init": os.path.join(BUILD, "bench", "init")} if crowd else {}
        image = image.replaced({name: path, **changes})
        command = f"policy=clock store=ram:64 run={name} {crowd}"
    else:
        image.modules = [path]
    plugin = os.path.join(BUILD, "bench", "paths.so")
    extra = ["-plugin", f"{plugin},out={profile}"] if profile else []
    return vm.Machine(image=image, command=command, memory=memory, icount=True, limit=LIMIT,
                      extra=extra, name=name)


def boot_program(result):
    entered = int(re.search(r"entered at tick (\d+)", result.log)[1])
    return int(re.search(r"first line at (\d+)", result.text)[1]) - entered


def said(result):
    """What the guest printed of its rows, as matches of LINE; fails if it did not end well."""
    failed = [line for line in result.lines if line.startswith("not ok")]
    if result.hung or result.code != vm.SUCCESS or failed:
        raise RuntimeError(f"{result.machine.name}: {(failed or [result.explain()])[0]}")
    return [match for match in map(LINE.match, result.lines) if match]


def rows_of(run, result, profile):
    """([Row], overhead) of a run that ended well."""
    traced = paths.read(profile)
    found, overhead = [], None
    if run in PROGRAMS:
        boot = traced[0].rounds[0]
        found.append(Row("boot", boot[0], boot[0], boot[2], boot[3], boot[4]))
        program = boot_program(result)
        found.append(Row("boot_program", program, program))
    for match, row in zip(said(result), traced[1:]):
        name, (_, parts, median, p99, overhead) = match[1], map(int, match.groups()[1:])
        if parts > 1 and row.mean("instructions") > row.median("instructions") * EVEN:
            raise RuntimeError(f"{name}: the mean of its rounds is far above their median, so that "
                               "the median hides work that few rounds do: measure longer rounds")
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
    sizes = {name: int(size) for name, size in re.findall(r"^(\.\S+)\s+(\d+)", listing, re.M)}
    return [Row("kernel_text", sizes[".text"]), Row("kernel_rodata", sizes[".rodata"]),
            Row("kernel_boot", sizes[".boot.text"] + sizes[".boot.data"]),
            Row("kernel_c", lines_of("*.c", "*.h")), Row("kernel_asm", lines_of("*.asm"))]


def lines_of(*patterns):
    """Lines of source that are neither blank nor comment."""
    count = 0
    for pattern in patterns:
        for path in glob.glob(os.path.join(HERE, "kernel", pattern)):
            with open(path, encoding="utf-8") as file:
                count += sum(1 for line in file if line.strip() and not line.lstrip().startswith(COMMENTS))
    return count


def everything():
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
        profiles = {run: os.path.join(folder, run) for run in RUNS}
        results = vm.run_all([machine(run, path) for run, path in profiles.items()])
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
        parts = {match[1]: int(match[3]) for match in said(vm.run(started))}
        names = [name for name in RUNS[run] if name != "boot_program"]
        index = names.index(name) + (run not in PROGRAMS)
        return (paths.read(path)[index].typical(), parts.get(name, 1),
                paths.binaries(BUILD, started.image.modules))


def scale(runs=tuple(RUNS)):
    """{name: [median or None for each of SIZES]}; a boot has no crowd."""
    cells = [(at, run) for at in range(len(SIZES)) for run in runs]
    found = {}
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
        profiles = [os.path.join(folder, f"{run}-{at}") if run in PROGRAMS and not SIZES[at][2] else None
                    for at, run in cells]
        results = vm.run_all([machine(run, profile, *SIZES[at][1:])
                              for (at, run), profile in zip(cells, profiles)])
        for (at, run), result, profile in zip(cells, results, profiles):
            for name, median in medians(run, result, profile, SIZES[at][2]).items():
                found.setdefault(name, [None] * len(SIZES))[at] = median
    return found


def medians(run, result, profile, crowd):
    """{name: median} of a run that ended well, and with the crowd beside it that was asked for."""
    rows = {match[1]: int(match[4]) for match in said(result)}
    if crowd and f"# crowd {crowd.split('=')[1]}" not in result.lines:
        raise RuntimeError(f"{result.machine.name}: there was no crowd ({crowd})")
    return {row.name: row.median for row in rows_of(run, result, profile)[0]} if profile else rows
