# SPDX-License-Identifier: MIT
"""Counts of the pager's instructions by what they belong to, taken by a plugin of QEMU's
(lab/plugin/counts.c) while the system runs. Here is the map that it needs: by the lines that the
compiler noted for each instruction, so that functions which were inlined are told apart, too.
  policy   of files in servers/pager/policy/ but for
  checked  checked.h, checked.c: what believes no policy
  scan     scan_domain() with all that it calls, but for the two above
  trace    machine_trace_record() with all that it calls: not there in a run without a trace
"""
import os
import re
import subprocess

import matrix

PAGER = os.path.join(matrix.BUILD, "servers", "pager", "pager")
PLUGIN = os.path.join(matrix.BUILD, "lab", "counts.so")
POLICIES = os.path.join(matrix.HERE, "servers", "pager", "policy")
CALLS = {"scan": "scan_domain", "trace": "machine_trace_record"}
NUMBERS = ("policy", "checked", "scan", "scan_kernel", "trace")


def tool(name, *arguments, text=None):
    return subprocess.run(["i686-linux-gnu-" + name, *arguments], check=True, input=text,
                          capture_output=True, text=True).stdout


def kind_of(path, files):
    name = os.path.basename(path)
    return None if name not in files else "checked" if name.startswith("checked") else "policy"


def parts(elf):
    """(kind, first, end) for each run of instructions of a kind."""
    files = set(os.listdir(POLICIES))
    listing = tool("objdump", "-d", "--no-show-raw-insn", elf)
    addresses = re.findall(r"^ *([0-9a-f]+):\t", listing, re.MULTILINE)
    lines = tool("addr2line", "-e", elf, text="\n".join(addresses)).splitlines()
    found = []
    for address, line in zip(map(lambda number: int(number, 16), addresses), lines):
        kind = kind_of(line.rpartition(":")[0], files)
        if found and found[-1][0] == kind:
            continue
        if found:
            found[-1][2] = address
        found.append([kind, address, address + 1])
    return [part for part in found if part[0]]


def write_map(path, elf=PAGER):
    """The map of a pager, for the plugin's map=."""
    section = re.search(r"\.text +([0-9a-f]+) +([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+)",
                        tool("objdump", "-h", "-w", elf))
    size, first, offset = (int(number, 16) for number in section.groups())
    symbols = {name: (int(at, 16), int(length, 16)) for at, length, name in
               re.findall(r"^([0-9a-f]+) ([0-9a-f]+) [Tt] (\S+)$", tool("nm", "-S", elf),
                          re.MULTILINE)}
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"text {first:x} {first + size:x} {offset:x} {elf}\n")
        for kind, start, end in parts(elf):
            file.write(f"part {kind} {start:x} {end:x}\n")
        for kind, name in CALLS.items():
            start, length = symbols[name]
            file.write(f"call {kind} {start:x} {start + length:x}\n")


def machine_arguments(out, map_path):
    """For vm.Machine's extra."""
    return ["-plugin", f"{PLUGIN},out={out},map={map_path}"]


def read(path):
    """{"policy": 123, ...}"""
    with open(path, encoding="utf-8") as file:
        return {name: int(number) for name, number in (line.split() for line in file)}
