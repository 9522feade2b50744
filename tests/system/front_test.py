# SPDX-License-Identifier: MIT
"""The front door's words: what it refuses, before any machine starts, and that help is complete."""
import contextlib
import io
import os
import re
import subprocess

from common import HERE, LIMIT, check, quire, takes

import front
import vm

WRONG = {
    "an unknown command": (["demmo"], "demmo"),
    "an unknown option": (["run", "--polcy", "fifo"], "--polcy"),
    "an unknown policy": (["run", "--policy", "best"], "fifo, clock"),
    "frames that are no number": (["run", "--frames", "many"], "'many' is no number"),
    "no frames at all": (["run", "--frames", "0"], "out of range"),
    "frames that cannot do": (["run", "--frames", "7"], "a number of frames, at least 8"),
    "memory that cannot do": (["run", "--mem", str(front.MEMORY_MIN - 1)],
                            f"{front.MEMORY_MIN} to 65536"),
    "memory without room for a store": (
        ["run", "--store", "ram", "--mem", str(front.MEMORY_MIN_RAM - 1)],
        f"give {front.MEMORY_MIN_RAM} or more"),
    "a trace without a name": (["run", "--trace", ""], "cannot write ''"),
    "a negative number": (["run", "--frames=-4"], "'-4' is no number"),
    "memory that is no number": (["run", "--mem", "64M"], "'64M' is no number"),
    "a missing value": (["run", "--frames"], "--frames"),
    "an unknown program": (["run", "--run", "nosuch"], "no program 'nosuch'"),
    "a program name with a blank": (["run", "--run", "index words"], "cannot carry"),
    "a trace in a folder that is not there": (["run", "--trace", "/no/such/file"], "cannot write"),
    "a trace onto a folder": (["run", "--trace", "/"], "cannot write"),
    "a policy for no program": (["run", "--policy", "nobody/lru"], "there is no program 'nobody'"),
    "a limit for no program": (["run", "--frames", "nobody/64"], "there is no program 'nobody'"),
    "a limit too small for a program": (["run", "--frames", "index/7"], "at least 8"),
    "an action for no program": (["run", "--at", "9:policy=nobody/lru"], "no program 'nobody'"),
    "a parameter without a value": (["run", "--policy", "arc:p"], "write arc:PARAMETER=NUMBER"),
    "an action without a number": (["run", "--at", "policy=sieve"], "N:policy=P"),
    "an action at a fault that never comes": (["run", "--at", "0:policy=sieve"], "out of range"),
    "an action with an unknown policy": (["run", "--at", "9:policy=best"], "no policy 'best'"),
    "an unknown store": (["run", "--store", "tape"], "tape"),
    "a seed that is no number": (["run", "--seed", "x"], "'x' is no number"),
    "a word too many": (["run", "now"], "now"),
    "an option of build": (["build", "--bogus"], "--bogus"),
    "an option of help": (["help", "--bogus"], "--bogus"),
    "an option of test": (["test", "--bogus"], "--bogus"),
    "a test that there is not": (["test", "hots"], "'hots' or begins so; near it: host"),
    "an option of demo": (["demo", "--bogus"], "--bogus"),
    "an option of analyse": (["analyse", "--bogus"], "--bogus"),
    "an unknown tool": (["analyse", "lint"], "lint"),
    "an option of mutate": (["mutate", "--bogus"], "--bogus"),
    "an option of bench": (["bench", "--bogus"], "--bogus"),
    "an option of debug": (["debug", "--bogus"], "--bogus"),
    "an option of iso": (["iso", "--bogus"], "--bogus"),
    "an option of trace": (["trace", "--bogus"], "--bogus"),
    "an option of lab": (["lab", "--bogus"], "--bogus"),
    "an option of setup that there is not": (["setup", "--prnt"], "--prnt"),
    "a trace that is not there": (["trace", "/no/such/trace"], "/no/such/trace"),
}


BUILDING = ("quire: building", "quire: waiting for another build in this folder")


def said_by(done):
    """The lines of its standard error, but for those about the build."""
    return [line for line in done.stderr.splitlines() if line not in BUILDING]


def test_front_refuses():
    """each wrong option gives one line that names it, and exit status 2 or another failure"""
    wrong = []
    for what, (arguments, words) in WRONG.items():
        done = quire(*arguments)
        said = said_by(done)
        if done.returncode != 2 and not what == "a trace that is not there" or not done.returncode:
            wrong.append(f"{what}: exit status {done.returncode}")
        elif len(said) != 1 or words not in said[0]:
            wrong.append(f"{what}: {' / '.join(said)}")
    check(not wrong, "; ".join(wrong))


