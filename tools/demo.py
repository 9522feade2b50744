#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The main job: a real index over a real text in too little memory, under each policy.

Boots the GRUB ISO once for each run, two virtual machines at a time, with a swap disk and a trace
file each. Every line that a guest prints is compared with what sort, cksum and awk make of the
same text (index_expected.sh). Exit status 0 only if all were right.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import threading
import time

import door
import iso
import vm

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(HERE, "build")
FOLDER = os.path.join(BUILD, "demo")
SEED, ROUNDS = 7, 4
POLICIES = ("fifo", "clock", "sieve")
LIVE = "fifo, then sieve"
LIMIT = 300           # seconds for one machine, on a busy host
TRACE_FIRST, TRACE_EVICTION = 6, 12  # lines of it that are shown
COLUMNS = (("policy", 18), ("faults", 9), ("evictions", 10), ("written", 9), ("read", 9),
           ("Minstr", 8), ("in pager", 9), ("output", 8))

printing = threading.Lock()
begin = time.monotonic()


def say(text=""):
    """Print a line. Where nothing can be printed any more the main thread fails, and the others,
    which watch machines, go on."""
    with printing:
        try:
            print(text, flush=True)
        except OSError:
            if threading.current_thread() is threading.main_thread():
                raise


def progress(name, text):
    say(f"{time.monotonic() - begin:5.1f} s  {name:<17} {text}")


def options():
    parser = door.Parser(prog="./quire demo", description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=door.number(64, 16384, "a number of frames"), default=360,
                        help="frame limit of the program (default %(default)s)")
    parser.add_argument("--lookups", type=door.number(1, 10000000, "a number of lookups"), default=1000,
                        help=f"lookups in each of the {ROUNDS} rounds (default %(default)s)")
    parser.add_argument("--jobs", type=door.number(1, 64, "a number of machines"), default=os.cpu_count() or 1,
                        help="virtual machines at a time (default: one for each core)")
    return parser.parse_args()


