#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The front door's commands that need QEMU: run, debug, iso. Called by ./quire after the build.

Checks every option before anything starts; a wrong one gives one line and exit status 2.
"""
import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile

import door
import iso
import vm

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(HERE, "build")
MEMORY_MIN = 10           # MiB; enough for the program hello with a swap disk, 9 are not
MEMORY_MIN_RAM = 17       # with evicted pages kept in memory
MEMORY_MAX = 65536
FRAMES_MIN = 8            # as servers/init/command_line.h says
FRAMES_MAX = 1 << 24
DISK = 64                 # MiB of swap disk
RUN_LIMIT = 300           # seconds for a run that nobody watches
HUNG = 124                # exit status of a run that reached its limit, as timeout(1) has it
STATUSES = f"""exit status of a run: the program's (with --run) or the shell's, where 256 and its
multiples count as 1; 0 if ended by Ctrl-A x; {HUNG} if the limit was reached; 1 if the kernel
panicked or QEMU failed; 2 if the system refused to start or an option was wrong"""


def policies():
    """Names of the policies, from the list that the pager is built of."""
    path = os.path.join(HERE, "servers", "pager", "policy", "policies.def")
    with open(path, encoding="utf-8") as file:
        return re.findall(r"^POLICY\((\w+),", file.read(), re.MULTILINE)


def for_one(text, names):
    """Splits PROGRAM/SETTING, and says what is wrong with the program."""
    one, slash, setting = text.rpartition("/")
    if slash and one not in names:
        raise argparse.ArgumentTypeError(
            f"there is no program '{one}': take one of {', '.join(names)}")
    return setting


def policy(names):
    """[PROGRAM/]NAME, and parameters as in arc:p=8, which the pager knows best."""
    def parse(text):
        policy_check(for_one(text, names))
        return text
    return parse


def frames(names):
    def parse(text):
        door.number(FRAMES_MIN, FRAMES_MAX, f"a number of frames, at least {FRAMES_MIN}")(
            for_one(text, names))
        return text
    return parse


def policy_check(text):
    name, *parameters = text.split(":")
    if name not in policies():
        raise argparse.ArgumentTypeError(
            f"there is no policy '{text}': take one of {', '.join(policies())}")
    for parameter in parameters:
        if not re.fullmatch(r"[a-z]+=[0-9]+", parameter):
            raise argparse.ArgumentTypeError(
                f"'{parameter}' is no parameter: write {name}:PARAMETER=NUMBER, such as arc:p=8")


def action(names):
    def parse(text):
        match = re.fullmatch(r"([0-9]+):policy=(.*)", text)
        if not match:
            raise argparse.ArgumentTypeError(
                f"'{text}' is no action: write N:policy=P, to replace the policy at the N-th fault")
        door.number(1, 1 << 31, "the number of a fault")(match.group(1))
        policy_check(for_one(match.group(2), names))
        return text
    return parse


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
    path = door.output_file(text)
    if "," in path:
        raise argparse.ArgumentTypeError("QEMU takes no comma in the name of a trace file")
    return path


def boot_options(name, image):
    parser = door.Parser(prog=f"./quire {name}", epilog=STATUSES)
    add = parser.add_argument
    number = door.number
    names = image_programs(image)
    add("--policy", metavar="[PROGRAM/]P", type=policy(names), action="append", default=[],
        help="policy of the pager, or of one program (up to 8 times): " + ", ".join(policies()))
    add("--frames", metavar="[PROGRAM/]N", type=frames(names), action="append", default=[],
        help="frames that each program, or this one, may hold (default: no limit; up to 8 times)")
    add("--mem", metavar="MIB", type=number(MEMORY_MIN, MEMORY_MAX, "MiB of memory"), default=64,
        help=f"memory of the machine in MiB, at least {MEMORY_MIN}, or {MEMORY_MIN_RAM} with "
             "--store ram or --icount (default: 64)")
    add("--run", metavar="PROGRAM[,ARG...]", type=program(image),
        help="run this instead of the shell, and end with its status")
    add("--trace", metavar="FILE", type=trace_file, help="record all messages and faults (pcapng)")
    add("--at", metavar="N:policy=[PROGRAM/]P", type=action(names), action="append", default=[],
        help="replace the policy when N faults have been served (up to 8 times)")
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
    words = [f"policy={text}" for text in options.policy]
    words += [f"frames={text}" for text in options.frames]
    for name in ("run", "seed"):
        value = getattr(options, name)
        if value is not None:
            words.append(f"{name}={value}")
    if options.trace:
        words.append("trace=on")
    words += [f"at={text}" for text in options.at]
    return " ".join(words + [f"store={store}"])


def store_of(options):
    return options.store or ("ram" if options.icount else "disk")


def options_of(name, image, arguments):
    parser = boot_options(name, image)
    options = parser.parse_args(arguments)
    if store_of(options) == "ram" and options.mem < MEMORY_MIN_RAM:
        parser.error(f"argument --mem: {options.mem} is too little to keep evicted pages in memory: "
                     f"give {MEMORY_MIN_RAM} or more, or --store disk")
    return options


def machine_of(options, image, folder):
    store = store_of(options)
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
    options = options_of("run", image, arguments)
    if options.icount and (options.iso or options.store == "disk"):
        print("quire: note: a CD boot or a real disk makes runs differ even with --icount",
              file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="quire-") as folder:
        machine = machine_of(options, image, folder)
        if not options.run and os.isatty(0):
            print("quire: 'off' ends the system in order, Ctrl-A x the machine at once; Ctrl-C "
                  "cancels only a line; 'help' lists the shell's commands", file=sys.stderr)
        return report(vm.interactive(machine))


def report(result):
    """The exit status for a machine that has ended; says so if the guest could not. What the guest
    printed is untrusted: it counts only where QEMU's own exit status agrees (vm.Result.status)."""
    if result.hung:
        print(f"quire: error: not finished after {result.machine.limit} s and ended; "
              "--limit gives it longer", file=sys.stderr)
        return HUNG
    if result.status is not None:
        return result.status & 0xff or int(result.status != 0)
    if result.code == vm.PANIC:
        print("quire: error: the kernel panicked; the end of its log:", file=sys.stderr)
        print("\n".join(result.log.splitlines()[-20:]), file=sys.stderr)
    elif result.code != 0:
        print(f"quire: error: {result.explain()}", file=sys.stderr)
    else:
        return 0  # ended by hand
    return 1


