# SPDX-License-Identifier: MIT
"""Ways to boot: the ISO and its menu, -kernel, ./quire run with and without a program."""
import os
import re
import shutil
import subprocess
import tempfile

import iso
import vm
from common import BUILD, HERE, LIMIT, check, quire, takes

POLICIES = ("fifo", "clock", "sieve")
UP, DOWN, ENTER = "\x1b[A", "\x1b[B", "\r"


def test_iso_menu():
    """the menu has an entry for each policy; entries differ only in the kernel's command line"""
    text = iso.configuration(vm.Image(BUILD), None)
    entries = re.findall(r'menuentry "([^"]*)" \{\n    quire (.*)\n\}', text)
    check(len(entries) == text.count("menuentry"), "an entry does more than boot")
    for policy in POLICIES:
        lines = [line for _, line in entries if f"policy={policy}" in line.split()]
        check(lines and lines[0] == f"policy={policy}", f"no plain entry for {policy}")
    check(text.count("multiboot2") == 1, "the kernel is named more than once")


@takes(8)
def test_iso_entry_chosen():
    """an entry chosen with the keys, over the serial line, boots with its policy"""
    with tempfile.TemporaryDirectory(prefix="quire-iso-") as folder:
        path = iso.make(vm.Image(BUILD), os.path.join(folder, "quire.iso"))
        result = vm.run(vm.Machine(iso=path, disk=16, script=[
            ("automatically in", DOWN + DOWN + ENTER), ("quire> ", "policy\r"),
            ("quire> ", "off 0\r")]))
    check(result.ok, result.explain())
    said = result.text[result.text.rindex("automatically in"):]
    check(re.search(r"\bsieve\b", said[said.index("quire> "):]), "the shell tells of another policy")


@takes(5)
def test_iso_default_command():
    """an ISO made with a command line boots it without a person"""
    with tempfile.TemporaryDirectory(prefix="quire-iso-") as folder:
        path = iso.make(vm.Image(BUILD), os.path.join(folder, "quire.iso"),
                        "policy=clock store=ram run=hello")
        result = vm.run(vm.Machine(iso=path))
    check(result.ok and "hello" in result.ended, result.explain())
    check(result.stats["hello"]["policy"] == "clock", str(result.stats))


@takes(3)
def test_run_status():
    """run --run ends with the program's status, by -kernel and from the ISO"""
    for status in (0, 1, 7, 255):
        done = quire("run", "--store", "ram", "--run", f"exitcode,{status}")
        check(done.returncode == status, f"{done.returncode}, not {status}: {done.stderr}")
    done = quire("run", "--store", "ram", "--iso", "--run", "exitcode,5")
    check(done.returncode == 5, f"from the ISO: {done.returncode}: {done.stderr}")


@takes(3)
def test_run_options():
    """run's options reach the system: policy, frame limit, trace"""
    with tempfile.TemporaryDirectory(prefix="quire-run-") as folder:
        trace = os.path.join(folder, "t.pcapng")
        done = quire("run", "--policy", "sieve", "--frames", "123", "--trace", trace, "--run",
                     "hello")
        check(done.returncode == 0, done.stdout[-300:] + done.stderr)
        line = next(line for line in done.stdout.splitlines() if "quire: stats hello" in line)
        check("policy=sieve" in line and "limit=123" in line, line)
        with open(trace, "rb") as file:
            check(file.read(4) == bytes([0x0A, 0x0D, 0x0D, 0x0A]), "the trace is no pcapng file")


@takes(3)
def test_run_shell_without_terminal():
    """run without a terminal types its input into the shell, and ends at the end of it"""
    done = subprocess.run([os.path.join(HERE, "quire"), "run", "--store", "ram"],
                          input="echo one two\nexitcode 9\n", capture_output=True, text=True,
                          timeout=LIMIT)
    check("one two" in done.stdout, done.stdout[-300:])
    check(done.returncode == 9, f"exit status {done.returncode}, not 9: {done.stdout[-300:]}")


def late_qemu(folder):
    """The environment of a loaded machine, on which QEMU starts later than gdb."""
    path = os.path.join(folder, vm.QEMU)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nsleep 1\nexec {shutil.which(vm.QEMU)} "$@"\n')
    os.chmod(path, 0o755)
    return os.environ | {"PATH": folder + os.pathsep + os.environ["PATH"]}


@takes(4)
def test_debug_commands():
    """./quire debug stops the machine at its first instruction; gdb's commands read the kernel"""
    words = "hbreak schedule\ncontinue\nquire-tasks\nquire-frames\nquire-log\nquit\n"
    with tempfile.TemporaryDirectory(prefix="quire-debug-") as folder:
        done = subprocess.run([os.path.join(HERE, "quire"), "debug", "--store", "ram"], input=words,
                              env=late_qemu(folder), capture_output=True, text=True, timeout=LIMIT)
    check(re.search(r"init \(1\) +rank 20", done.stdout), done.stdout[-400:] + done.stderr)
    kinds = dict(re.findall(r"^(free|kernel) +(\d+)$", done.stdout, re.MULTILINE))
    said = re.search(r"total \d+, free (\d+)", done.stdout)
    check(said and kinds.get("free") == said.group(1), f"{kinds}: {done.stdout[-400:]}")
    check("quire: kernel:" in done.stdout, "no log")
