# SPDX-License-Identifier: MIT
"""A server that dies takes the system with it in good order: one line that names the server and
where it died, a status that is not 0, and never a hang. Servers die here at their first instruction
and in the midst of their work, with programs that wait for them."""
import os
import re
import struct
import tempfile

import vm
from common import BUILD, check, command, takes

LOAD, WRITABLE = 1, 2
INVALID_INSTRUCTION = b"\x0f\x0b"
JUMP = 5  # bytes of a jump


def module(name):
    return next(path for path in vm.Image(BUILD).modules if os.path.basename(path) == name)


def segments(data):
    """Place of the header, file offset, address, length in file and memory, flags of each one."""
    headers, = struct.unpack_from("<I", data, 28)
    size, count = struct.unpack_from("<HH", data, 42)
    for place in range(headers, headers + size * count, size):
        kind, offset, address, _, length, memory, flags = struct.unpack_from("<7I", data, place)
        if kind == LOAD:
            yield place, offset, address, length, memory, flags


def offset_of(data, address):
    for _, offset, first, length, _, _ in segments(data):
        if first <= address < first + length:
            return offset + address - first
    raise AssertionError(f"{address:#x} lies in no segment")


def dying(name):
    """The server's file with an invalid instruction where it begins, and that address."""
    with open(module(name), "rb") as file:
        data = bytearray(file.read())
    entry, = struct.unpack_from("<I", data, 24)
    at = offset_of(data, entry)
    data[at:at + 2] = INVALID_INSTRUCTION
    return bytes(data), entry


def word_added(data):
    """The address of a word, 0 at first, behind the writable data."""
    for place, _, address, _, memory, flags in segments(data):
        if flags & WRITABLE:
            word = (address + memory + 3) & ~3
            struct.pack_into("<I", data, place + 20, word + 4 - address)
            return word
    raise AssertionError("no segment is writable")


def head_of(server, function):
    """Address of a function, and how many bytes its first instructions have that a jump replaces."""
    lines = command(["i686-linux-gnu-objdump", "-d", f"--disassemble={function}", server]).stdout
    code = re.findall(r"^ +([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *\t(\w+)", lines, re.MULTILINE)
    check(code, f"{server} has no function {function}")
    length = 0
    for _, text, verb in code:
        if length >= JUMP:
            break
        check(verb in ("push", "mov", "sub", "xor", "test"), f"{function} begins with {verb}")
        length += len(text.split())
    return int(code[0][0], 16), length


def jump(at, to):
    return b"\xe9" + struct.pack("<i", to - at - JUMP)


def dying_later(name, function, unused, calls):
    """The server's file, in which the call of that number of a function dies, and where. What counts
    the calls replaces a function that the run does not need."""
    server = os.path.join(BUILD, "servers", name, name)
    with open(module(name), "rb") as file:
        data = bytearray(file.read())
    (at, length), (place, _) = head_of(server, function), head_of(server, unused)
    head = data[offset_of(data, at):][:length]
    count = struct.pack("<I", word_added(data))
    code = b"\xff\x05" + count                                 # inc dword [count]
    code += b"\x81\x3d" + count + struct.pack("<I", calls)     # cmp dword [count], calls
    code += b"\x72\x02" + INVALID_INSTRUCTION                  # jb over it
    code += head + jump(place + len(code) + len(head), at + length)
    for where, bytes_there in ((at, jump(at, place)), (place, code)):
        offset = offset_of(data, where)
        data[offset:offset + len(bytes_there)] = bytes_there
    return bytes(data), place + 18


def told(name, data, place, **options):
    """Boot with the damaged server; its death must be told, and end the system."""
    with tempfile.TemporaryDirectory(prefix="quire-death-") as folder:
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(data)
        options = {"command": "store=ram run=hello", **options}
        result = vm.run(vm.Machine(image=vm.Image(BUILD).replaced({name: path}), **options))
    check(result.code == vm.FAILURE and result.status == 2, result.explain())
    lines = [line for line in result.lines if f"the server {name} died" in line]
    check(len(lines) == 1, f"{len(lines)} lines name {name}: {result.lines}")
    check(f"{place:#010x}" in lines[0], f"{place:#010x} is not in: {lines[0]}")
    return result


def dies(name, **options):
    data, entry = dying(name)
    told(name, data, entry, **options)


# Three programs that page against each other, typed into a shell.
BUSY_COMMAND = "store=ram frames=64 policy=sieve"
BUSY_SCRIPT = [("quire> ", "memtest 300 50 &\n"), ("quire> ", "memtest 300 50 &\n"),
               ("quire> ", "memtest 300 50\n")]


def dies_under_load(name, function, unused, calls):
    data, place = dying_later(name, function, unused, calls)
    result = told(name, data, place, command=BUSY_COMMAND, script=BUSY_SCRIPT)
    check("memtest" in result.text, f"the load had not begun: {result.lines}")


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


@takes(2)
def test_pager_dies_under_load():
    """the pager dies at its 3000th fault, while three programs page: told, and no hang"""
    dies_under_load("pager", "demand_attempt", "audit_count", 3000)


@takes(2)
def test_pager_dies_in_transfer():
    """the pager dies as it hands the 500th page to the store: told, and no hang"""
    dies_under_load("pager", "transfer_start", "audit_count", 500)


@takes(2)
def test_block_dies_under_load():
    """the block server dies at its 1000th request, while three programs wait for pages: told"""
    dies_under_load("block", "cluster_add", "disk_open", 1000)


@takes(2)
def test_block_dies_before_answer():
    """the block server dies as it answers its 1000th request: told, and no hang"""
    dies_under_load("block", "ring_complete", "disk_open", 1000)
