#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Policies against workloads in the guest, in several amounts of memory: `./quire lab matrix`.

Each cell is one boot of the system by -kernel under -icount with the store in RAM, so the same
versions give the same figures, byte for byte. Prints CSV; where a workload draws numbers, each cell
is run with several seeds, and the summary has means and half their 95 % intervals (Student's t):
faults, faults95; and worse, worse95: the faults more than those of the policy with the fewest, seed
by seed, so that what a seed does to all policies falls out.
"""
import concurrent.futures
import csv
import hashlib
import json
import math
import os
import subprocess
import sys

import door
import vm

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(HERE, "build")
LIMIT = 600  # seconds for one machine, on a busy host
PAGES, STEPS = 256, 40000
# name: (command line of the program, does it draw numbers?)
WORKLOADS = {
    "scan": (f"workload,scan,{PAGES},{STEPS},{{seed}}", True),
    "loop": (f"workload,loop,{PAGES},{STEPS},{{seed}}", False),
    "zipf": (f"workload,zipf,{PAGES},{STEPS},{{seed}}", True),
    "phases": (f"workload,phases,{PAGES},{STEPS},{{seed}}", True),
    "sort": (f"workload,sort,{PAGES},{24 * PAGES},{{seed}}", False),
    "interp": (f"workload,interp,{PAGES},{STEPS},{{seed}}", True),
    # its few look-ups are drawn, but move the faults by a thousandth only: one seed is enough
    "index": ("index,words,300,{seed},1", False),
}
INDEX_PAGES = 1322  # that the index of the whole text touches
FIELDS = ("faults", "evictions", "read", "written", "instructions", "pager")
# Student's t for a 95 % interval, by degrees of freedom; beyond: the normal distribution's
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
           2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086)


def policies_all():
    """Names that both the pager and the simulator know, in the order of policies.def."""
    listed = subprocess.run([os.path.join(BUILD, "lab", "quire-lab"), "policies"], check=True,
                            capture_output=True, text=True).stdout
    names = [line.split()[0] for line in listed.splitlines() if line and not line.startswith(" ")]
    return [name for name in names if name not in ("min", "random")]


def listing(known):
    def parse(text):
        names = text.split(",")
        for name in names:
            if name.split(":")[0] not in known:
                raise door.argparse.ArgumentTypeError(
                    f"'{name}' is none of {', '.join(known)}")
        return names
    return parse


def percentages(text):
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 10 or max(numbers) > 200:
        raise door.argparse.ArgumentTypeError(f"'{text}' is no list of percentages from 10 to 200")
    return numbers


def options():
    names = policies_all()
    parser = door.Parser(prog="./quire lab matrix", description=__doc__.splitlines()[0])
    parser.add_argument("--policy", type=listing(names), default=names, metavar="P[,P...]",
                        help="policies (default: all)")
    parser.add_argument("--workload", type=listing(WORKLOADS), default=list(WORKLOADS),
                        metavar="W[,W...]", help=f"of {', '.join(WORKLOADS)} (default: all)")
    parser.add_argument("--frames", type=percentages, default=[25, 50, 75], metavar="N[,N...]",
                        help="percent of the workload's pages (default 25,50,75)")
    parser.add_argument("--seeds", type=door.number(1, 100, "a number of seeds"), default=3,
                        help="runs of a workload that draws numbers (default %(default)s)")
    parser.add_argument("--jobs", type=door.number(1, 64, "a number of machines"),
                        default=os.cpu_count() or 1,
                        help="virtual machines at a time (default: one for each core)")
    parser.add_argument("--cells", metavar="FILE", help="writes each run as CSV, too")
    parser.add_argument("--manifest", metavar="FILE", help="writes the versions of all parts as JSON")
    return parser.parse_args()


def frames_of(workload, percent):
    pages = INDEX_PAGES if workload == "index" else PAGES
    return max(32, pages * percent // 100)


class Cell:
    """One policy, workload and amount of memory, with all its runs."""

    def __init__(self, workload, percent, policy, seeds):
        self.workload, self.percent, self.policy = workload, percent, policy
        self.frames = frames_of(workload, percent)
        self.seeds = range(1, seeds + 1) if WORKLOADS[workload][1] else (1,)
        self.runs = {}

    def machine(self, image, seed):
        program = WORKLOADS[self.workload][0].format(seed=seed)
        return vm.Machine(image=image, icount=True, disk=0, limit=LIMIT,
                          command=f"policy={self.policy} frames={self.frames} store=ram "
                                  f"idle=spin run={program}")

    def run(self, image, seed):
        result = vm.run(self.machine(image, seed))
        stats = result.stats.get(WORKLOADS[self.workload][0].split(",")[0])
        if not result.ok or stats is None or stats["policy"].split(":")[0] != self.policy.split(":")[0]:
            raise RuntimeError(f"{self.workload} under {self.policy} in {self.frames} frames, seed {seed}: "
                               + (result.error or result.explain()))
        self.runs[seed] = stats

    def mean(self, field):
        return mean_of([self.runs[seed][field] for seed in self.seeds])

    def worse(self, best):
        """Faults more than another cell's, seed by seed."""
        return mean_of([self.runs[seed]["faults"] - best.runs[seed]["faults"] for seed in self.seeds])


def mean_of(values):
    """Mean and half the width of its 95 % interval (0 where nothing is drawn)."""
    mean = sum(values) / len(values)
    if len(values) == 1:
        return mean, 0.0
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    freedom = len(values) - 1
    student = STUDENT[freedom - 1] if freedom <= len(STUDENT) else 1.96
    return mean, student * spread / math.sqrt(len(values))


def run_all(cells, image, jobs):
    work = [(cell, seed) for cell in cells for seed in cell.seeds]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(cell.run, image, seed): cell for cell, seed in work}
        try:
            for done, future in enumerate(concurrent.futures.as_completed(futures), 1):
                future.result()
                if sys.stderr.isatty() or done % 25 == 0 or done == len(work):
                    cell = futures[future]
                    print(f"lab matrix: {done} of {len(work)} runs, the last {cell.workload} under "
                          f"{cell.policy}", file=sys.stderr, flush=True)
        except BaseException:
            for future in futures:
                future.cancel()
            raise


