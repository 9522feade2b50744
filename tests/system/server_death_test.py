# SPDX-License-Identifier: MIT
"""A server that dies takes the system with it in good order: one line that names the server and
where it died, a status that is not 0, and never a hang."""
import os
import struct
import tempfile

import vm
from common import BUILD, check

LOAD = 1
INVALID_INSTRUCTION = b"\x0f\x0b"


def module(name):
    return next(path for path in vm.Image(BUILD).modules if os.path.basename(path) == name)


def dying(name):
    """The server's file with an invalid instruction where it begins, and that address."""
    with open(module(name), "rb") as file:
        data = bytearray(file.read())
    entry, headers = struct.unpack_from("<II", data, 24)
    size, count = struct.unpack_from("<HH", data, 42)
    for place in range(headers, headers + size * count, size):
        kind, offset, address, _, length = struct.unpack_from("<IIIII", data, place)
        if kind == LOAD and address <= entry < address + length:
            at = offset + entry - address
            data[at:at + 2] = INVALID_INSTRUCTION
            return bytes(data), entry
    raise AssertionError(f"{name}: its entry lies in no segment")


def dies(name, **options):
    data, entry = dying(name)
    with tempfile.TemporaryDirectory(prefix="quire-death-") as folder:
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(data)
        options = {"command": "store=ram run=hello", **options}
        result = vm.run(vm.Machine(image=vm.Image(BUILD).replaced({name: path}), limit=60,
                                   **options))
    check(result.code == vm.FAILURE and result.status == 2, result.explain())
    lines = [line for line in result.lines if f"the server {name} died" in line]
    check(len(lines) == 1, f"{len(lines)} lines name {name}: {result.lines}")
    check(f"{entry:#010x}" in lines[0], f"{entry:#010x} is not in: {lines[0]}")


def test_pager_dies():
    """the pager's death is told, though the first program has not begun"""
    dies("pager")


def test_block_dies():
    """the block server's death is told while init waits for the store"""
    dies("block")


def test_console_dies():
    """the console's death is told on the serial line all the same"""
    dies("console")


def test_tracer_dies():
    """the tracer's death is told while init waits for its answer"""
    with tempfile.TemporaryDirectory(prefix="quire-death-") as folder:
        dies("tracer", command="store=ram run=hello trace=on",
             trace=os.path.join(folder, "trace.pcapng"))
