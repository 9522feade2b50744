# SPDX-License-Identifier: MIT
"""The test runner itself: what is not a clean pass is a failure."""
import os
import signal
import subprocess
import sys
import tempfile
import time

import papers_test
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


def runner(*names):
    return subprocess.run([sys.executable, "-B", os.path.join(HERE, "tools", "run_tests.py"), *names],
                          capture_output=True, text=True, timeout=LIMIT)


def test_runner_status():
    """a name that nothing has is one line with what is near it, status 2, and nothing runs"""
    for name, near in (("there_is_no_such_test", ""), ("hots", "host"), ("token_onse", "token_once")):
        done = runner("model", name)
        check(done.returncode == 2 and not done.stdout, f"{done.returncode}: {done.stdout}")
        check(len(done.stderr.splitlines()) == 1 and f"'{name}'" in done.stderr and
              (not near or f"near it: {near}" in done.stderr), done.stderr)


def chosen(*names):
    return {(suite[0], suite[1], only) for suite, only in run_tests.choose(run_tests.suites(), names)}


def test_runner_names():
    """a name is a kind, a suite or a test; only what nothing is called is a beginning of names"""
    found = run_tests.suites()
    for kind in {suite[0] for suite in found}:
        check({name[0] for name in chosen(kind)} <= {kind, "system"}, f"{kind}: {chosen(kind)}")
        check({(kind, name, None) for of, name, _ in found if of == kind} <= chosen(kind), kind)
    wrong = {names: chosen(*names.split()) for names, wanted in {
        "host": {("host", "host", None)},
        "ipc": {("guest", "ipc", None), ("guest", "ipc.checked", None), ("ubsan", "ipc", None)},
        "ipc.checked": {("guest", "ipc.checked", None)},
        "rounds_million": {("system", "rounds.test_rounds_million", None)},
        "bitmap_runs": {("host", "host", "bitmap_runs")},
        "bitmap_ru": {("host", "host", "bitmap_ru")},
        "host bitmap_runs": {("host", "host", None)},
        "words": {("guest", "ipc", "words"), ("guest", "ipc.checked", "words"),
                  ("ubsan", "ipc", "words")},
        "libc_print": {("program", "libc", "libc_print"), ("ubsan", "libc", "libc_print")},
    }.items() if chosen(*names.split()) != wanted}
    check(not wrong, str(wrong))


def test_runner_status_page():
    """each name in the pages of status is that of a test which can be run"""
    found = [set().union(*run_tests.names_of(suite)) for suite in run_tests.suites()]
    names = {name for _, tests in papers_test.claims(papers_test.status_pages()) for name in tests}
    wrong = [name for name in sorted(names) if not any(name in own for own in found)]
    check(len(names) > 100 and not wrong, f"{len(names)} names; no test: {wrong}")


@takes(3)
def test_runner_one():
    """a test is run alone: of a suite of the host, of the kernel's and of programs"""
    place = os.path.join(BUILD, "tests")
    names = sorted(run_tests.tests_in("host/*.c"))
    short = [name for name, after in zip(names, names[1:]) if after.startswith(name)]
    check(short, "no test's name begins another's")
    for name, points in (
            (short[0], run_tests.run_host(f"{place}/host/host-tests", short[0])),
            ("words", run_tests.run_guest(f"{place}/guest/test-ipc", only="words")),
            ("libc_print", run_tests.run_program(f"{place}/program/test-libc", only="libc_print"))):
        ran = [text.split(":")[0] for text, _, _ in points if not text.startswith("suite_end")]
        check(ran == [name] and not any(reason for _, reason, _ in points), f"{name}: {points}")
    check(run_tests.run_host(f"{place}/host/host-tests", "nothing")[-1][1], "no test, and no failure")


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
