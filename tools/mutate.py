#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make small mistakes in the kernel, one at a time, and see whether the tests find each. Called by
./quire mutate.

A mutant is compiled with the flags of the build, linked with its other objects, and run under the
guest suites: those that found the last ones first, until one fails. Sources that are unit-tested on
the host are tried there first; those that the model is made of are searched by it last. Nothing in
the build changes. What ends up as the same machine code is no mistake, and not counted.
"""
import concurrent.futures
import difflib
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time

import door
import mutants
import run_tests

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(HERE, "build")
KERNEL, HOST, MODEL = "kernel/kernel.elf", "tests/host/host-tests", "tests/model/model-tests"
HOST_TESTS = ("bitmap", "deadline", "frames", "kalloc", "objects", "pool")  # of kernel sources
# Sources whose mistakes show before or beside the suites: at boot, or only to a debugger.
SELDOM = ("boot.asm", "constants.c", "log.c", "main.c", "memory.c", "multiboot.c", "panic.c")
KILLED, SURVIVED, REFUSED, SAME = "killed", "survived", "did not compile", "same code"
# A mistake may leave something unused, or need other brackets: that alone gives it away to nobody.
ALLOWED = ["-Wno-unused", "-Wno-parentheses"]
COMPILE_LIMIT = 120  # seconds, on a busy host


class Program:
    """One that the build makes, made again in another folder with one source replaced."""

    def __init__(self, target):
        text = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", target], check=True,
                              capture_output=True, text=True).stdout
        lines = [shlex.split(line) for line in text.splitlines() if not line.startswith("ninja:")]
        self.target, self.link = target, lines[-1]
        self.compile = {os.path.normpath(os.path.join(BUILD, source)): line for line in lines
                        for source in line if source.endswith((".c", ".asm")) and "-o" in line}

    def knows(self, source):
        return source in self.compile

    def build(self, folder, source, text):
        """The path of the program with this source's text, None: it does not compile."""
        line = self.compile[source]
        named = next(word for word in line if os.path.normpath(os.path.join(BUILD, word)) == source)
        object_file = line[line.index("-o") + 1]
        path = os.path.join(folder, os.path.basename(source))
        with open(path, "w", encoding="utf-8") as file:
            # The compiler is told the source's own name: it goes into the code of panics.
            file.write(text if source.endswith(".asm") else f'#line 1 "{named}"\n{text}')
        changes = {named: path, object_file: os.path.join(folder, "mutant.o"),
                   self.target: os.path.join(folder, os.path.basename(self.target))}
        more = [*ALLOWED, "-iquote", os.path.dirname(source)] if source.endswith(".c") else []
        for command in (line + more, self.link):
            words = [changes.get(word, word) for word in command]
            words = [os.path.join(folder, "mutant.d") if word.endswith((".o.d", ".d")) and
                     before in ("-MF", "-MD") else word
                     for before, word in zip([""] + words, words)]
            done = subprocess.run(words, cwd=BUILD, capture_output=True, timeout=COMPILE_LIMIT)
            if done.returncode:
                return None
        return changes[self.target]


def code_of(program):
    """What of it is loaded, without the names and lines for debuggers."""
    with tempfile.NamedTemporaryFile(prefix="quire-code-") as file:
        subprocess.run(["i686-linux-gnu-objcopy", "-O", "binary", program, file.name], check=True)
        return file.read()


