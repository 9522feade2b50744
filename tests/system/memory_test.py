# SPDX-License-Identifier: MIT
"""Machines with more memory than the kernel's window reaches, and than its CPU does."""
import os
import re
import subprocess
import sys

import vm
from common import BUILD, HERE, check, takes

STARTER = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import vm
result = vm.run(vm.Machine(image=vm.Image(sys.argv[2]), memory=int(sys.argv[3]),
                           command="store=ram run=hello"))
print(result.ok, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, result.explain())
"""


def host_memory(memory):
    """KiB that a machine with so many MiB takes of the host while a program runs in it."""
    done = subprocess.run([sys.executable, "-B", "-c", STARTER, os.path.join(HERE, "tools"), BUILD,
                           str(memory)], capture_output=True, text=True, check=True)
    ok, size, said = done.stdout.split(maxsplit=2)
    check(ok == "True", said)
    return int(size)


@takes(8)
def test_memory_past_4_gib():
    """with 8 GiB all frames are counted, a program runs, and the host's memory is not touched"""
    check(host_memory(8192) < host_memory(64) + 256 * 1024, "the guest touches memory it does not need")


@takes(3)
def test_memory_past_the_address_bits():
    """RAM that the CPU cannot address (MAXPHYADDR 32) is left alone"""
    image = vm.Image(BUILD)
    image.modules = [os.path.join(BUILD, "tests", "guest", "test-frames")]
    machine = vm.Machine(image=image, memory=8192)
    machine.extra = ["-cpu", vm.CPU + ",-pse36"]
    result = vm.run(machine)
    frames = int(re.search(r"kernel: (\d+) frames", result.log)[1])
    check(result.code == vm.SUCCESS and frames < 1 << 20, f"{frames} frames; {result.explain()}")
