# SPDX-License-Identifier: MIT
"""Make C strings of text files: embed.py OUTPUT.c FILE... Each becomes asset_NAME_EXTENSION.

First choice would be #embed; the compiler of Debian 12 does not know it.
"""
import os
import re
import sys


def string_of(path):
    name = re.sub(r"\W", "_", os.path.basename(path))
    with open(path, "rb") as file:
        data = file.read() + b"\0"
    lines = [",".join(map(str, data[at:at + 24])) for at in range(0, len(data), 24)]
    return f"const char asset_{name}[] = {{\n" + ",\n".join(lines) + "};\n"


def main():
    with open(sys.argv[1], "w", encoding="ascii") as output:
        output.write('#include "html.h"\n')
        output.writelines(string_of(path) for path in sys.argv[2:])


if __name__ == "__main__":
    main()