def test_front_help():
    """help has one line for each command, and is what no command at all gives"""
    text = quire("help").stdout
    for name in "demo run test analyse mutate bench trace lab debug iso build setup help".split():
        lines = re.findall(rf"^  \./quire {name}\b.*$", text, re.MULTILINE)
        check(len(lines) == 1, f"{len(lines)} lines for {name}")
    check(quire().stdout == text, "./quire alone says something else")


@takes(4)
def test_front_help_each():
    """every command tells its options with -h and --help, and does nothing"""
    wrong = []
    for name in "demo run test analyse mutate bench trace lab debug iso build setup".split():
        for option in ("-h", "--help"):
            done = quire(name, option)
            if done.returncode or said_by(done) or not done.stdout.startswith("usage:"):
                wrong.append(f"{name} {option}: exit status {done.returncode}: {done.stderr}")
    check(not wrong, "; ".join(wrong))
    check(quire("help", "--help").stdout == quire("help").stdout, "help --help")


OFF = "quire: off status="
ENDS = {
    "success": (vm.SUCCESS, OFF + "0", 0),
    "a status": (vm.FAILURE, OFF + "3", 3),
    "a status beyond a byte": (vm.FAILURE, OFF + "256", 1),
    "a status of many digits": (vm.FAILURE, OFF + "4294967295", 255),
    "a limit that was reached": (None, "", front.HUNG),
    "a limit after a false success": (None, OFF + "0", front.HUNG),
    "a panic after a false success": (vm.PANIC, OFF + "0", 1),
    "QEMU dead after a false success": (-9, OFF + "0", 1),
    "a failure after a false success": (vm.FAILURE, OFF + "0", 1),
    "a success after a false failure": (vm.SUCCESS, OFF + "5\n" + OFF + "0", 0),
    "Ctrl-A x": (0, "", 0),
}


def test_front_report():
    """the exit status is the guest's word only where QEMU's exit status agrees with it"""
    wrong = []
    for what, (code, text, wanted) in ENDS.items():
        result = vm.Result(vm.Machine(limit=1), code, text + "\r\n", "", 0, code is None, "")
        with contextlib.redirect_stderr(io.StringIO()):
            status = front.report(result)
        if status != wanted:
            wrong.append(f"{what}: {status}, not {wanted}")
    check(not wrong, "; ".join(wrong))


def false_success(limit):
    """A program repeats the line of success and goes on: its output, what was said, exit status."""
    process = subprocess.Popen(
        [os.path.join(HERE, "quire"), "run", "--run", "echo", "--limit", str(limit)], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(OFF + "0\n")
    process.stdin.flush()
    process.wait(limit + LIMIT)  # the input stays open, so the program goes on reading
    printed, said = process.stdout.read(), process.stderr.read()
    process.stdin.close()
    return printed, said, process.returncode


@takes(8)
def test_front_false_success():
    """a program that prints the line of success and goes on has not succeeded"""
    for limit in (6, 60, LIMIT):  # on a slow host it takes longer until the line is there
        printed, said, status = false_success(limit)
        if "line 1: " in printed:
            break
    check("line 1: " + OFF + "0" in printed, printed)
    check(status == front.HUNG, f"exit status {status}")
    check(f"not finished after {limit} s" in said, said)


@takes(4)
def test_front_output_gone():
    """an output that is closed or full gives one line, not a traceback"""
    wrong = []
    for line, words in (("run --run hello >&-", "closed"),
                        ("run --run hello > /dev/full", "No space left"),
                        ("demo > /dev/full", "No space left"), ("demo >&-", "closed"),
                        ("test --list > /dev/full", "No space left")):
        done = subprocess.run(["sh", "-c", f"exec ./quire {line}"], cwd=HERE, text=True, timeout=LIMIT,
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = said_by(done)
        if not done.returncode or len(said) != 1 or words not in said[0]:
            wrong.append(f"{line}: exit status {done.returncode}: {done.stderr}")
    check(not wrong, "; ".join(wrong))


@takes(4)
def test_front_least_memory():
    """the least memory that --mem takes is enough to run a program, with each store"""
    for store, memory in (("disk", front.MEMORY_MIN), ("ram", front.MEMORY_MIN_RAM)):
        done = quire("run", "--run", "hello", "--store", store, "--mem", str(memory))
        check(done.returncode == 0 and "hello" in done.stdout, f"{store}, {memory}: {done.stdout}")
