# SPDX-License-Identifier: MIT
"""The build in which undefined behaviour traps: it finds what it is there for, and says where."""
import os
import re

import vm
from common import BUILD, check

DEFECTS = {"shift": "a shift by 32", "index": "an index past the end", "overflow": "a signed overflow"}


def machine(kernel):
    image = vm.Image(BUILD)
    image.kernel = os.path.join(BUILD, "tests", "ubsan", kernel + ".elf")
    image.modules = [os.path.join(BUILD, "tests", "guest", "test-call")]
    return vm.Machine(image=image, command="check=1", name=kernel)


def test_ubsan_finds():
    """undefined shift, index and overflow, planted into the kernel, panic with function and line"""
    for run in vm.run_all([machine(f"plant-{defect}") for defect in DEFECTS], jobs=2):
        what = DEFECTS[run.machine.name[len("plant-"):]]
        check(run.code == vm.PANIC, f"{what}: {run.explain()}")
        check(run.panic and re.search(r"exception 6, .* in __wrap_frame_check plant\.c:\d+", run.panic),
              f"{what}: {run.panic}")


def test_ubsan_kernel_traps():
    """the kernel that the suites run on has traps in its own code, and the usual one has none"""
    for kernel, trapping in (("tests/ubsan/kernel.elf", True), ("kernel/kernel.elf", False)):
        with open(os.path.join(BUILD, kernel), "rb") as file:
            traps = file.read().count(b"\x0f\x0b")
        check((traps > 100) == trapping, f"{kernel} holds {traps} traps")
