# SPDX-License-Identifier: MIT
"""The suites that are programs once more, in so few frames that their pages come and go."""
import os

from common import BUILD, check, takes

import vm

FRAMES = 64
LEAST = {"libc": 50, "malloc": 2000, "memory": 0}  # evictions that show there was pressure


def machine(suite, policy, store):
    name = f"test-{suite}"
    path = os.path.join(BUILD, "tests", "program", name)
    line = f"run={name} policy={policy} frames={FRAMES}" + ("" if store == "disk" else
                                                            f" store={store}")
    return vm.Machine(image=vm.Image(BUILD).replaced({name: path}), command=line, name=suite,
                      disk=64 if store == "disk" else 0)


@takes(60)
def test_programs_under_pressure():
    """the suites of libc, malloc and hostile memory use pass in 64 frames, under each policy"""
    machines = [machine(suite, policy, store) for suite in LEAST
                for policy, store in (("fifo", "disk"), ("clock", "ram:4096"), ("sieve", "disk"))]
    for run in vm.run_all(machines, jobs=2):
        what = run.machine.command
        failed = [line for line in run.lines if line.startswith("not ok")]
        check(not failed, f"{what}: {'; '.join(failed)}")
        check(run.ok, f"{what}: {run.explain()}")
        evictions = run.stats[f"test-{run.machine.name}"]["evictions"]
        check(evictions >= LEAST[run.machine.name], f"{what}: only {evictions} evictions")


@takes(20)
def test_memtest_comes_back():
    """pages that left for the disk and came back hold every word that was written, in any order"""
    machines = [vm.Machine(image=vm.Image(BUILD), disk=disk,
                           command=f"run=memtest,1500,2 frames={frames} policy={policy}{store}")
                for policy, frames, disk, store in (("fifo", 64, 64, ""), ("clock", 200, 64, ""),
                                                    ("sieve", 100, 0, " store=ram:4096"))]
    for run in vm.run_all(machines, jobs=2):
        what = run.machine.command
        check(run.ok, f"{what}: {run.explain()}")
        check("memtest: 1500 pages, 2 rounds, 0 words wrong" in run.text, f"{what}: {run.text}")
        check(run.stats["memtest"]["read"] > 1000, f"{what}: hardly a page was read back")
