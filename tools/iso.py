#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make a GRUB 2 ISO (BIOS, Multiboot 2) of what the build made.

    iso.py BUILD OUTPUT [COMMAND]

Without COMMAND the ISO shows tools/grub.cfg's menu, on the screen and the serial line. With it the
ISO boots at once with that kernel command line. Also a module: iso.make(image, output, command).
"""
import os
import shutil
import subprocess
import sys
import tempfile

import vm

POLICIES = ("fifo", "clock", "sieve")
GRUB_MODULES = "multiboot multiboot2 normal serial iso9660 all_video boot"


def entries(command):
    """Title and kernel command line of each entry of the menu."""
    if command is not None:
        return [(f"Quire: {command or 'shell'}", command)]
    shells = [(f"Quire: shell, policy {name}", f"policy={name}") for name in POLICIES]
    jobs = [(f"Quire: index a word list in 256 frames, policy {name}",
             f"policy={name} frames=256 run=index") for name in POLICIES]
    return shells + jobs


def configuration(image, command):
    template = os.path.join(os.path.dirname(os.path.abspath(__file__)), "grub.cfg")
    with open(template, encoding="utf-8") as file:
        text = file.read()
    names = [os.path.basename(path) for path in image.modules]
    modules = "\n".join(f"    module2 /boot/{name} {name}" for name in names)
    menu = "\n".join(f'menuentry "{title}" {{\n    quire {line}\n}}'
                     for title, line in entries(command))
    return (text.replace("@TIMEOUT@", "10" if command is None else "0")
                .replace("@MODULES@", modules).replace("@ENTRIES@", menu))


def make(image, output, command=None):
    """Write the ISO; raises RuntimeError with what grub-mkrescue said."""
    with tempfile.TemporaryDirectory(prefix="quire-iso-") as folder:
        boot = os.path.join(folder, "boot")
        os.makedirs(os.path.join(boot, "grub"))
        shutil.copy(image.kernel, os.path.join(boot, "kernel.elf"))
        for path in image.modules:
            shutil.copy(path, os.path.join(boot, os.path.basename(path)))
        with open(os.path.join(boot, "grub", "grub.cfg"), "w", encoding="utf-8") as file:
            file.write(configuration(image, command))
        done = subprocess.run(
            ["grub-mkrescue", "--directory=/usr/lib/grub/i386-pc",
             "--install-modules=" + GRUB_MODULES, "--locales=", "--fonts=", "--themes=",
             "-o", output, folder], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError("grub-mkrescue failed: " + done.stderr.strip()[-500:])
    return output


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    make(vm.Image(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) == 4 else None)
