# SPDX-License-Identifier: MIT
"""The workload in the booted system: what it prints is what other means compute, under pressure."""
import os
import re

from common import BUILD, HERE, check, command, takes

import vm

LOOKUPS, SEED, ROUNDS = 200, 11, 2


def expected():
    script = os.path.join(HERE, "tools", "index_expected.sh")
    words = os.path.join(BUILD, "tools", "words")
    done = command(["sh", script, words, str(LOOKUPS), str(SEED), str(ROUNDS)])
    check(done.returncode == 0, f"index_expected.sh failed: {done.stderr}")
    return done.stdout.splitlines()


def machine(policy, disk, more=""):
    store = "" if disk else " store=ram:4096"
    return vm.Machine(image=vm.Image(BUILD), disk=disk,
                      command=f"policy={policy} frames=360{store}{more} "
                              f"run=index,words,{LOOKUPS},{SEED},{ROUNDS}")


def printed(result):
    found = (re.search(r"index: .*", line) for line in result.lines)
    lines = [match.group(0) for match in found if match]
    return [line for line in lines if "working set" not in line]


@takes(40)
def test_index_right():
    """an index in a quarter of its memory is right: each policy, disk and RAM store, live change"""
    machines = [machine("fifo", 64), machine("clock", 0), machine("sieve", 64),
                machine("fifo", 0, " at=15000:policy=sieve")]
    wanted = expected()
    for run in vm.run_all(machines, jobs=2):
        what = run.machine.command
        check(run.ok, f"{what}: {run.explain()}")
        check(printed(run) == wanted, f"{what}: printed {printed(run)}, not {wanted}")
        check(run.stats["index"]["evictions"] > 1000, f"{what}: hardly a page was evicted")
    check(run.stats["index"]["policy"] == "sieve", "the policy was not changed")


def refused(line, expected_text, status):
    run = vm.run(vm.Machine(image=vm.Image(BUILD), command=f"run=index,{line}"))
    check(run.status == status, f"{line}: status {run.status}, not {status}: {run.explain()}")
    check(expected_text in run.text, f"{line}: '{expected_text}' was expected: {run.text}")


def test_index_refuses():
    """a missing file and numbers that are none are one clear line and a status"""
    refused("nothere", "index: nothere: No such file or directory", 1)
    refused("words,many", "index: many is no number from 1 to", 2)
    refused("words,10,0", "index: 0 is no number from 1 to", 2)


def test_programs_without_traps():
    """no program holds the instruction int $0x80: all system calls go through the layer"""
    folders = (os.path.join(BUILD, "programs"), os.path.join(BUILD, "tests", "program"))
    paths = [os.path.join(folder, name) for folder in folders for name in os.listdir(folder)]
    paths = [path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)]
    check(len(paths) > 5, "hardly a program was built")
    for path in paths:
        done = command(["i686-linux-gnu-objdump", "-d", path])
        check(done.returncode == 0, f"objdump cannot read {path}")
        check(not re.search(r"\bint +\$0x80\b", done.stdout),
              f"{os.path.basename(path)} executes int $0x80")
