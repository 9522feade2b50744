#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The front door's commands that need QEMU: run, debug, iso. Called by ./quire after the build.

Checks every option before anything starts; a wrong one gives one line and exit status 2.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

import iso
import vm

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(HERE, "build")
MEMORY_MIN = 2            # MiB; with less the kernel itself has no room
MEMORY_MAX = 65536
FRAMES_MAX = 1 << 24
DISK = 64                 # MiB of swap disk
RUN_LIMIT = 300           # seconds for a run that nobody watches


class Parser(argparse.ArgumentParser):
    """One line for each mistake, instead of the usage text."""

    def error(self, message):
        print(f"quire: error: {message} (./quire {self.prog.split()[-1]} --help lists the options)",
              file=sys.stderr)
        sys.exit(2)


def number(low, high, unit):
    def parse(text):
        if not re.fullmatch(r"[0-9]+", text):
            raise argparse.ArgumentTypeError(f"'{text}' is no number: give {unit}")
        if not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(
                f"{text} is out of range: give {unit}, {low} to {high}")
        return int(text)
    return parse


def policies():
    """Names of the policies, from the list that the pager is built of."""
    path = os.path.join(HERE, "servers", "pager", "policy", "policies.def")
    with open(path, encoding="utf-8") as file:
        return re.findall(r"^POLICY\((\w+),", file.read(), re.MULTILINE)


def policy(text):
    if text not in policies():
        raise argparse.ArgumentTypeError(
            f"there is no policy '{text}': take one of {', '.join(policies())}")
    return text


def action(text):
    match = re.fullmatch(r"([0-9]+):policy=(.*)", text)
    if not match:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no action: write N:policy=P, to replace the policy at the N-th fault")
    number(1, 1 << 31, "the number of a fault")(match.group(1))
    policy(match.group(2))
    return text


def program(image):
    def parse(text):
        if not re.fullmatch(r"[A-Za-z0-9._/+:=,-]+", text):
            raise argparse.ArgumentTypeError(
                f"'{text}' holds characters that a kernel command line cannot carry")
        names = image_programs(image)
        if text.split(",")[0] not in names:
            raise argparse.ArgumentTypeError(
                f"there is no program '{text.split(',')[0]}': take one of {', '.join(names)}")
        return text
    return parse


def image_programs(image):
    """Executable modules after the last server."""
    names = [os.path.basename(path) for path in image.modules]
    after = names.index("tracer") + 1
    return [name for name, path in zip(names[after:], image.modules[after:]) if is_program(path)]


