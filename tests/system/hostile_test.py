# SPDX-License-Identifier: MIT
"""Hostile callers: a seed finds again what it found; wrong messages to servers of a traced run."""
import os
import re
import tempfile

import run_tests
import vm
from common import BUILD, check, takes

CALLS = 60000
BROKEN = 20000  # calls after which a law is broken


def broken(seed):
    """What the serial line says of a machine whose map counts are damaged on the way."""
    image = vm.Image(BUILD)
    image.modules = [os.path.join(BUILD, "tests", "guest", "test-hostile")]
    command = f"seed={seed} calls={CALLS} break={BROKEN} check=256"
    result = vm.run(vm.Machine(image=image, command=command, memory=24, icount=True))
    check(result.code == vm.PANIC, f"seed {seed}: {result.explain()}")
    check("kernel panic: " in result.text and "map count" in result.text, result.text[-600:])
    calls = re.search(r"broken after calls (\d+)", result.text)
    entry = re.search(r"kernel entry (\d+)", result.text)
    check(calls and entry, f"no numbers of call and entry: {result.text[-600:]}")
    return result.text, int(calls[1]), int(entry[1])


@takes(8)
def test_hostile_seed_repeats():
    """a law broken amid random calls is found at once, and at the same call by the same seed"""
    text, calls, entry = broken(3)
    check(BROKEN <= calls < CALLS, f"broken after {calls} calls")
    again = broken(3)
    check(again == (text, calls, entry), f"call {calls}, entry {entry}, then {again[1:]}")
    other = broken(4)
    check(other[1:] != (calls, entry), "another seed does the same")


@takes(4)
def test_hostile_tracer():
    """wrong messages to servers are refused while all is traced, those to the tracer too"""
    path = os.path.join(BUILD, "tests", "program", "test-servers")
    with tempfile.TemporaryDirectory(prefix="quire-servers-") as folder:
        result = vm.run(vm.Machine(image=vm.Image(BUILD).replaced({"test-servers": path}),
                                   command="run=test-servers store=ram trace=on",
                                   trace=os.path.join(folder, "trace.pcapng")))
    points = run_tests.parse_tap(result.lines)
    check(result.ok, result.explain())
    check(len(points) == 5 and not any(reason or skipped for _, reason, skipped in points),
          f"not all are ok: {points}")
