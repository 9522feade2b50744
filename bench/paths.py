# SPDX-License-Identifier: MIT
"""Read what the plugin bench/plugin/paths.c wrote: rounds, and where their instructions went.

    rows = paths.read(path)        [Row], in the order of the guest's run; the first is the boot
    row.median("lines")            of its rounds: instructions, kernel, entries, loads, lines
    row.profile()                  {(space, function): instructions} of a round of median length
"""
import bisect
import glob
import os
import subprocess

COLUMNS = ("instructions", "kernel", "entries", "loads", "lines")
KERNEL = 0xc0000000


class Row:
    def __init__(self):
        self.rounds = []     # tuples of COLUMNS
        self.profiles = {}   # length of a round: [(address, place, times, bytes)]

    def median(self, column):
        values = sorted(entry[COLUMNS.index(column)] for entry in self.rounds)
        return values[len(values) // 2] if values else None

    def mean(self, column):
        return sum(entry[COLUMNS.index(column)] for entry in self.rounds) / len(self.rounds)

    def typical(self):
        """Instructions of one round: the one of median length, or the nearest one written down."""
        wanted = self.median("instructions")
        return self.profiles[min(self.profiles, key=lambda length: (abs(length - wanted), length))]


def read(path):
    rows, profile = [], None
    with open(path, encoding="ascii") as file:
        for line in file:
            kind, *words = line.split()
            if kind == "row":
                rows.append(Row())
            elif kind == "round":
                rows[-1].rounds.append(tuple(int(word) for word in words))
            elif kind == "profile":
                profile = rows[-1].profiles[int(words[0])] = []
            elif kind == "at":
                profile.append((int(words[0], 16), words[1][:-3], int(words[2]),
                                bytes.fromhex(words[3])))
    return rows


class Binary:
    """Text and symbols of an ELF file that has both."""

    def __init__(self, path):
        self.name = os.path.basename(path).removesuffix(".elf")
        sections = subprocess.run(["i686-linux-gnu-objdump", "-h", "-w", path], capture_output=True,
                                  text=True, check=True).stdout
        self.text = []
        with open(path, "rb") as file:
            for words in (line.split() for line in sections.splitlines()):
                if len(words) > 6 and "CODE" in line_flags(words):
                    file.seek(int(words[5], 16))
                    self.text.append((int(words[3], 16), file.read(int(words[2], 16))))
        listing = subprocess.run(["i686-linux-gnu-nm", "-n", "--defined-only", path],
                                 capture_output=True, text=True, check=True).stdout
        symbols = [line.split() for line in listing.splitlines()]
        self.symbols = [(int(at, 16), name) for at, kind, name in symbols if kind in "tTwW"]
        self.starts = [at for at, _ in self.symbols]

    def holds(self, address, code):
        for start, text in self.text:
            if start <= address < start + len(text):
                return text[address - start:address - start + len(code)] == code
        return False

    def function(self, address):
        """Its name without what compiler and assembler append to it."""
        index = bisect.bisect_right(self.starts, address) - 1
        return self.symbols[index][1].split(".")[0] if index >= 0 else "?"


def line_flags(words):
    return "".join(words[7:])


def binaries(build, modules):
    """Those with symbols: the kernel's, and of each module the one it was stripped from."""
    found = [os.path.join(build, "kernel", "kernel.elf")]
    for module in modules:
        name = os.path.basename(module)
        for folder in ("servers/*", "programs", "bench"):
            found += [path for path in glob.glob(os.path.join(build, folder, name))
                      if os.path.isfile(path) and path not in found]
    return [Binary(path) for path in found]


def owner_of(code, files):
    """The binary that has these instructions [(address, bytes)] of one page, or None."""
    for file in files:
        if all(file.holds(address, data) for address, data in code):
            return file
    return None


def functions(instructions, files):
    """{(binary, function): (instructions, distinct ones)}."""
    pages, found = {}, {}
    for address, place, _, code in instructions:
        pages.setdefault((address >> 12, place), []).append((address, code))
    owners = {page: owner_of(code, files) for page, code in pages.items()}
    for address, place, times, _ in instructions:
        owner = owners[(address >> 12, place)]
        key = (owner.name, owner.function(address)) if owner else ("?", f"{address:#x}")
        count, distinct = found.get(key, (0, 0))
        found[key] = (count + times, distinct + 1)
    return found
