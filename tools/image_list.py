#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Write the list of boot modules, in boot order: one absolute path a line.

    image_list.py OUTPUT MODULE...

A module's name in the guest is its base name, so two modules of one name are refused.
"""
import os
import sys


def main():
    output, modules = sys.argv[1], [os.path.abspath(path) for path in sys.argv[2:]]
    names = [os.path.basename(path) for path in modules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        sys.exit(f"image_list.py: two boot modules are called {', '.join(twice)}")
    with open(output, "w", encoding="utf-8") as file:
        file.writelines(path + "\n" for path in modules)


if __name__ == "__main__":
    main()