def make_iso(arguments):
    parser = door.Parser(prog="./quire iso")
    parser.add_argument("file", nargs="?", type=door.output_file,
                        default=os.path.join(BUILD, "quire.iso"))
    output = parser.parse_args(arguments).file
    iso.make(vm.Image(BUILD), output)
    print(f"{output}: {os.path.getsize(output) / 1e6:.1f} MB; write it to a CD or a USB stick, or "
          f"boot it with {vm.QEMU} -cpu {vm.CPU} -m 64 -cdrom {output}")
    return 0


def debug(arguments):
    image = vm.Image(BUILD)
    options = options_of("debug", image, arguments)
    with tempfile.TemporaryDirectory(prefix="quire-") as folder:
        machine = machine_of(options, image, folder)
        path, serial = os.path.join(folder, "gdb"), os.path.join(BUILD, "debug-serial.txt")
        # Bound before gdb starts: QEMU may be later than gdb, which would go on without a machine.
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            number = listener.fileno()
            machine.extra = ["-S", "-gdb", "chardev:gdb", "-chardev",
                             f"socket,id=gdb,fd={number},server=on,wait=off"]
            print(f"quire: the serial line goes to {serial} (tail -f shows it)", file=sys.stderr)
            process = subprocess.Popen(
                vm.arguments(machine, folder, ["-serial", f"file:{serial}"]), pass_fds=[number],
                stdin=subprocess.DEVNULL, start_new_session=True)
        # Ctrl-C is for gdb; with a handler, unlike an ignored signal, gdb starts with its default.
        signal.signal(signal.SIGINT, lambda *_: None)
        try:
            return subprocess.call(
                ["gdb", "-q", image.kernel, "-ex", "set remotetimeout 60",
                 "-ex", f"target remote {path}",
                 "-x", os.path.join(HERE, "tools", "quire.gdb.py")])
        finally:
            process.kill()
            process.wait()


def main():
    command, arguments = sys.argv[1], sys.argv[2:]
    return {"run": run, "debug": debug, "iso": make_iso}[command](arguments)


if __name__ == "__main__":
    sys.exit(door.guard(main))