def expected_lines(words, lookups):
    """What the guest must print, computed by other means."""
    script = os.path.join(HERE, "tools", "index_expected.sh")
    done = subprocess.run(["sh", script, words, str(lookups), str(SEED), str(ROUNDS)],
                          capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def guest_lines(result):
    """The program's lines; the console may have put an erased row before one."""
    found = (re.search(r"index: .*", line) for line in result.lines)
    return [match.group(0) for match in found if match]


class Run:
    """One boot of the ISO and what came of it."""

    def __init__(self, name, image, choice, policy, at=None):
        self.name, self.image, self.choice, self.policy, self.at = name, image, choice, policy, at
        self.file = name.replace(", then ", "-")
        self.trace = os.path.join(FOLDER, self.file + ".pcapng")
        self.result = None
        self.complaints = []

    def command(self):
        change = f" at={self.at}:policy=sieve" if self.at else ""
        return (f"policy={self.policy} frames={self.choice.frames} trace=on{change} "
                f"run=index,words,{self.choice.lookups},{SEED},{ROUNDS}")

    def boot(self):
        path = os.path.join(FOLDER, self.file + ".iso")
        iso.make(self.image, path, self.command())
        progress(self.name, "booting: " + self.command())
        self.result = vm.run(vm.Machine(iso=path, disk=64, trace=self.trace, icount=True,
                                        limit=LIMIT, on_line=self.on_line, name=self.name))
        progress(self.name, f"ended after {self.result.seconds:.1f} s")
        return self

    def on_line(self, line):
        match = re.search(r"index: (read|sorted|round) .*|quire: error: .*", line)
        if match:
            progress(self.name, match.group(0))

    def stats(self):
        return self.result.stats.get("index", {})

    def judge(self, expected):
        """Fill complaints: empty means that all was right."""
        if not self.result.ok:
            self.complaints.append(self.result.error or self.result.explain())
            return
        lines = guest_lines(self.result)
        working = re.search(r"working set (\d+) pages", " ".join(lines))
        lines = [line for line in lines if "working set" not in line]
        if lines != expected:
            place = next((i for i, (a, b) in enumerate(zip(lines, expected)) if a != b),
                         min(len(lines), len(expected)))
            got = lines[place] if place < len(lines) else "nothing"
            want = expected[place] if place < len(expected) else "nothing"
            self.complaints.append(f"line {place + 1} is '{got}', not '{want}'")
        if not working or int(working.group(1)) < 4 * self.choice.frames:
            self.complaints.append("the working set is not 4 times the frame limit")
        if not self.stats().get("evictions"):
            self.complaints.append("no page was evicted")
        wanted = "sieve" if self.at else self.policy
        if self.stats().get("policy") != wanted:
            self.complaints.append(f"the policy at the end is not {wanted}")
        if not os.path.exists(self.trace) or os.path.getsize(self.trace) == 0:
            self.complaints.append("the trace is empty")

    def row(self):
        stats = self.stats()
        total = stats.get("instructions", 0) + stats.get("pager", 0)
        share = f"{100 * stats.get('pager', 0) / total:.1f} %" if total else "-"
        return (self.name, stats.get("faults", "-"), stats.get("evictions", "-"),
                stats.get("written", "-"), stats.get("read", "-"), f"{total / 1e6:.1f}", share,
                "WRONG" if self.complaints else "right")


def run_all(image, choice):
    """All runs, choice.jobs at a time. The live change comes at half the faults that FIFO took, so
    that run waits for FIFO's."""
    runs = [Run(name, image, choice, name) for name in POLICIES]
    with concurrent.futures.ThreadPoolExecutor(choice.jobs) as pool:
        futures = [pool.submit(run.boot) for run in runs]
        if futures[0].result().result.ok:
            live = Run(LIVE, image, choice, "fifo", at=runs[0].stats()["faults"] // 2)
            futures.append(pool.submit(live.boot))
        return [future.result() for future in futures]


def line_of(cells):
    first, *rest = zip(cells, COLUMNS)
    return f"{first[0]:<{first[1][1]}}" + "".join(f"{cell:>{width}}" for cell, (_, width) in rest)


def table_print(runs, choice):
    working = re.search(r"working set (\d+) pages: .*", "\n".join(guest_lines(runs[0].result)))
    say()
    say(f"frame limit {choice.frames}, {working.group(0) if working else 'working set unknown'}")
    say(line_of([name for name, _ in COLUMNS]))
    for run in runs:
        say(line_of(run.row()))
    say("written, read: pages to and from the swap disk; Minstr: millions of guest instructions of\n"
        "program and pager (time stamp ticks under -icount); in pager: the pager's share of them")


def trace_print(run):
    """The first lines of the decoded trace, and the first page that had to leave for another."""
    tool = os.path.join(BUILD, "lab", "quire-lab")
    if not os.path.exists(tool) or run.complaints:
        return
    say()
    say(f"The trace of '{run.name}' ({os.path.getsize(run.trace) / 1e6:.1f} MB) begins so, and "
        "these are its first eviction and fault after it:")
    left, evicted = TRACE_FIRST, False
    with subprocess.Popen([tool, "trace", run.trace], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, errors="replace") as process:
        for line in process.stdout:
            if not evicted and re.search(r" evict ", line):
                say("  ...")
                left, evicted = TRACE_EVICTION, True
            if left > 0:
                say("  " + line.rstrip()[:110])
                left -= 1
            if evicted and left == 0:
                break
        process.kill()


def next_print(choice):
    say()
    say("Traces (pcapng; Wireshark and tshark open them): build/demo/*.pcapng\n"
        "Try next:\n"
        "  ./quire trace build/demo/sieve.pcapng | less\n"
        f"  ./quire run --policy sieve --frames {choice.frames // 2} --run index\n"
        "  ./quire run            (a shell: help, policy sieve, frames 300, index &)\n"
        "  ./quire demo --frames 256 --lookups 20000")


def main():
    global begin
    choice = options()
    image = vm.Image(BUILD)
    words = next((path for path in image.modules if os.path.basename(path) == "words"), None)
    if words is None:
        raise RuntimeError("the image has no word list: install wamerican and build again")
    os.makedirs(FOLDER, exist_ok=True)
    door.lock(os.path.join(FOLDER, ".lock"), "another demo")
    begin = time.monotonic()
    say(f"Indexing {words} and looking up {ROUNDS} x {choice.lookups} words in {choice.frames} "
        f"frames, {choice.jobs} virtual machines at a time")
    expected = expected_lines(words, choice.lookups)
    progress("host", "computed what must come out, by sort, cksum and awk")
    runs = run_all(image, choice)
    for run in runs:
        run.judge(expected)
    table_print(runs, choice)
    trace_print(runs[-1])
    wrong = [(run.name, complaint) for run in runs for complaint in run.complaints]
    if not wrong:
        next_print(choice)
    for name, complaint in wrong:
        say(f"quire: error: {name}: {complaint}")
    say()
    say(f"{len(runs)} runs, {sum(bool(run.complaints) for run in runs)} wrong, "
        f"{time.monotonic() - begin:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(door.guard(main))
