# SPDX-License-Identifier: MIT
"""Several programs in too little memory at a time, while the pager audits itself (check=N)."""
import re

from common import BUILD, check, takes

import vm

PROMPT = "quire> "


def session(command, *lines, disk=64, memory=64):
    """A boot to the shell, and lines typed at its prompts."""
    return vm.Machine(image=vm.Image(BUILD), command=command, disk=disk, memory=memory,
                      script=[(PROMPT, line + "\r") for line in (*lines, "off")])


@takes(20)
def test_pager_side_by_side():
    """programs that page side by side read what they wrote, while policy and limit change live"""
    machines = [session(command, "memtest 400 3 &", "memtest 300 4 &", "policy sieve",
                        "memtest 200 3 &", "frames 40", "policy clock", "frames 90", "memtest 100 2",
                        "wait", "stats", disk=disk)
                for command, disk in (("policy=fifo frames=64 check=64", 64),
                                      ("policy=clock frames=64 check=64 store=ram:4096", 0))]
    for run in vm.run_all(machines, jobs=2):
        what = run.machine.command
        check(run.ok, f"{what}: {run.explain()}")
        for pages, rounds in ((400, 3), (300, 4), (200, 3), (100, 2)):
            line = f"memtest: {pages} pages, {rounds} rounds, 0 words wrong"
            check(line in run.text, f"{what}: no '{line}': {run.text[-600:]}")
        check("0 policy violations" in run.text, f"{what}: {run.text[-600:]}")
        check(re.search(r"\n\s+0 in the store", run.text.replace("\r", "")),
              f"{what}: pages of dead programs stayed in the store: {run.text[-600:]}")


@takes(20)
def test_pager_kill_in_transfer():
    """programs killed while their pages are on their way to and from the disk leave nothing"""
    kills = [line for task in range(17, 25) for line in
             ("memtest 400 9999 &", "echo a", "echo b", f"kill {task}")]
    run = vm.run(session("policy=clock frames=48 check=32", *kills, "memtest 300 2", "stats"))
    check(run.ok, run.explain())
    check("memtest: 300 pages, 2 rounds, 0 words wrong" in run.text, run.text[-600:])
    check(re.search(r"\n\s+0 in the store", run.text.replace("\r", "")), run.text[-600:])
    check("memtest: 400 pages" not in run.text, "a program ended before it was killed")


@takes(20)
def test_pager_many_programs():
    """more programs than the pager has handle slots start one after the other"""
    run = vm.run(session("frames=64 store=ram:1024", *["exitcode 0"] * 260, "stats", disk=0))
    check(run.ok, run.explain())
    check(run.text.count("quire> exitcode 0") >= 260, run.text[-600:])
    check("could not" not in run.text and "error" not in run.text, run.text[-600:])


@takes(10)
def test_pager_store_full_for_one():
    """a program that fills the store is ended in words; another one goes on"""
    run = vm.run(session("policy=clock frames=40 store=ram:300 check=64", "memtest 100 60 &",
                         "memtest 2000 1", "wait", disk=0))
    check(run.ok, run.explain())
    check("memory and the store are full" in run.text, run.text[-600:])
    check("memtest: 100 pages, 60 rounds, 0 words wrong" in run.text, run.text[-600:])
