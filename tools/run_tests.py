#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Run all tests, several at a time, and sum them up. Called by ./quire test after the build.

    run_tests.py [--list] [NAME...]     all tests, or those that the names ask for

A NAME is a kind, a suite, or a test as docs/status.md writes it, of which that test alone is run. If
nothing has just this name, it is all whose names begin so.

Kinds of suites:
  host     build/tests/host/host-tests: TAP from a program of the host
  guest    build/tests/guest/test-*: takes the place of init; TAP over the serial line
  program  build/tests/program/test-*: a program in the whole system; TAP over the serial line
  model    build/tests/model/model-tests: all states of parts of the kernel; TAP, as the host's
  ubsan    the suites of guest and program on build/tests/ubsan: undefined behaviour traps
  system   tests/system/*_test.py: functions test_*, whose docstring is the sentence

Skipped tests are listed above; the last line is `N passed, N failed`. The exit status is 0 only if none failed and some passed.
"""
import concurrent.futures
import difflib
import functools
import glob
import importlib.util
import os
import re
import subprocess
import sys
import time
import traceback

import door
import vm

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(HERE, "build")
HOST_LIMIT = 600   # seconds for the host's unit tests
# Kernel suites about time: by counted instructions, so that a busy host takes none of it.
COUNTED = ("device", "direct", "hostile", "leave", "order", "share", "time")
MEMORY_PLAIN, MEMORY_CHECKED = 64, 24  # MiB of RAM; few where all frames are looked at again and again
MEMORY = {"high": 8192, "hostile": MEMORY_CHECKED}  # of a suite of the kernel that needs other memory
HOSTILE_SEEDS = range(1, 5)  # random callers, each for so many calls, on machines side by side
HOSTILE_CALLS = 2500000
UBSAN_FRAMES = 64  # that a program may hold: the pager evicts
POINT = re.compile(r"^(not )?ok\s+\d+\s*-?\s*(.*)$")


class Points(list):
    """Results of a suite: (name and sentence, None or the reason why it failed, skipped?)."""

    def add(self, text, reason=None, skipped=False):
        self.append((text, reason, skipped))


def parse_tap(lines):
    """Points of a TAP stream, other lines are chatter; a missing or wrong plan is a failure."""
    points, plan = Points(), None
    for line in lines:
        match = POINT.match(line)
        if match:
            skipped = "# SKIP" in line
            points.add(match.group(2), line if match.group(1) else None, skipped)
        elif re.match(r"^1\.\.\d+", line):
            plan = int(re.match(r"^1\.\.(\d+)", line).group(1))
        elif line.startswith("Bail out!"):
            points.add("bail out", line)
    if plan is None:
        points.add("plan", "the tests ended before their plan (1..N)")
    elif plan != len(points):
        points.add("plan", f"{plan} tests were planned, {len(points)} ran")
    return points


def run_host(path, only=None):
    try:
        done = subprocess.run([path] + ([only] if only else []), capture_output=True, timeout=HOST_LIMIT,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        points = Points()
        points.add("limit", f"still running after {HOST_LIMIT} s")
        return points
    points = parse_tap(done.stdout.decode("utf-8", "replace").splitlines())
    if done.returncode and not any(reason for _, reason, _ in points):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        points.add("exit", f"exit status {done.returncode}: {' / '.join(said[:4])}")
    return points


def run_machine(machine):
    """Points of a guest suite; it must also end by itself, and with success."""
    result = vm.run(machine)
    points = parse_tap(result.lines)
    if result.hung or result.code != vm.SUCCESS and not any(reason for _, reason, _ in points):
        points.add("end", result.explain() + panic_of(result))
    elif points and points[-1][0] == "plan":
        points[-1] = ("plan", points[-1][1] + ": " + result.explain() + panic_of(result), False)
    return points


def panic_of(result):
    return f"; {result.panic}" if result.panic else ""


def trapping(image):
    """The same image with kernel and servers that trap undefined behaviour."""
    folder = os.path.join(BUILD, "tests", "ubsan")
    names = [os.path.basename(path) for path in image.modules]
    image = image.replaced({name: os.path.join(folder, name) for name in names
                            if os.path.isfile(os.path.join(folder, name))})
    image.kernel = os.path.join(folder, "kernel.elf")
    return image


def run_guest(path, command="", change=lambda image: image, only=None, **options):
    image = vm.Image(BUILD)
    image.modules = [path]
    name = os.path.basename(path)[5:]
    counted = name in COUNTED
    options.setdefault("memory", MEMORY.get(name, MEMORY_PLAIN))
    command += f" test={only}" if only else ""
    return run_machine(vm.Machine(image=change(image), command=command, icount=counted, **options))


def hostile_seeds():
    """The random callers with other seeds; what fails is repeated, call for call, by its name."""
    path = os.path.join(BUILD, "tests/guest/test-hostile")
    for seed in HOSTILE_SEEDS:
        command = f"seed={seed} calls={HOSTILE_CALLS}"
        yield ("guest", f"hostile.seed{seed}",
               lambda only, command=command: run_guest(path, command, only=only, limit=1800))


def run_program(path, command="", change=lambda image: image, only=None):
    name = os.path.basename(path)
    image = change(vm.Image(BUILD)).replaced({name: path})
    run = f"{name},{only}" if only else name
    return run_machine(vm.Machine(image=image, command=f"run={run} store=ram {command}"))


def run_function(function):
    points = Points()
    text = f"{function.__name__}: {(function.__doc__ or '').strip().splitlines()[0]}"
    try:
        skip = function()
        points.add(text + (f" # SKIP {skip}" if skip else ""), skipped=bool(skip))
    except AssertionError as error:
        points.add(text, f"{text}: {place_of(error)}: {' '.join(str(error).split())}")
    except Exception as error:  # a test that breaks has failed; the run goes on
        points.add(text, f"{text}: {place_of(error)}: {type(error).__name__}: {error}")
    return points


def place_of(error):
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith("_test.py"):
            return f"{os.path.relpath(frame.filename, HERE)}:{frame.lineno}"
    return "?"


def system_functions():
    folder = os.path.join(HERE, "tests", "system")
    sys.path.insert(0, folder)
    for path in sorted(glob.glob(os.path.join(folder, "*_test.py"))):
        name = os.path.basename(path)[:-3]
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for key, value in vars(module).items():
            if key.startswith("test_") and callable(value):
                yield name[:-5], value


def executables(folder):
    paths = sorted(glob.glob(os.path.join(BUILD, "tests", folder, "test-*")))
    return [path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)]


def checked_options(path):
    return ".checked", {"command": "check=256",
                        "memory": MEMORY.get(os.path.basename(path)[5:], MEMORY_CHECKED)}


def suites():
    """All suites: (kind, name, function that runs all of it, or only the test of this name).

    A system test may carry its duration in `seconds`: long ones start first, not last.
    """
    functions = sorted(system_functions(), key=lambda pair: -getattr(pair[1], "seconds", 1))
    found = [("system", f"{group}.{function.__name__}",
              lambda only, function=function: run_function(function)) for group, function in functions]
    # Once as it is, and once with the laws of the frame table checked every 256 kernel entries: of all
    # frames, so with few.
    guests = [("guest", os.path.basename(path)[5:] + end,
               lambda only, path=path, options=options: run_guest(path, only=only, **options))
              for path in executables("guest") for end, options in (("", {}), checked_options(path))]
    guests.append(("guest", "high.2G",
                   lambda only: run_guest(os.path.join(BUILD, "tests/guest/test-high"), only=only,
                                          memory=2048)))
    programs = [("program", os.path.basename(path)[5:],
                 lambda only, path=path: run_program(path, only=only))
                for path in executables("program")]
    # All of these once more where undefined behaviour traps, programs in few frames.
    ubsan = [("ubsan", os.path.basename(path)[5:],
              lambda only, path=path, run=run, command=command: run(path, command, trapping, only))
             for run, command, paths in ((run_program, f"frames={UBSAN_FRAMES}", executables("program")),
                                         (run_guest, "", executables("guest")))
             for path in paths]
    host = [(kind, kind, lambda only, kind=kind: run_host(
        os.path.join(BUILD, "tests", kind, f"{kind}-tests"), only))
            for kind in ("host", "model")]
    return found[:2] + host + list(hostile_seeds()) + programs + ubsan + guests + found[2:]


@functools.cache
def tests_in(pattern):
    """Names of the tests in sources below tests/."""
    found = set()
    for path in glob.glob(os.path.join(HERE, "tests", pattern)):
        with open(path, encoding="utf-8") as file:
            found |= set(re.findall(r"^TEST\((\w+),", file.read(), re.MULTILINE))
    return found


def names_of(suite):
    """What the whole suite is called, and what the tests are that it can run one by one."""
    kind, name, _ = suite
    first, last = name.split(".")[0], name.split(".")[-1]
    tests = set()
    if kind in ("host", "model"):
        tests = tests_in(f"{kind}/*.c")
    elif kind != "system":
        tests = set().union(*(tests_in(f"{folder}/{first}.c") for folder in ("guest", "program")
                              if kind in (folder, "ubsan")))
    return {kind, name, first, last, last.removeprefix("test_")}, tests


def asked_for(found, wish):
    """[(suite, None for all of it or the name to give it)] of one name; empty: nothing has it."""
    for fits in (str.__eq__, str.startswith):
        chosen = []
        for suite in found:
            whole, tests = names_of(suite)
            if any(fits(name, wish) for name in whole):
                chosen.append((suite, None))
            elif any(fits(name, wish) for name in tests):
                chosen.append((suite, wish))
        if chosen:
            return chosen
    return []


def choose(found, wishes):
    """All that the names ask for, each once; who is to run whole needs not run in parts."""
    if not wishes:
        return [(suite, None) for suite in found]
    chosen = [choice for wish in wishes for choice in asked_for(found, wish)]
    whole = [suite for suite, only in chosen if not only]
    return [(suite, only) for suite, only in dict.fromkeys(chosen) if not only or suite not in whole]


def unknown(found, wish):
    """The line about a name that nothing has."""
    names = set()
    for suite in found:
        names = names.union(*names_of(suite))
    near = difflib.get_close_matches(wish, sorted(names), 3)
    return (f"quire: error: no kind, suite or test is called '{wish}' or begins so"
            + (f"; near it: {', '.join(near)}" if near else "")
            + " (./quire test --list lists the suites)")


def timed(choice):
    suite, only = choice
    begin = time.monotonic()
    try:
        points = suite[2](only)
    except Exception as error:  # for example a file that the build did not make
        points = Points()
        points.add(suite[1], f"{type(error).__name__}: {error}")
    return choice, points, time.monotonic() - begin


def title_of(choice):
    suite, only = choice
    return f"{suite[1]} {only}" if only else suite[1]


def show(choice, points, seconds, done, total):
    suite, only = choice
    failed = [reason for _, reason, _ in points if reason]
    mark = "FAILED" if failed else "ok"
    print(f"[{done}/{total}] {mark:6} {suite[0]:7} {title_of(choice):40} {len(points):4} tests "
          f"{seconds:6.1f} s", flush=True)
    for reason in failed:
        print(f"    {reason}", flush=True)
    if failed:
        print(f"    again: ./quire test {only or suite[1]}", flush=True)
    return [f"{suite[0]} {title_of(choice)}: {reason}" for reason in failed]


def options():
    parser = door.Parser(prog="./quire test", description="Build and run the tests.")
    parser.add_argument("names", metavar="NAME", nargs="*", help="a kind (host, model, guest, program, "
                        "ubsan, system), a suite, or a test as docs/status.md writes it; if nothing "
                        "has just this name, all whose names begin so (default: all)")
    parser.add_argument("--list", action="store_true", help="list the suites, run nothing")
    return parser.parse_args()


def main():
    choice = options()
    found = suites()
    for name in choice.names:
        if not asked_for(found, name):
            print(unknown(found, name), file=sys.stderr)
            return 2
    chosen = choose(found, choice.names)
    if choice.list:
        print("\n".join(f"{part[0][0]:7} {title_of(part)}" for part in chosen))
        return 0
    passed = 0
    failures, skipped = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        jobs = [pool.submit(timed, part) for part in chosen]
        for number, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            part, points, seconds = job.result()
            failures += show(part, points, seconds, number, len(chosen))
            skipped += [f"{part[0][0]} {part[0][1]}: {point[0]}" for point in points if point[2]]
            passed += sum(not point[1] and not point[2] for point in points)
    print(summary(passed, failures, skipped))
    return 0 if passed and not failures else 1


def summary(passed, failures, skipped):
    """What stands at the end of the output; programs read its last line."""
    parts = [f"\n{title}:\n  " + "\n  ".join(lines)
             for title, lines in (("Skipped", skipped), ("Failed", failures)) if lines]
    return "\n".join(parts + ["", f"{passed} passed, {len(failures)} failed"])


if __name__ == "__main__":
    sys.exit(door.guard(main))
