# SPDX-License-Identifier: MIT
"""A run of the random callers is known by its seed: what it finds, it finds again."""
import os
import re

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