class Suites:
    """The tests that a mutant must pass, in the order in which they are tried."""

    def __init__(self, names):
        paths = glob.glob(os.path.join(BUILD, "tests/guest/test-*"))
        self.paths = {os.path.basename(path)[5:]: path for path in paths if os.access(path, os.X_OK)
                      and os.path.isfile(path)}
        unknown = [name for name in names if name not in self.paths]
        if unknown:
            raise RuntimeError(f"there is no guest suite '{unknown[0]}'")
        self.order, self.seconds, self.lock = names or list(self.paths), {}, threading.Lock()

    def measure(self, name):
        """Run it with the kernel as it is: it must pass. How long it may take with a mistake."""
        begin = time.monotonic()
        found, _ = self.fails(name, os.path.join(BUILD, KERNEL), 300)
        if found:
            raise RuntimeError(f"the suite {name} fails without any mistake: {found}")
        self.seconds[name] = time.monotonic() - begin
        return 15 + 8 * self.seconds[name]

    def prepare(self):
        for name in self.order:
            self.measure(name)
        self.order.sort(key=self.seconds.get)

    def fails(self, name, kernel, limit):
        """The first test of the suite that fails, in a line, None: none does; did it hang?"""
        def change(image):
            image.kernel = kernel
            return image

        points = run_tests.run_guest(self.paths[name], change=change, limit=limit,
                                     on_line=lambda line: line.startswith("not ok"))
        failed = [re.sub(r"^not ok [0-9]+ - ", "", reason) for _, reason, _ in points if reason]
        hung = any("still running after" in reason for reason in failed)
        return (f"{name}: {'hung' if hung else failed[0]}" if failed else None), hung

    def tries(self, name, kernel):
        """The same, but for a host that is too busy all of a sudden."""
        limit = 15 + 8 * self.seconds[name]
        while True:
            found, hung = self.fails(name, kernel, limit)
            more = self.measure(name) if hung else 0
            if more <= limit * 3 / 2:
                return found
            limit = more

    def find(self, kernel):
        for name in list(self.order):
            found = self.tries(name, kernel)
            if found:
                with self.lock:  # what costs little and finds much comes first
                    place = self.order.index(name)
                    self.order.insert(place // 2, self.order.pop(place))
                return found
        return None


class Trial:
    """How a mutant fares."""

    def __init__(self, suites, native=True):
        self.suites, self.kernel = suites, Program(KERNEL)
        self.host, self.model = (Program(HOST), Program(MODEL)) if native else (None, None)
        self.code = code_of(os.path.join(BUILD, KERNEL))

    def __call__(self, mutant):
        """(outcome, what found it)"""
        source = in_tree(mutant.file)
        text = mutant.apply(read(source))
        with tempfile.TemporaryDirectory(prefix="quire-mutate-") as folder:
            kernel = self.kernel.build(folder, source, text)
            if kernel is None:
                return REFUSED, ""
            if code_of(kernel) == self.code:
                return SAME, ""
            found = (self.native_finds(self.host, HOST_TESTS, folder, source, text) or
                     self.suites.find(kernel) or
                     self.native_finds(self.model, [None], folder, source, text))
            return (KILLED, found) if found else (SURVIVED, "")

    def native_finds(self, program, names, folder, source, text):
        """The first test of a program of the host that fails, if the source is in it."""
        if program is None or not program.knows(source):
            return None
        path = program.build(folder, source, text)
        if path is None:
            raise RuntimeError(f"{os.path.basename(source)} compiles for the kernel, but not for "
                               f"{program.target}")
        for name in names:
            points = run_tests.run_host(path, name)
            failed = [reason for _, reason, _ in points if reason]
            if failed:
                return f"{os.path.basename(path)}: {failed[0]}"
        return None


def in_tree(name):
    return os.path.normpath(os.path.join(HERE, name))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def difference(mutant):
    """The changed lines, as a diff shows them."""
    text = read(in_tree(mutant.file))
    lines = difflib.unified_diff(text.splitlines(), mutant.apply(text).splitlines(),
                                 mutant.file, mutant.file, lineterm="", n=2)
    return "\n".join(lines)


def kernel_files():
    """Sources of the kernel that are worth it, relative to the project's folder."""
    return sorted(os.path.relpath(path, HERE) for ending in ("c", "asm")
                  for path in glob.glob(os.path.join(HERE, f"kernel/*.{ending}"))
                  if os.path.basename(path) not in SELDOM)


def run(trial, chosen, jobs):
    """Try all of them; outcome -> mutants."""
    outcomes = {KILLED: [], SURVIVED: [], REFUSED: [], SAME: []}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(trial, mutant): mutant for mutant in chosen}
        for count, job in enumerate(concurrent.futures.as_completed(waiting), 1):
            outcome, found = job.result()
            mutant = waiting[job]
            outcomes[outcome].append(mutant)
            print(f"[{count}/{len(chosen)}] {outcome:15} {mutant.file}:{mutant.line} {mutant.kind}"
                  f"{'  by ' + found if found else ''}", flush=True)
    return outcomes


def report(outcomes):
    for mutant in outcomes[SURVIVED]:
        print(f"\nsurvived: {mutant.kind}\n{difference(mutant)}")
    killed, survived = len(outcomes[KILLED]), len(outcomes[SURVIVED])
    score = f"{100 * killed / (killed + survived):.1f} %" if killed + survived else "none"
    print(f"\n{killed} killed, {survived} survived, {len(outcomes[REFUSED])} did not compile, "
          f"{len(outcomes[SAME])} the same code; score {score}")


def options():
    parser = door.Parser(prog="./quire mutate", description="Make small mistakes in the kernel, and "
                         "see whether its tests find them.",
                         epilog="exit status: 0 all were tried, 2 wrong use; survivors are listed")
    parser.add_argument("--files", nargs="+", metavar="FILE", default=None,
                        help="sources to make them in (default: most of kernel/)")
    parser.add_argument("--suites", nargs="+", metavar="NAME", default=[],
                        help="guest suites that try them (default: all, unit tests and model)")
    parser.add_argument("--count", type=door.number(1, 100000, "how many mutants"), default=60)
    parser.add_argument("--seed", type=door.number(0, 10 ** 9, "a seed"), default=1)
    parser.add_argument("--jobs", type=door.number(1, 64, "how many at a time"),
                        default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true", help="show their diffs, try none")
    choice = parser.parse_args()
    choice.files = choice.files or kernel_files()
    return choice


def main():
    choice = options()
    known = Program(KERNEL)
    for name in choice.files:
        if not known.knows(in_tree(name)):
            raise RuntimeError(f"'{name}' is no source of the kernel: give one as in kernel/port.c")
    every = [mutant for name in choice.files
             for mutant in mutants.of(os.path.normpath(name), read(in_tree(name)))]
    chosen = mutants.sample(every, choice.count, choice.seed)
    print(f"{len(chosen)} of {len(every)} mutants of {len(choice.files)} sources, seed {choice.seed}",
          flush=True)
    if choice.list:
        print("\n".join(difference(mutant) for mutant in chosen))
        return 0
    suites = Suites(choice.suites)
    suites.prepare()
    report(run(Trial(suites, native=not choice.suites), chosen, choice.jobs))
    return 0


if __name__ == "__main__":
    sys.exit(door.guard(main))
