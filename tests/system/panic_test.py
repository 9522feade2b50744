# SPDX-License-Identifier: MIT
"""What the kernel does when it is itself at fault: it says so, shows where, and stops."""
import os
import re
import subprocess

import vm
from common import BUILD, check


def functions_at(address):
    """Names of the kernel's functions at an address: what was inlined, and into what."""
    kernel = os.path.join(BUILD, "kernel", "kernel.elf")
    lines = subprocess.run(["i686-linux-gnu-addr2line", "-i", "-f", "-e", kernel, address],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    return lines[::2]


def test_panic_shows_where():
    """a law broken on purpose is a panic with the law, registers and a backtrace that leads there"""
    image = vm.Image(BUILD)
    image.modules = [os.path.join(BUILD, "tests", "guest", "test-call")]
    result = vm.run(vm.Machine(image=image, command="check=1 plant"))
    check(result.code == vm.PANIC, result.explain())
    check("kernel panic: " in result.text and "the count of free frames is right" in result.text,
          result.text[-600:])
    check(re.search(r"current: task 1 thread \d+ eip [0-9a-f]{8} esp", result.text),
          "no registers: " + result.text[-600:])
    trail = re.search(r"backtrace:((?: [0-9a-f]{8})+)", result.text)
    check(trail, "no backtrace: " + result.text[-600:])
    names = [name for address in trail[1].split() for name in functions_at(address)]
    check("kernel_call" in names, f"the backtrace does not lead to the call: {names}")