def print_summary(cells, out):
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["workload", "percent", "frames", "policy", "runs", "faults", "faults95",
                     "worse", "worse95", "read", "written", "pager", "pager95"])
    best = {}
    for cell in cells:
        place = cell.workload, cell.percent
        best[place] = min(best.get(place, cell), cell, key=lambda one: one.mean("faults")[0])
    for cell in cells:
        faults, faults95 = cell.mean("faults")
        worse, worse95 = cell.worse(best[cell.workload, cell.percent])
        pager, pager95 = cell.mean("pager")
        writer.writerow([cell.workload, cell.percent, cell.frames, cell.policy, len(cell.seeds),
                         f"{faults:.1f}", f"{faults95:.1f}", f"{worse:.1f}", f"{worse95:.1f}",
                         f"{cell.mean('read')[0]:.1f}",
                         f"{cell.mean('written')[0]:.1f}", f"{pager:.0f}", f"{pager95:.0f}"])


def write_cells(cells, path):
    with open(path, "w", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["workload", "percent", "frames", "policy", "seed", *FIELDS])
        for cell in cells:
            for seed in cell.seeds:
                writer.writerow([cell.workload, cell.percent, cell.frames, cell.policy, seed,
                                 *(cell.runs[seed][field] for field in FIELDS)])


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def manifest(image, choice):
    """All that the figures depend on."""
    return {
        "qemu": first_line(vm.QEMU, "--version"), "cpu": vm.CPU,
        "compiler": first_line("i686-linux-gnu-gcc", "--version"),
        "kernel": digest(image.kernel),
        "modules": {os.path.basename(path): digest(path) for path in image.modules},
        "policies": choice.policy, "workloads": {name: WORKLOADS[name][0] for name in choice.workload},
        "percent": choice.frames, "seeds": choice.seeds,
    }


def main():
    choice = options()
    image = vm.Image(BUILD)
    cells = [Cell(workload, percent, policy, choice.seeds) for workload in choice.workload
             for percent in choice.frames for policy in choice.policy]
    try:
        run_all(cells, image, choice.jobs)
    except RuntimeError as problem:
        print(f"lab matrix: {problem}", file=sys.stderr)
        return 1
    print_summary(cells, sys.stdout)
    if choice.cells:
        write_cells(cells, choice.cells)
    if choice.manifest:
        with open(choice.manifest, "w", encoding="utf-8") as file:
            json.dump(manifest(image, choice), file, indent=1, sort_keys=True)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(door.guard(main))
