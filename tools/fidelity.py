#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How much of a policy's quality reaches the guest: `./quire lab fidelity`.

For each policy and workload the system is booted once, with a plugin of QEMU's that records which
pages the program really used, and a trace of what the pager saw and did. From that one run come:
  full    misses of the policy when it sees every reference (lab sim)
  seen    when it sees faults and scans only, as the pager does (lab seen)
  guest   in the guest: pages that became resident for the program (lab replay), less those kept
  kept    victims that the pager keeps, for they left and came back a moment before
  min     of the optimum
  gap     guest against seen, in percent: what is not explained by what the pager cannot see
Beside them: MiB moved to and from the store, scans, and instructions, each but for the first counted
once:
  pager    all that is done for the program's faults, the kernel's part and the trace's included
  policy   in the policy itself
  checked  in what checks its answers
  scan     in reading Accessed bits; scan_kernel: the kernel's part of it
  trace    in recording this run's decisions
Prints CSV; the exit status is 1 if a gap is over the limit.
"""
import concurrent.futures
import csv
import os
import subprocess
import sys
import tempfile

import counts
import door
import matrix
import vm

LAB = os.path.join(matrix.BUILD, "lab", "quire-lab")
PLUGIN = os.path.join(matrix.BUILD, "lab", "pages.so")
CODE, DATA = "8048-40000", "10-bff00"  # pages of a program's text; of what the pager gives programs
DECISIONS = ("clean", "swap_out", "admit", "evict", "tick")  # of the pager, in a trace
COLUMNS = ("workload", "frames", "policy", "references", "min", "full", "seen", "guest", "gap",
           "kept", "scans", "read_mib", "written_mib", "pager_instructions",
           *(name + "_instructions" for name in counts.NUMBERS))


def options():
    names = matrix.policies_all()
    parser = door.Parser(prog="./quire lab fidelity", description=__doc__.splitlines()[0])
    parser.add_argument("--policy", type=matrix.listing(names), default=names, metavar="P[,P...]",
                        help="policies (default: all)")
    parser.add_argument("--workload", type=matrix.listing(matrix.WORKLOADS), metavar="W[,W...]",
                        default=list(matrix.WORKLOADS),
                        help=f"of {', '.join(matrix.WORKLOADS)} (default: all)")
    parser.add_argument("--frames", type=door.number(10, 200, "a percentage"), default=50,
                        help="frames in percent of the workload's pages (default %(default)s)")
    parser.add_argument("--most", type=door.number(0, 100, "a percentage"), default=1,
                        help="a gap of more percent is unexplained (default %(default)s)")
    parser.add_argument("--jobs", type=door.number(1, 64, "a number of machines"),
                        default=os.cpu_count() or 1,
                        help="virtual machines at a time (default: one for each core)")
    return parser.parse_args()


def lab(*arguments):
    """The rows that a command prints, by column."""
    done = subprocess.run([LAB, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1])
    return list(csv.DictReader(done.stdout.splitlines()))


def refusals(trace, path):
    """Writes for `seen` which of the pages that the policy wanted written ahead the pager did not
    write: those asked for while too many transfers were under way, which `seen` cannot know."""
    asked, number = None, 0
    with subprocess.Popen([LAB, "trace", trace], stdout=subprocess.PIPE, text=True) as decoder, \
            open(path, "w", encoding="utf-8") as file:
        for line in decoder.stdout:
            words = line.split(None, 4)
            if len(words) < 4 or words[1] != "pager" or words[2] not in DECISIONS:
                continue
            if asked and (words[2], words[3]) != ("swap_out", asked):
                file.write(f"{number}\n")
            asked = words[3] if words[2] == "clean" else None
            number += asked is not None


def measure(image, workload, frames, policy, folder):
    """One run of the guest, and what the host makes of it."""
    stem = os.path.join(folder, f"{workload}-{policy.replace(':', '-')}")
    raw, trace, references, counted, refused = files = [
        stem + end for end in (".raw", ".pcapng", ".trace", ".counts", ".refused")]
    program = matrix.WORKLOADS[workload][0].format(seed=1)
    plugin = f"{PLUGIN},out={raw},whole=1,code={CODE},data={DATA}"
    result = vm.run(vm.Machine(
        image=image, icount=True, disk=0, limit=matrix.LIMIT, trace=trace,
        extra=["-plugin", plugin, *counts.machine_arguments(counted, os.path.join(folder, "map"))],
        command=f"policy={policy} frames={frames} store=ram trace=on run={program}"))
    stats = result.stats.get(program.split(",")[0])
    if not result.ok or stats is None:
        raise RuntimeError(f"{workload} under {policy}: " + (result.error or result.explain()))
    lab("record", "--read", raw, "-o", references)
    refusals(trace, refused)
    seen = lab("seen", "--whole", "--refused", refused, "--policy", policy, "--frames", frames,
               references)[0]
    full, best = lab("sim", "--policy", f"{policy},min", "--frames", frames, references)
    guest = [row for row in lab("replay", trace) if row["name"] == program.split(",")[0]][0]
    count, spent = os.path.getsize(raw) // 8, counts.read(counted)
    for path in files:
        os.remove(path)
    misses = int(guest["admits"]) - int(guest["kept"])
    gap = 100 * (misses - int(seen["misses"])) / int(seen["misses"])
    return (workload, frames, policy, count, best["misses"], full["misses"], seen["misses"],
            misses, f"{gap:.2f}", guest["kept"], seen["scans"], f"{stats['read'] / 256:.1f}",
            f"{stats['written'] / 256:.1f}", stats["pager"],
            *(spent[name] for name in counts.NUMBERS))


def main():
    choice = options()
    image = vm.Image(matrix.BUILD)
    cells = [(workload, policy) for workload in choice.workload for policy in choice.policy]
    rows, wide = {}, []
    with tempfile.TemporaryDirectory(prefix="quire-fidelity-") as folder, \
            concurrent.futures.ThreadPoolExecutor(choice.jobs) as pool:
        counts.write_map(os.path.join(folder, "map"))
        futures = {pool.submit(measure, image, workload, matrix.frames_of(workload, choice.frames),
                               policy, folder): (workload, policy) for workload, policy in cells}
        for done, future in enumerate(concurrent.futures.as_completed(futures), 1):
            rows[futures[future]] = future.result()
            if sys.stderr.isatty() or done % 10 == 0 or done == len(cells):
                print(f"lab fidelity: {done} of {len(cells)} runs", file=sys.stderr, flush=True)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cell in cells:
        writer.writerow(rows[cell])
        if abs(float(rows[cell][COLUMNS.index("gap")])) > choice.most:
            wide.append(" under ".join(cell))
    for cell in wide:
        print(f"lab fidelity: {cell}: the gap is over {choice.most} %", file=sys.stderr)
    return 1 if wide else 0


if __name__ == "__main__":
    sys.exit(door.guard(main))
