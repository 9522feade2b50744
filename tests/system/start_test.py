# SPDX-License-Identifier: MIT
"""What only the kernel's start needs: free memory afterwards, and out of reach of what stays."""
import os
import re
import shlex
import struct
import subprocess
import tempfile

import vm
from common import BUILD, LIMIT, check, command

KERNEL = os.path.join(BUILD, "kernel", "kernel.elf")
WRITE, NO_EXECUTE, FRAME_KERNEL = 1 << 1, 1 << 63, 3
PLANT = "void kernel_main(void); void planted(void); void planted(void) { kernel_main(); }\n"


def frame_of(symbol):
    """Number of the frame in which one of the kernel's symbols lies."""
    listing = command(["i686-linux-gnu-nm", KERNEL]).stdout
    address = re.search(rf"^([0-9a-f]{{8}}) \w {symbol}$", listing, re.MULTILINE)
    return (int(address[1], 16) - 0xC0000000) >> 12


def run_under_gdb(folder, words):
    """A kernel suite, stopped in the midst of its work by gdb commands."""
    path = os.path.join(folder, "gdb")
    image = vm.Image(BUILD)
    image.modules = [os.path.join(BUILD, "tests", "guest", "test-call")]

    def stop(line):
        if line.startswith("TAP version"):
            gdb = ["gdb", "-nx", "-batch", KERNEL]
            for word in ["set remotetimeout 60", f"target remote {path}", "hbreak schedule",
                         "continue", *words, "delete", "detach"]:
                gdb += ["-ex", word]
            subprocess.run(gdb, capture_output=True, timeout=LIMIT, check=False)
    return vm.run(vm.Machine(image=image, command="check=1", on_line=stop,
                             extra=["-gdb", f"unix:{path},server=on,wait=off"]))


def test_start_gives_back():
    """the start's frames are free memory afterwards: no kernel's, writable, and not executable"""
    with tempfile.TemporaryDirectory(prefix="quire-start-") as folder:
        entries, table = os.path.join(folder, "entries"), os.path.join(folder, "table")
        result = run_under_gdb(folder, [f"dump binary value {entries} memory_first_table",
                                        f"dump binary memory {table} frames.table frames.table+512"])
        check(result.code == vm.SUCCESS, result.explain())
        with open(entries, "rb") as file:
            entries = struct.unpack("<512Q", file.read())
        with open(table, "rb") as file:
            types = [kind for _, kind, _ in struct.iter_unpack("<HHI", file.read())]
    first, end = frame_of("kernel_start"), frame_of("kernel_boot_end")
    check(end - first >= 4, f"the start has {end - first} frames")
    wrong = [frame for frame in range(first, end)
             if types[frame] == FRAME_KERNEL or entries[frame] & (WRITE | NO_EXECUTE) != WRITE | NO_EXECUTE]
    check(not wrong, f"frames {wrong} are still the start's")
    wrong = [frame for frame in range(end, frame_of("kernel_text_end"))
             if types[frame] != FRAME_KERNEL or entries[frame] & (WRITE | NO_EXECUTE)]
    check(not wrong, f"frames {wrong} of the text that stays are not protected")


def test_start_is_over():
    """a jump into the start's code is a fault once it is over, and not a run through other data"""
    with tempfile.TemporaryDirectory(prefix="quire-start-") as folder:
        result = run_under_gdb(folder, ["set $eip = (unsigned)&kernel_main"])
    check(result.code == vm.PANIC, result.explain())
    said = re.search(r"exception 14, error 00000011, cr2 ([0-9a-f]{8}).*\neip \1 ", result.log)
    check(said, result.log[-600:])


def test_start_nobody_refers():
    """the linker refuses a kernel in which code that stays calls the start's"""
    line = command(["ninja", "-C", BUILD, "-t", "commands", "kernel/kernel.elf"]).stdout.splitlines()[-1]
    with tempfile.TemporaryDirectory(prefix="quire-start-") as folder:
        source, planted = os.path.join(folder, "plant.c"), os.path.join(folder, "plant.o")
        with open(source, "w", encoding="utf-8") as file:
            file.write(PLANT)
        words = shlex.split(line)
        check(command([words[0], "-c", source, "-o", planted]).returncode == 0, "no planted object")
        words[words.index("-o") + 1] = os.path.join(folder, "kernel.elf")
        check(command(words, cwd=BUILD).returncode == 0, "the kernel does not link as it is")
        done = command([*words, planted, "-Wl,-u,planted"], cwd=BUILD)
    check(done.returncode != 0 and "prohibited cross reference" in done.stderr, done.stderr[-300:])
