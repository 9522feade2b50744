# SPDX-License-Identifier: MIT
"""Ceilings and shares of CPU time that the manifest gives to programs, in the whole system.
By counted instructions, so that each run is the same."""
import os
import re
import shutil
import tempfile

import vm
from common import BUILD, HERE, check, takes

MS = 300  # of a contest: dozens of rounds


def contest(lines, *rivals, ms=MS):
    """Run `contest` under a manifest with these lines more; {name: {"ran": ..., "billed": ...}}.

    A rival is NAME:WORK, a copy of the program `rogue` under that name.
    """
    with tempfile.TemporaryDirectory(prefix="quire-share-") as folder:
        image = vm.Image(BUILD)
        rogue = next(path for path in image.modules if os.path.basename(path) == "rogue")
        manifest = os.path.join(folder, "manifest")
        with open(os.path.join(HERE, "servers", "init", "manifest"), encoding="utf-8") as file:
            text = file.read()
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(text + "".join(line + "\n" for line in lines))
        changes = {"manifest": manifest}
        for rival in rivals:
            name = rival.split(":")[0]
            changes[name] = shutil.copy(rogue, os.path.join(folder, name))
        command = f"store=ram run=contest,{ms},{','.join(rivals)}"
        result = vm.run(vm.Machine(image=image.replaced(changes), command=command, icount=True))
    check(result.ok, result.explain())
    found = re.findall(r"contest: (\S+) ran=(\d+) billed=(\d+) share=(\d+)", result.text)
    return {name: {"ran": int(ran), "billed": int(billed), "share": int(share)}
            for name, ran, billed, share in found}


def one_to_three(one, three):
    """With shares of 2 and 6 the two are billed 1 to 3, within a tenth."""
    got = contest(["program one share=2", "program three share=6", "program contest share=2"],
                  f"one:{one}", f"three:{three}")
    check(got["one"]["share"] == 2 and got["three"]["share"] == 6, f"shares: {got}")
    ratio = got["three"]["billed"] / got["one"]["billed"]
    check(2.7 <= ratio <= 3.3, f"{three} and {one}: {ratio:.2f} to 1: {got}")
    return got


@takes(5)
def test_share_one_to_three():
    """programs with shares of 1 and 3 get CPU time 1 to 3"""
    one_to_three("spin", "spin")


@takes(5)
def test_share_through_console():
    """the same when either has the console work for it"""
    one_to_three("say", "spin")
    got = one_to_three("spin", "say")
    check(got["three"]["billed"] > 1.2 * got["three"]["ran"], f"the console cost nothing: {got}")


@takes(5)
def test_share_through_pager():
    """the same when either has the pager work for it"""
    one_to_three("fault", "spin")
    got = one_to_three("spin", "fault")
    check(got["three"]["billed"] > 1.5 * got["three"]["ran"], f"the pager cost nothing: {got}")


@takes(5)
def test_share_default():
    """programs that the manifest does not name have equal shares"""
    got = contest([], "one:spin", "two:spin")
    check(0.9 <= got["one"]["billed"] / got["two"]["billed"] <= 1.1, f"not equal: {got}")


@takes(5)
def test_share_ceiling():
    """a program above all servers that spins keeps nobody from running, nor from killing it"""
    got = contest(["program high ceiling=31 share=100"], "high:spin", "low:spin", ms=500)
    check(got["high"]["billed"] > 5 * got["low"]["billed"] > 0, f"not by priority and share: {got}")


@takes(5)
def test_share_runs_repeat():
    """two runs of a contest bill the same, to the instruction"""
    runs = [contest(["program one share=3"], "one:fault", "two:say", ms=100) for _ in range(2)]
    check(runs[0] == runs[1], f"they differ: {runs}")
