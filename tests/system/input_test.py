# SPDX-License-Identifier: MIT
"""What a program reads from its standard input is what was typed."""
from common import BUILD, check

import vm


def test_standard_input():
    """typed lines arrive whole and in order, long ones in parts, and Ctrl-D ends the input"""
    long = "x" * 150
    script = [("Ctrl-D ends", "one\n"), ("line 1: one", "two words\n"), ("two words", long + "\n"),
              ("line 4: ", "\n"), ("line 5: ", "\x04")]
    run = vm.run(vm.Machine(image=vm.Image(BUILD), command="run=echo", script=script))
    check(run.ok, run.explain())
    for wanted in ("line 1: one", "line 2: two words", "line 3: " + "x" * 99,
                   "line 4: " + "x" * 51, "line 5: ", "5 lines"):
        check(wanted in run.text, f"'{wanted}' was not printed: {run.text!r}")
