# SPDX-License-Identifier: MIT
"""Bad input to the booted system: each gives one line that says what to do and a status that is
not 0, and neither hangs nor resets the machine."""
import functools
import os
import struct
import tempfile

import vm
from common import BUILD, check, takes

LOAD = 1
KERNEL_SPACE = 0xC0000000


def boot(changes=None, command="store=ram run=index", **options):
    """Boot with modules replaced or left out; returns the result."""
    image = vm.Image(BUILD).replaced(changes or {})
    return vm.run(vm.Machine(image=image, command=command, **options))


def refused(result, *words):
    """The guest ended by itself, not with success, and said why in one line with these words."""
    check(not result.hung, result.explain())
    check(result.code in (vm.FAILURE, vm.PANIC), result.explain())
    check(result.status != 0, f"status {result.status}")
    errors = [line for line in result.lines if "error:" in line or "panic" in line]
    check(len(errors) < 2, f"{len(errors)} error lines: {errors}")
    lines = [line for line in result.lines if all(word in line for word in words)]
    check(len(lines) == 1, f"not one line has {', '.join(words)}; {errors or result.explain()}")


def module(name):
    for path in vm.Image(BUILD).modules:
        if os.path.basename(path) == name:
            with open(path, "rb") as file:
                return bytearray(file.read())
    raise AssertionError(f"the image has no module {name}")


def segments(data):
    """Places of the PT_LOAD program headers in the file."""
    offset, = struct.unpack_from("<I", data, 28)
    size, count = struct.unpack_from("<HH", data, 42)
    return [place for place in range(offset, offset + size * count, size)
            if struct.unpack_from("<I", data, place)[0] == LOAD]


def field(data, place, index, value):
    """Set the index-th word of a program header: 1 offset, 2 address, 4 and 5 sizes, 6 flags."""
    struct.pack_into("<I", data, place + 4 * index, value)


def truncated(data):
    return data[:len(data) // 3]


def not_elf(data):
    data[0:4] = b"MZ\0\0"
    return data


def overlapping(data):
    first, second = segments(data)[:2]
    field(data, second, 2, struct.unpack_from("<I", data, first + 8)[0])
    return data


def wrapping(data):
    field(data, segments(data)[1], 5, 0xFFFFFF00)
    return data


def in_kernel_space(data):
    address, = struct.unpack_from("<I", data, segments(data)[-1] + 8)
    field(data, segments(data)[-1], 2, KERNEL_SPACE + address % 4096)
    return data


def writable_text(data):
    field(data, segments(data)[1], 6, 7)
    return data


def entry_outside(data):
    struct.pack_into("<I", data, 24, 0x10)
    return data


def other_abi(data):
    place = data.index(b"Quire\0\0\0")
    data[place + 8] ^= 0xFF
    return data


DAMAGES = (truncated, not_elf, overlapping, wrapping, in_kernel_space, writable_text,
           entry_outside, other_abi)


def with_damaged(name, damage):
    """Boot with one damaged module."""
    with tempfile.TemporaryDirectory(prefix="quire-bad-") as folder:
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(damage(module(name)))
        return boot({name: path})


def damage_tests(name):
    """One test for each damage to this module."""
    def test(damage):
        refused(with_damaged(name, damage), name)
    for damage in DAMAGES:
        function = functools.partial(test, damage)
        function.__name__ = f"test_{name}_{damage.__name__}"
        function.__doc__ = f"module {name}, {damage.__name__.replace('_', ' ')}: refused by name"
        globals()[function.__name__] = function


damage_tests("init")
damage_tests("pager")
damage_tests("index")


def test_unknown_policy():
    """an unknown policy on the boot line is named, with those that there are"""
    refused(boot(command="policy=best"), "best", "fifo", "sieve")


def test_unknown_program():
    """an unknown program on the boot line is named"""
    refused(boot(command="store=ram run=nosuch"), "nosuch")


def test_unknown_option():
    """an unknown option on the boot line is named"""
    refused(boot(command="colour=red"), "colour")


def test_no_number():
    """an option that is no number is named"""
    refused(boot(command="frames=many"), "frames", "many")


def test_bad_action():
    """an action that cannot be is named"""
    refused(boot(command="at=5:policy=best"), "at=5:policy=best")


def test_missing_modules():
    """a boot module that is not there is named"""
    for name in ("manifest", "pager", "block", "console", "words"):
        refused(boot({name: None}), name)


def test_bad_manifest():
    """a manifest that makes no sense is refused with the number of its line"""
    with tempfile.TemporaryDirectory(prefix="quire-bad-") as folder:
        path = os.path.join(folder, "manifest")
        with open(path, "w", encoding="utf-8") as file:
            file.write("server pager rank=many\n")
        refused(boot({"manifest": path}), "manifest", "1")


def test_no_modules():
    """a kernel without any module says that it needs them"""
    image = vm.Image(BUILD)
    image.modules = []
    machine = vm.Machine(image=image)
    result = vm.run(machine)
    refused(result, "init")


def test_no_swap_disk():
    """store=disk without a disk says how to get one"""
    refused(boot(command="store=disk run=index"), "disk")


@takes(10)
def test_swap_full():
    """a store that is too small for the workload ends the program, says so, and hangs nothing"""
    refused(boot(command="store=ram:16 frames=64 run=index"), "store", "full")


def test_too_few_frames():
    """a frame limit that no program can run in is refused"""
    refused(boot(command="store=ram frames=1 run=index"), "frames")


@takes(5)
def test_too_little_memory():
    """each size of memory, from far too little on, ends with a word about it or works"""
    for mebibytes in (2, 3, 4, 6, 8, 12):
        result = boot(command="store=ram:64 run=hello", memory=mebibytes)
        if not result.ok:
            refused(result, "memory")


def test_old_cpu():
    """a CPU that lacks what the kernel needs is told so, and not reset in silence"""
    refused(boot(extra=["-cpu", "486"]), "this CPU lacks PAE")
    refused(boot(extra=["-cpu", "pentium"]), "this CPU lacks PAE")
    refused(boot(extra=["-cpu", "Nehalem,-lm,-sep"]), "this CPU lacks sysenter")
