# SPDX-License-Identifier: MIT
"""The same image, seed and workload under -icount: the same trace, byte for byte."""
import hashlib
import os
import tempfile

import vm
from common import BUILD, check, takes

COMMAND = "policy=clock frames=900 run=index,words,2000,7,1 trace=on seed=7 store=ram"
RUNS = 3


def recorded(folder, number, command):
    """Serial text and trace of one run."""
    path = os.path.join(folder, f"{number}.pcapng")
    result = vm.run(vm.Machine(image=vm.Image(BUILD), command=command, icount=True, trace=path))
    check(result.ok, result.explain())
    with open(path, "rb") as file:
        return result.text, file.read()


@takes(30)
def test_runs_are_identical():
    """three runs under icount give the same serial output and the same trace; another policy does not"""
    with tempfile.TemporaryDirectory(prefix="quire-same-") as folder:
        runs = [recorded(folder, number, COMMAND) for number in range(RUNS)]
        other = recorded(folder, RUNS, COMMAND.replace("clock", "fifo"))
    texts = {text for text, _ in runs}
    differing = [line for line in runs[0][0].split("\n")
                 if any(line not in text.split("\n") for text, _ in runs)]
    traces = {hashlib.sha256(trace).hexdigest() for _, trace in runs}
    check(len(texts) == 1, f"the serial lines differ: {differing}")
    check(len(traces) == 1, f"{len(traces)} different traces")
    check(len(runs[0][1]) > 100000, f"the trace has only {len(runs[0][1])} bytes")
    check(other[1] != runs[0][1], "two policies gave the same trace: the comparison cannot fail")
