# SPDX-License-Identifier: MIT
"""The test runner itself: what is not a clean pass is a failure."""
import os
import signal
import subprocess
import sys
import tempfile
import time

import run_tests
import vm
from common import BUILD, HERE, LIMIT, check, takes


def failures(text):
    return [reason for _, reason, _ in run_tests.parse_tap(text.splitlines()) if reason]


def test_runner_tap():
    """a failed, missing or surplus test point and an early end are failures; chatter is not"""
    check(failures("TAP version 13\nhello\nok 1 - a\nok 2 - b # SKIP no disk\n1..2") == [], "good")
    check(len(failures("ok 1 - a\nnot ok 2 - b: file:1: x\n1..2")) == 1, "not ok")
    check(len(failures("ok 1 - a\n1..2")) == 1, "a missing point")
    check(len(failures("ok 1 - a\nok 2 - b\n1..1")) == 1, "a surplus point")
    check(len(failures("ok 1 - a")) == 1, "no plan")
    check(len(failures("")) == 1, "nothing at all")
    check(failures("1..0 # SKIP none") == [], "an empty plan")


@takes(4)
def test_runner_hung_guest():
    """a guest that does not end within its limit is a failed test"""
    machine = vm.Machine(image=vm.Image(BUILD), command="store=ram run=shell", limit=3)
    reasons = [reason for _, reason, _ in run_tests.run_machine(machine) if reason]
    check(any("still running after 3 s" in reason for reason in reasons), str(reasons))


def test_runner_status():
    """no test at all is no success, and the last line counts"""
    done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "tools", "run_tests.py"),
                           "there_is_no_such_test"], capture_output=True, text=True)
    check(done.returncode == 1, "no test ran, and that passed")
    check("no test has a name that begins with 'there_is_no_such_test'" in done.stderr, done.stderr)
    check(done.stdout.splitlines()[-1] == "0 passed, 0 failed", done.stdout)


def test_runner_summary():
    """skipped and failed tests stand above the last line, which only counts"""
    text = run_tests.summary(3, ["host a: broken"], ["guest b: no disk", "guest c: no disk"])
    lines = text.splitlines()
    check(lines[-1] == "3 passed, 1 failed" and "  guest c: no disk" in lines[:-1], text)
    check(run_tests.summary(3, [], []).split() == "3 passed, 0 failed".split(), "nothing skipped")


STARTER = """
import sys
sys.path.insert(0, sys.argv[1])
import vm
vm.run(vm.Machine(image=vm.Image(sys.argv[2]), command="store=ram run=shell",
                  extra=["-pidfile", sys.argv[3]]))
"""


@takes(2)
def test_runner_leaves_no_machine():
    """a machine ends when who started it is killed"""
    with tempfile.TemporaryDirectory(prefix="quire-orphan-") as folder:
        pidfile = os.path.join(folder, "pid")
        starter = subprocess.Popen([sys.executable, "-B", "-c", STARTER,
                                    os.path.join(HERE, "tools"), BUILD, pidfile])
        check(comes(lambda: os.path.exists(pidfile) and os.path.getsize(pidfile)), "no QEMU came")
        with open(pidfile, encoding="utf-8") as file:
            machine = int(file.read())
        starter.send_signal(signal.SIGKILL)
        starter.wait()
        if not comes(lambda: not alive(machine)):
            os.kill(machine, signal.SIGKILL)
            raise AssertionError("QEMU went on running")


def comes(condition):
    """Wait until a condition holds; False if it never does."""
    end = time.monotonic() + LIMIT
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


def alive(process):
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
