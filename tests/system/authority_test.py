# SPDX-License-Identifier: MIT
"""Programs that take or ask for more than is their due: they are told no, and others go on."""
import os
import re
import tempfile

import vm
from common import BUILD, check, takes

PROMPT = "quire> "
DENIED, LIMIT = 26, 21  # abi/error.def
BOMBS = 9  # a program may have eight descendants: servers/init/program.c


def session(*lines, command="store=ram:1024", **options):
    """A boot to the shell, and lines typed at its prompts, or after another text where a line is a
    pair of both; returns the run, which went well."""
    script = [line if isinstance(line, tuple) else (PROMPT, line) for line in (*lines, "off 0")]
    run = vm.run(vm.Machine(image=vm.Image(BUILD), command=command,
                            script=[(wait, line and line + "\r") for wait, line in script],
                            **options))
    check(run.ok, run.explain())
    return run


@takes(8)
def test_sparse_program_ends_alone():
    """a program that uses up its page tables is ended in words; others start, and go on"""
    run = session("rogue sparse 30", "status", "memtest 400 20 &", "rogue sparse 150 &",
                  "rogue sparse 150 &", "rogue sparse 150", "hello world", "wait",
                  "memtest 2000 1")
    sentences = re.findall(r"quire: error: rogue: .*uses more page tables than", run.text)
    check(len(sentences) == 3, f"{len(sentences)} of 3 were ended: {run.text[-900:]}")
    check(re.search(r"quire> status\s+0\s", run.text), f"30 are too many: {run.text[-900:]}")
    check("argument 1: world" in run.text, run.text[-900:])
    for line in ("400 pages, 20 rounds", "2000 pages, 1 rounds"):
        check(f"memtest: {line}, 0 words wrong" in run.text, f"no '{line}': {run.text[-900:]}")


@takes(5)
def test_only_the_owner_commands():
    """off, frames, policy, trace, the pager's check and others' ends are denied to a child"""
    lines = []
    for words in ("off 3", "frames 64", "policy", "check", "trace", "kill 16", "kill 17",
                  "wait 17", "kill 4"):
        lines += [f"rogue {words}", "status"]
    run = session("memtest 64 262144 &", *lines, "policy", "kill 17", "wait")
    said = re.findall(r"quire> status\s+(\d+)\s", run.text)
    check(said == [str(DENIED)] * 9, f"not denied: {said}: {run.text[-900:]}")
    check("memtest (task 17) was killed" in run.text, run.text[-900:])


@takes(4)
def test_only_the_owner_records():
    """recording goes on when a child, or any program past init, tells it to stop"""
    with tempfile.TemporaryDirectory(prefix="quire-authority-") as folder:
        run = session("rogue trace", "status", "rogue control", "status", "rogue control 1",
                      "status", "trace off", "status", trace=os.path.join(folder, "trace.pcapng"))
    said = re.findall(r"quire> status\s+(\d+)\s", run.text)
    check(said == [str(DENIED)] * 3 + ["0"], f"not denied: {said}: {run.text[-900:]}")


@takes(5)
def test_spawn_bomb_leaves_places():
    """a program that starts itself without end leaves places, in which the shell starts others"""
    refused = [("rogue: no more of these", "")] * BOMBS  # each of them says so once
    run = session("rogue bomb &", *refused[1:], (refused[0][0], "tasks"), "memtest 64 3",
                  "hello world", "kill 17")
    check("argument 1: world" in run.text, run.text[-900:])
    check("memtest: 64 pages, 3 rounds, 0 words wrong" in run.text, run.text[-900:])
    alive = len(re.findall(r"\d+ +rogue +alive", run.text))
    check(alive == BOMBS, f"{alive}: {run.text[-1500:]}")


@takes(6)
def test_dead_do_not_wait_for_the_trace():
    """programs killed while they wait for the trace leave no place taken, and init's own is kept"""
    kills = [line for task in range(18, 58) for line in ("rogue flush &", f"kill {task}")]
    with tempfile.TemporaryDirectory(prefix="quire-authority-") as folder:
        run = session("rogue forget 16", "status", *kills,
                      trace=os.path.join(folder, "trace.pcapng"))
    check(re.search(rf"quire> status\s+{DENIED}\s", run.text), run.text[:900])
    check("error" not in run.text and "could not" not in run.text, run.text[-900:])


@takes(3)
def test_status_has_eight_bits():
    """a status beyond 255 is cut, and a failure stays one"""
    for status, wanted in ((256, 1), (259, 3), (511, 255)):
        run = vm.run(vm.Machine(image=vm.Image(BUILD), command="store=ram:64",
                                script=[(PROMPT, f"off {status}\r")]))
        check(run.status == wanted and run.code == vm.FAILURE, f"{status}: {run.explain()}")
