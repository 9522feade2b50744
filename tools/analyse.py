#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Read the guest's sources with three tools that look for defects. Called by ./quire analyse.

  clang     the analyser of clang: follows values along paths
  cppcheck  what is always wrong, or never needed
  sparse    what the compilers do not tell apart: physical addresses, page-table entries, numbers
            (BITWISE in abi/types.h)

Each source is read with the flags of its own build. One line for each finding. A finding that is
none is taken away in the source, with the reason beside it. What a tool said is kept in
build/analyse/ until the source, what it includes, or this file changes.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys

import door

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(HERE, "build")
FOLDERS = ("kernel", "libsys", "servers", "libc", "programs")
COMPILER = "i686-linux-gnu-gcc"
LIMIT = 120  # seconds for one source
FINDING = re.compile(r"^(.*?):(\d+):(?:\d+:)? ?(?:warning|error|style|performance|portability): (.*)$")


# Findings that never are any, by cppcheck's names for them.
NOT_FOUND = {
    "badBitmaskCheck": "numbers of the ABI may be 0, and are or-ed in all the same",
    "knownConditionTrueFalse": "it takes MIN_OF and MAX_OF for their smallest values",
    "unusedStructMember": "hardware, loaders and programs read or lay out what we do not",
    "varFuncNullUB": "NULL is (void *)0 in the compiler's stddef.h, never an int",
}


class Source:
    """A file of the guest and the words of its compiler's command line, up to the output."""

    def __init__(self, path, words):
        self.path, self.words = path, words

    def options(self, *beginnings):
        """Those options of the build that begin so, with their arguments."""
        found, words = [], iter(self.words[1:])
        for word in words:
            if word.startswith(beginnings):
                found += [word, next(words)] if word == "-isystem" else [word]
        return found


def sources():
    """What the guest is built of, each once; what other builds make of it is left out."""
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    found = {}
    for entry in commands:
        path = os.path.normpath(os.path.join(BUILD, entry["file"]))
        words = shlex.split(entry["command"])
        folders = [os.path.relpath(name, start).split(os.sep)[0]
                   for name, start in ((path, HERE), (entry["output"], "."))]
        if words[0] == COMPILER and all(folder in FOLDERS for folder in folders):
            found.setdefault(path, Source(path, words[:words.index("-MD")]))
    return [found[path] for path in sorted(found)]


def output_of(line, text=None):
    done = subprocess.run(line, cwd=BUILD, input=text, capture_output=True, text=True,
                          errors="replace", timeout=LIMIT)
    return done.stdout, done.stderr


def findings(text, place=lambda file, line: (file, line)):
    """Lines `file:line: what` of a tool's output."""
    for line in text.splitlines():
        match = FINDING.match(line)
        if match:
            file, number = place(match[1], int(match[2]))
            yield f"{os.path.relpath(os.path.join(BUILD, file), HERE)}:{number}: {match[3]}"


def clang(source):
    own, _ = output_of(["clang", "-print-resource-dir"])
    line = ["clang", "--analyze", "--target=i686-linux-gnu", "-Wno-everything",
            "-Xclang", "-analyzer-output=text", "-fno-caret-diagnostics",
            *source.options("-I", "-D", "-std", "-march", "-ff", "-fh", "-nostdinc", "-mgeneral"),
            *source.options("-isystem"), "-isystem", own.strip() + "/include", source.path]
    return findings(output_of(line)[1])


def cppcheck(source):
    line = ["cppcheck", "--quiet", "--enable=warning,style,performance,portability",
            "--inline-suppr", "--std=c11", "--platform=unix32", "-D__i386__",
            *(f"--suppress={name}" for name in NOT_FOUND),
            "-D__VA_OPT__(...)=",  # which it does not know: messages are without fields
            "--template={file}:{line}: warning: {message} [{id}]",
            *source.options("-I", "-D"), source.path]
    return findings(output_of(line)[1])


def sparse(source):
    """It knows no __VA_OPT__, _Float128 or rdtsc: it gets preprocessed text without these, whose
    lines are looked up again."""
    text, said = output_of([*source.words, "-E", "-D__CHECKER__", "-D_GCC_MAX_ALIGN_T",
                            "-D__builtin_ia32_rdtsc()=0ull", source.path])
    if not text:
        return findings(said)
    lines, places, file, number = [], [], source.path, 0
    for line in text.splitlines():
        match = re.match(r'# (\d+) "(.*?)"', line)
        if match:
            file, number = match[2], int(match[1]) - 1
        else:
            number += 1
        lines.append("" if line.startswith("#") else line)
        places.append((file, number))
    line = ["sparse", "-m32", "--arch=i386", "-std=gnu17",
            "-Wno-decl", "-"]  # assembly and musl use symbols that no header declares
    _, said = output_of(line, "\n".join(lines) + "\n")
    return findings(said, lambda _, line: places[line - 1])


TOOLS = {"clang": clang, "cppcheck": cppcheck, "sparse": sparse}


def key_of(tool, source):
    """A number that changes with all that the finding can depend on, comments and lines too."""
    text, said = output_of([*source.words, "-E", "-C", source.path])
    with open(__file__, encoding="utf-8") as file:
        parts = [tool, *source.words, source.path, text, said, file.read()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def said_of(tool, source):
    """The tool's findings in one source, from an earlier run if nothing has changed since."""
    kept = os.path.join(BUILD, "analyse", key_of(tool, source))
    if not os.path.exists(kept):
        lines = list(TOOLS[tool](source))
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        with open(f"{kept}.{os.getpid()}", "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        os.replace(file.name, kept)  # others may run at the same time
    with open(kept, encoding="utf-8") as file:
        return file.read().splitlines()


def analyse(tools, files):
    """Sorted findings of the tools in the files, each once: (finding, tool)."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        jobs = [(tool, pool.submit(said_of, tool, file)) for tool in tools for file in files]
        return sorted({(line, tool) for tool, job in jobs for line in job.result()})


def main():
    parser = door.Parser(prog="./quire analyse", description="Look for defects in the guest's "
                         "sources: kernel, libsys, servers, libc, programs.",
                         epilog="exit status: 0 nothing found, 1 something found, 2 wrong use")
    parser.add_argument("tools", metavar="TOOL", nargs="*",
                        help=f"one of {', '.join(TOOLS)} (default: all)")
    tools = parser.parse_args().tools or list(TOOLS)
    for tool in tools:
        if tool not in TOOLS:
            parser.error(f"there is no tool '{tool}': take one of {', '.join(TOOLS)}")
    files = sources()
    found = analyse(tools, files)
    for line, tool in found:
        print(f"{line} ({tool})")
    print(f"{len(files)} sources, {len(found)} findings of {', '.join(tools)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(door.guard(main))
