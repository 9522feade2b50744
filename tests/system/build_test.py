# SPDX-License-Identifier: MIT
"""The build itself: what must be built again is, headers stand alone, all tests are built."""
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile

from common import BUILD, HERE, LIMIT, check, command, takes

SOURCES = ("abi", "bench", "kernel", "libsys", "libc", "servers", "programs", "lab", "tests", "tools")


def copy_tree(folder):
    for name in SOURCES:
        shutil.copytree(os.path.join(HERE, name), os.path.join(folder, name),
                        ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("meson.build", "cross-i686.txt"):
        shutil.copy(os.path.join(HERE, name), folder)


def code_of(kernel, tool="i686-linux-gnu-objdump"):
    return command([tool, "-d", "--no-show-raw-insn", kernel]).stdout


@takes(20)
def test_build_reassembles():
    """a field put into a C struct changes the constants, and the assembly that uses them"""
    with tempfile.TemporaryDirectory(prefix="quire-build-") as folder:
        copy_tree(folder)
        done = command(["meson", "setup", "build", "--cross-file", "cross-i686.txt"], cwd=folder)
        check(done.returncode == 0, done.stdout[-500:])
        listing = command(["ninja", "-C", "build", "-t", "targets", "all"], cwd=folder).stdout
        objects = [os.path.join(folder, "build", line.split(":")[0])
                   for line in listing.splitlines() if re.match(r"kernel/kernel.elf.p/\w+\.o:", line)]
        check(objects, "the kernel has no assembled object")
        build = lambda: command(["ninja", "-C", "build", "kernel/constants.inc",
                                 *[os.path.relpath(path, os.path.join(folder, "build"))
                                   for path in objects]], cwd=folder)
        done = build()
        check(done.returncode == 0, done.stdout[-500:])
        before = {path: code_of(path) for path in objects}
        header = os.path.join(folder, "kernel", "thread.h")
        with open(header, encoding="utf-8") as file:
            text = file.read()
        changed = re.sub(r"^struct registers \{\n", "struct registers {\n    uint32_t planted[3];\n", text,
                         flags=re.MULTILINE)
        check(changed != text, "struct registers is not where this test looks for it")
        with open(header, "w", encoding="utf-8") as file:
            file.write(changed)
        done = build()
        check(done.returncode == 0, done.stdout[-500:])
        check(any(code_of(path) != before[path] for path in objects),
              "the struct grew and no assembled instruction changed")


def flags_by_folder():
    """Compiler and flags of one source of each folder, as the build uses them."""
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    found = {}
    for entry in commands:
        source = os.path.normpath(os.path.join(BUILD, entry["file"]))
        words = shlex.split(entry["command"])
        if source.endswith(".c") and "-MD" in words:
            folder = os.path.relpath(os.path.dirname(source), HERE)
            found.setdefault(folder, words[:words.index("-MD")])
    return found


def flags_for(header, found):
    """Flags of a neighbour; a folder without sources of its own takes those of one below it."""
    folder = os.path.dirname(header)
    below = [name for name in sorted(found) if name == folder or name.startswith(folder + os.sep)]
    return found[below[0]] if below else found["libsys"]


def headers():
    for folder in SOURCES:
        for place, _, names in os.walk(os.path.join(HERE, folder)):
            for name in names:
                if name.endswith(".h"):
                    yield os.path.relpath(os.path.join(place, name), HERE)


def server_numbers():
    """Numbers of the interfaces that servers answer."""
    with open(os.path.join(HERE, "abi", "ipc.def"), encoding="utf-8") as file:
        numbers = re.findall(r"^INTERFACE\(\w+, (\d+), SERVER", file.read(), re.MULTILINE)
    check(numbers, "abi/ipc.def has no interface of a server")
    return numbers


# What the user of the servers' dispatch writes: a handler for each message of its interface.
HANDLERS = """
#define INTERFACE(...)
#define MESSAGE(interface, message, ...)                                                     \\
    static int serve_##interface##_##message(const struct request *request,                  \\
                                             const struct interface##_##message##_in *in,    \\
                                             struct interface##_##message##_out *out) {      \\
        return (void)request, (void)in, (void)out, E_MESSAGE;                                \\
    }
#define IPC_FIRST SERVE_NUMBER
#define IPC_LAST SERVE_NUMBER
#include "ipc.def"
"""


def uses_of(header):
    """What has to be defined before a header and written after it: nothing, but for the servers'
    dispatch, which is compiled once for each interface that a server answers."""
    with open(os.path.join(HERE, header), encoding="utf-8") as file:
        if "define SERVE_NUMBER" in file.read():
            return [([f"-DSERVE_NUMBER={number}"], HANDLERS) for number in server_numbers()]
    return [([], "")]


@takes(8)
def test_build_headers_alone():
    """every header compiles alone; the servers' dispatch does for each interface of a server"""
    found, wrong = flags_by_folder(), []
    for path, (definitions, text) in [(path, use) for path in sorted(headers())
                                      for use in uses_of(path)]:
        done = subprocess.run([*flags_for(path, found), "-Wno-unused-function", "-Wno-pedantic",
                               *definitions, "-fsyntax-only", "-fdiagnostics-color=never",
                               "-include", os.path.join(HERE, path), "-x", "c", "-"],
                              cwd=BUILD, input=text, capture_output=True, text=True, timeout=LIMIT)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if "error" in line]
            wrong.append(f"{path} ({errors[0] if errors else done.stderr[-200:]})")
    check(not wrong, "; ".join(wrong))


def test_build_flags_in_cross_file():
    """flags that define the machine stand in the cross file alone"""
    wrong = []
    for place, _, names in os.walk(HERE):
        if "meson.build" in names and not place.startswith(BUILD):
            with open(os.path.join(place, "meson.build"), encoding="utf-8") as file:
                if re.search(r"-march|-ffreestanding|-mgeneral|-fno-pi|-nostdlib", file.read()):
                    wrong.append(os.path.relpath(place, HERE))
    check(not wrong, f"machine flags in meson.build of {', '.join(wrong)}")


def test_build_all_tests_built():
    """every file with tests in it is named in its folder's meson.build"""
    wrong = []
    for folder in ("host", "guest", "program"):
        place = os.path.join(HERE, "tests", folder)
        with open(os.path.join(place, "meson.build"), encoding="utf-8") as file:
            listed = file.read()
        for name in sorted(os.listdir(place)):
            if name.endswith(".c") and f"'{name}'" not in listed and f"'{name[:-2]}'" not in listed:
                wrong.append(f"tests/{folder}/{name}")
    check(not wrong, f"not built: {', '.join(wrong)}")
