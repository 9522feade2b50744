# SPDX-License-Identifier: MIT
"""Policies in booted systems: parameters, live changes under audit, mistakes, runs that replay."""
import csv
import os
import re
import tempfile

import vm
from common import BUILD, check, command, takes
from policy_test import LAB, decisions

PROGRAMS = os.path.join(BUILD, "tests", "program")
PROMPT = "quire> "
# Many pages come back soon after they have left, and most are written.
WORK = "frames=64 run=memtest,80,4 store=ram:1024"
RIGHT = "memtest: 80 pages, 4 rounds, 0 words wrong"
TUNED = ["arc:p=8", "car:p=30", "2q:in=10:out=90", "s3fifo:small=40:move=1", "lirs:hir=30",
         "wsclock:tau=1", "nru:reset=1", "clock:load=1"]


def names():
    done = command([LAB, "policies"])
    listed = [line.split()[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    return [name for name in listed if name not in ("min", "random")]


def with_ghosts():
    return {"2q", "s3fifo", "arc", "car", "lirs", "lirs_10", "clockpro"}


def check_same(path, what):
    """Replay a trace: each victim is the same. The rows, one a program."""
    done = command([LAB, "replay", path])
    check(done.returncode == 0, f"{what}: {done.stdout}{done.stderr}")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    check(rows and all(row["result"] == "same" for row in rows), f"{what}: {done.stdout}")
    return rows


@takes(40)
def test_policy_replay_each():
    """a run recorded under each policy, and some parameters, is repeated victim by victim"""
    with tempfile.TemporaryDirectory() as folder:
        machines = [vm.Machine(image=vm.Image(BUILD), command=f"policy={policy} {WORK} trace=on",
                               trace=os.path.join(folder, f"{number}.pcapng"))
                    for number, policy in enumerate(names() + TUNED)]
        for run in vm.run_all(machines, jobs=2):
            policy = run.machine.command.split()[0].split("=", 1)[1]
            check(run.ok and RIGHT in run.text, f"{policy}: {run.explain()}")
            stats = run.stats["memtest"]
            check(stats["policy"] == policy, f"{policy}: {stats}")
            row = check_same(run.machine.trace, policy)[0]
            check(row["policy"] == policy.split(":")[0], f"{policy}: {row}")
            check(int(row["victims"]) == stats["evictions"] > 50, f"{policy}: {row} {stats}")
            text = command([LAB, "trace", run.machine.trace]).stdout
            returned = len(re.findall(r" incoming .*ghost=1", text))
            check((returned > 0) == (row["policy"] in with_ghosts()),
                  f"{policy}: {returned} pages came back as ghosts")


@takes(30)
def test_policy_replay_swaps():
    """a run with a thousand live changes of policy, parameter and limit is repeated, too"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "swaps.pcapng")
        image = vm.Image(BUILD).replaced({"test-policies": os.path.join(PROGRAMS, "test-policies")})
        run = vm.run(vm.Machine(image=image, command="run=test-policies store=ram trace=on",
                                trace=path))
        check(run.ok and "not ok" not in run.text, run.explain())
        check_same(path, "swaps")


@takes(30)
def test_policy_swaps_audited():
    """a thousand changes of policy, and each pair of two, while the pager audits each of them"""
    image = vm.Image(BUILD).replaced({"test-policies": os.path.join(PROGRAMS, "test-policies")})
    run = vm.run(vm.Machine(image=image, command="run=test-policies store=ram check=100000"))
    check(run.ok and "not ok" not in run.text, run.explain())
    check("policies_thousand_swaps" in run.text and "policies_each_pair" in run.text, run.text)


MISTAKES = {1: r"victim: slot \d+ is not resident", 2: r"victim: slot \d+ is not resident",
            3: r"victim: slot 0 is no victim though pages are resident",
            4: r"order: slot \d+ is missing though resident", 5: r"order: slot \d+ is listed twice",
            6: r"victim: slot \d+ is to be cleaned first, but is clean",
            7: r"victim: slot \d+ is to be a ghost, but the policy has none"}


@takes(15)
def test_policy_mistakes_in_guest():
    """seven mistakes planted in a booted system's policy are named, and no word is wrong"""
    image = vm.Image(BUILD).replaced({"pager": os.path.join(BUILD, "tests", "planted", "pager")})
    machines = [vm.Machine(image=image, command=f"policy=clock:bug={bug} {WORK} check=100000"
                           + (" at=150:policy=sieve" if bug in (4, 5) else ""))
                for bug in MISTAKES]
    for bug, run in zip(MISTAKES, vm.run_all(machines, jobs=2)):
        check(run.ok and RIGHT in run.text, f"bug {bug}: {run.explain()}")
        complaint = rf"warning: policy clock: {MISTAKES[bug]}; going on under "
        check(re.search(complaint, run.text), f"bug {bug}: {run.text[-600:]}")
        policy = "sieve" if bug in (4, 5) else "fifo"
        check(run.stats["memtest"]["policy"] == policy, f"bug {bug}: {run.stats}")
    run = vm.run(vm.Machine(image=image, command="policy=clock:bug=1 frames=64 store=ram:1024", limit=60,
                            script=[(PROMPT, "memtest 80 4\r"), (PROMPT, "off\r")]))
    check(run.ok and RIGHT in run.text, run.explain())
    check(re.search(rf"warning: policy clock: {MISTAKES[1]}", run.text), "a shell is not told: " + run.text)


@takes(10)
def test_policy_each_program():
    """two programs run at a time under two policies in two limits; each one's run repeats"""
    line = ("policy=lru policy=memtest/arc:p=8 frames=memtest/64 frames=workload/100 store=ram:2048 "
            "at=400:policy=workload/sieve")
    script = ["memtest 80 4 &", "workload zipf 200 9000 1 &", "policy", "frames", "wait", "policy clock",
              "memtest 80 2", "policy memtest/", "memtest 80 1", "off"]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "two.pcapng")
        run = vm.run(vm.Machine(image=vm.Image(BUILD), command=f"{line} trace=on", trace=path,
                                script=[(PROMPT, text + "\r") for text in script]))
        check(run.ok, run.explain())
        rows = check_same(path, "two policies")
    by_name = {}
    for row in rows:
        by_name.setdefault(row["name"], []).append(row)
    check([row["policy"] for row in by_name["memtest"]] == ["arc", "arc", "clock"], f"{rows}")
    check([row["policy"] for row in by_name["workload"]] == ["sieve"], f"{rows}")
    check(all(int(row["victims"]) > 50 for name in ("memtest", "workload") for row in by_name[name]),
          f"{rows}")
    check(re.search(r"^\[\d+\] memtest: arc:p=8\r?$", run.text, re.M), run.text[-800:])
    check(re.search(r"^\[\d+\] memtest: 64 frames\r?$", run.text, re.M), run.text[-800:])
    check(len(re.findall(r"memtest: 80 pages, \d rounds?, 0 words wrong", run.text)) == 3, run.text)


@takes(5)
def test_policy_programs_wrong():
    """a policy or limit for a program that does not exist ends the boot with one line"""
    for line, why in (("policy=nobody/lru", "nobody/lru names no program or task that there is"),
                      ("at=5:policy=nobody/lru", "nobody/lru names no program or task that there is"),
                      ("policy=index/arc:q=8", "index/arc:q=8 names no parameter of this policy"),
                      ("frames=nobody/64", "there is no program nobody"),
                      ("frames=index/7", "frames=index/7")):
        run = vm.run(vm.Machine(image=vm.Image(BUILD), command=f"{line} store=ram"))
        errors = [text for text in run.lines if text.startswith("quire: error")]
        check(run.status == 2 and len(errors) == 1 and why in errors[0],
              f"{line}: {run.status}: {errors}")


@takes(5)
def test_policy_parameters_wrong():
    """a wrong parameter ends the boot with one line that names it; in the shell nothing changes"""
    image = vm.Image(BUILD)
    for policy, why in (("arc:q=8", "arc:q=8 names no parameter of this policy"),
                        ("lirs:hir=100",
                         "lirs:hir=100 gives a parameter a value out of its bounds"),
                        ("arc:p=x", "arc:p=x gives a parameter a value out of its bounds")):
        for line in (f"policy={policy}", f"at=5:policy={policy}"):
            run = vm.run(vm.Machine(image=image, command=f"{line} store=ram"))
            errors = [text for text in run.lines if text.startswith("quire: error")]
            check(run.status == 2 and len(errors) == 1 and why in errors[0],
                  f"{line}: {run.status}: {errors}")
    lines = ["policy arc:p=8", "policy", "policy arc:q=8", "policy best", "policy", "off"]
    run = vm.run(vm.Machine(image=image, command="store=ram",
                            script=[(PROMPT, line + "\r") for line in lines]))
    check(run.ok, run.explain())
    check(len(re.findall(r"^arc:p=8\r?$", run.text, re.M)) == 2, run.text[-800:])
    check("'arc:q=8' gives a parameter that this policy has not" in run.text, run.text[-800:])
    check("the pager has no policy 'best'" in run.text, run.text[-800:])


@takes(5)
def test_policy_cleans_ahead():
    """WSClock has pages written before they leave: then more are written than leave dirty"""
    found, result = decisions("policy=wsclock:tau=0 frames=128 run=memtest,400,2 store=ram:1024 "
                              "trace=on")
    stats = result.stats["memtest"]
    dirty = sum(event == "evict" and words["dirty"] == "1" for event, words in found)
    check(stats["written"] > dirty > 0, f"{dirty} left dirty: {stats}")
