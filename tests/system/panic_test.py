# SPDX-License-Identifier: MIT
"""What the kernel does when it is itself at fault: it says so, shows where, and stops."""
import contextlib
import os
import re
import socket
import subprocess
import tempfile

import vm
from common import BUILD, LIMIT, check


def places_at(address):
    """The kernel's functions and sources at an address: what was inlined, and into what."""
    kernel = os.path.join(BUILD, "kernel", "kernel.elf")
    lines = subprocess.run(["i686-linux-gnu-addr2line", "-i", "-f", "-e", kernel, address],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    return lines[::2] + [os.path.basename(place).split(":")[0] for place in lines[1::2]]


def test_panic_shows_where():
    """a law broken on purpose is a panic with the law, registers and a backtrace that leads there"""
    image = vm.Image(BUILD)
    image.modules = [os.path.join(BUILD, "tests", "guest", "test-call")]
    # Counted, so that the next kernel entry is the call and no interrupt of a slow host's.
    result = vm.run(vm.Machine(image=image, command="check=1 plant", icount=True))
    check(result.code == vm.PANIC, result.explain())
    check("kernel panic: " in result.text and "the count of free frames is right" in result.text,
          result.text[-600:])
    check(re.search(r"current: task 1 thread \d+ eip [0-9a-f]{8} esp", result.text),
          "no registers: " + result.text[-600:])
    trail = re.search(r"code addresses on the stack:((?: [0-9a-f]{8})+)", result.text)
    check(trail, "no backtrace: " + result.text[-600:])
    names = [name for address in trail[1].split() for name in places_at(address)]
    check("trap_check" in names and "fast.asm" in names,  # where a call on a kernel object comes in
          f"the backtrace does not lead to the call: {names}")


def busy_machine(extra, on_line):
    """A kernel suite that runs for long, and what to do once it runs."""
    image = vm.Image(BUILD)
    image.modules = [os.path.join(BUILD, "tests", "guest", "test-hostile")]
    return vm.Machine(image=image, command="check=1", extra=extra, on_line=on_line)


def test_panic_nmi():
    """an NMI is told as one, with where the machine was, whatever it was doing"""
    with tempfile.TemporaryDirectory(prefix="quire-nmi-") as folder:
        path = os.path.join(folder, "monitor")

        def interrupt(line):
            if line.startswith("TAP version"):
                with socket.socket(socket.AF_UNIX) as monitor, contextlib.suppress(OSError):
                    monitor.connect(path)
                    monitor.recv(4096)
                    monitor.sendall(b"nmi\n")
                    while monitor.recv(4096):  # until the machine ends
                        pass
        result = vm.run(busy_machine(["-monitor", f"unix:{path},server=on,wait=off"], interrupt))
    check(result.code == vm.PANIC, result.explain())
    check(re.search(r"kernel panic: NMI, eip [0-9a-f]{8} esp [0-9a-f]{8}", result.text),
          result.text[-400:])


def test_panic_stack_overflow():
    """when the kernel's stack runs over, a double fault says where, on a stack of its own"""
    with tempfile.TemporaryDirectory(prefix="quire-df-") as folder:
        path = os.path.join(folder, "gdb")
        words = ["set remotetimeout 60", f"target remote {path}", "hbreak schedule", "continue",
                 "set $esp = (unsigned)&kernel_stack_guard + 4096", "delete", "detach"]

        def overflow(line):
            if line.startswith("TAP version"):
                gdb = ["gdb", "-nx", "-batch", os.path.join(BUILD, "kernel", "kernel.elf")]
                for word in words:
                    gdb += ["-ex", word]
                subprocess.run(gdb, capture_output=True, timeout=LIMIT, check=False)
        result = vm.run(busy_machine(["-gdb", f"unix:{path},server=on,wait=off"], overflow))
    check(result.code == vm.PANIC, result.explain())
    said = re.search(r"kernel panic: double fault, eip ([0-9a-f]{8})", result.text)
    check(said, result.text[-400:])
    check("schedule" in places_at(said[1]), f"not in schedule(): {result.text[-400:]}")