def is_program(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def trace_file(text):
    folder = os.path.dirname(os.path.abspath(text))
    if os.path.isdir(text) or not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise argparse.ArgumentTypeError(f"cannot write '{text}': give a file in a folder of yours")
    if "," in text:
        raise argparse.ArgumentTypeError("QEMU takes no comma in the name of a trace file")
    return os.path.abspath(text)


def boot_options(name, image):
    parser = Parser(prog=f"./quire {name}", allow_abbrev=False)
    add = parser.add_argument
    add("--policy", metavar="P", type=policy, help="policy of the pager: " + ", ".join(policies()))
    add("--frames", metavar="N", type=number(1, FRAMES_MAX, "a number of 4 KiB frames"),
        help="frames that each program may hold (default: no limit)")
    add("--mem", metavar="MIB", type=number(MEMORY_MIN, MEMORY_MAX, "MiB of memory"), default=64,
        help="memory of the machine in MiB (default: 64)")
    add("--run", metavar="PROGRAM[,ARG...]", type=program(image),
        help="run this instead of the shell, and end with its status")
    add("--trace", metavar="FILE", type=trace_file, help="record all messages and faults (pcapng)")
    add("--at", metavar="N:policy=P", type=action, action="append", default=[],
        help="replace the policy when N faults have been served (may be repeated)")
    add("--seed", metavar="N", type=number(0, 0xffffffff, "a number"),
        help="seed for programs that draw random numbers")
    add("--store", choices=["ram", "disk"],
        help="where evicted pages go (default: disk; with --icount: ram)")
    add("--iso", action="store_true", help="boot from a GRUB ISO, as a PC does")
    add("--icount", action="store_true",
        help="count instructions: the same run gives the same result, bit for bit")
    add("--limit", metavar="S", type=number(1, 86400, "seconds"),
        help=f"end the machine after S seconds (default: {RUN_LIMIT} with --run or without a "
             "terminal, else none)")
    return parser


def command_line(options, store):
    words = []
    for name in ("policy", "frames", "run", "seed"):
        value = getattr(options, name)
        if value is not None:
            words.append(f"{name}={value}")
    if options.trace:
        words.append("trace=on")
    words += [f"at={text}" for text in options.at]
    return " ".join(words + [f"store={store}"])


def machine_of(options, image, folder):
    store = options.store or ("ram" if options.icount else "disk")
    command = command_line(options, store)
    machine = vm.Machine(image=image, command=command, memory=options.mem, trace=options.trace,
                         disk=DISK if store == "disk" else 0, icount=options.icount)
    if options.iso:
        spin = " idle=spin" if options.icount else ""  # as vm does for -kernel
        machine.iso = iso.make(image, os.path.join(folder, "quire.iso"), command + spin)
    watched = os.isatty(0) and not options.run
    machine.limit = options.limit or (None if watched else RUN_LIMIT)
    return machine


def run(arguments):
    image = vm.Image(BUILD)
    options = boot_options("run", image).parse_args(arguments)
    if options.icount and (options.iso or options.store == "disk"):
        print("quire: note: a CD boot or a real disk makes runs differ even with --icount",
              file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="quire-") as folder:
        machine = machine_of(options, image, folder)
        if not options.run and os.isatty(0):
            print("quire: Ctrl-A x ends the machine at once; 'help' lists the shell's commands",
                  file=sys.stderr)
        return report(vm.interactive(machine))


def report(result):
    """The exit status for a machine that has ended; says so if the guest could not."""
    if result.status is not None:
        return result.status & 0xff
    if result.hung:
        print(f"quire: error: not finished after {result.machine.limit} s and ended; "
              "--limit gives it longer", file=sys.stderr)
    elif result.code == vm.PANIC:
        print("quire: error: the kernel panicked; the end of its log:", file=sys.stderr)
        print("\n".join(result.log.splitlines()[-20:]), file=sys.stderr)
    elif result.code != 0:
        print(f"quire: error: {result.explain()}", file=sys.stderr)
    else:
        return 0  # ended by hand
    return 1


def make_iso(arguments):
    parser = Parser(prog="./quire iso", allow_abbrev=False)
    parser.add_argument("file", nargs="?", default=os.path.join(BUILD, "quire.iso"))
    options = parser.parse_args(arguments)
    output = trace_file_or_exit(parser, options.file)
    iso.make(vm.Image(BUILD), output)
    print(f"{output}: {os.path.getsize(output) / 1e6:.1f} MB; write it to a CD or a USB stick, or "
          f"boot it with {vm.QEMU} -cpu {vm.CPU} -m 64 -cdrom {output}")
    return 0


def trace_file_or_exit(parser, text):
    try:
        return trace_file(text)
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))


def debug(arguments):
    image = vm.Image(BUILD)
    options = boot_options("debug", image).parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="quire-") as folder:
        machine = machine_of(options, image, folder)
        socket, serial = os.path.join(folder, "gdb"), os.path.join(BUILD, "debug-serial.txt")
        machine.extra = ["-S", "-gdb", f"unix:{socket},server=on,wait=off"]
        print(f"quire: the serial line goes to {serial} (tail -f shows it)", file=sys.stderr)
        process = subprocess.Popen(
            vm.arguments(machine, folder, ["-serial", f"file:{serial}"]),
            stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            return subprocess.call(
                ["gdb", "-q", image.kernel, "-ex", f"target remote {socket}",
                 "-x", os.path.join(HERE, "tools", "quire.gdb.py")])
        finally:
            process.kill()
            process.wait()


def main():
    command, arguments = sys.argv[1], sys.argv[2:]
    try:
        return {"run": run, "debug": debug, "iso": make_iso}[command](arguments)
    except (RuntimeError, OSError) as error:
        print(f"quire: error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
