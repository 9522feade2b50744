#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Random callers for as long as one likes: seed after seed, each on a machine of its own.

    tests/fuzz/hostile.py [--calls N] [--first SEED] [--jobs N] [--each N]

Needs a build (./quire build). Ends at the first seed that fails, and prints the command that
repeats it call for call. With --calls 1000000000 it is what a release has to stand.
"""
import argparse
import concurrent.futures
import itertools
import os
import sys
import time

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(HERE, "tools"))

import run_tests  # noqa: E402
import vm  # noqa: E402


def machine(options, seed):
    image = vm.Image(run_tests.BUILD)
    image.modules = [os.path.join(run_tests.BUILD, "tests", "guest", "test-hostile")]
    return vm.Machine(image=image, memory=24, icount=True, limit=86400,
                      command=f"seed={seed} calls={options.each}")


def one(options, seed):
    """Why the seed failed, or None."""
    points = run_tests.run_machine(machine(options, seed))
    return seed, next((reason for _, reason, _ in points if reason), None)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=100000000, help="in all (default: 1e8)")
    parser.add_argument("--each", type=int, default=2500000, help="of one seed (default: 2.5e6)")
    parser.add_argument("--first", type=int, default=1, help="first seed (default: 1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1,
                        help="machines side by side")
    return parser.parse_args()


def main():
    options = parse()
    count = -(-options.calls // options.each)
    seeds = itertools.count(options.first)
    begin = time.monotonic()
    done = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = {pool.submit(one, options, next(seeds)) for _ in range(min(count, options.jobs))}
        left = count - len(waiting)
        while waiting:
            ended, waiting = concurrent.futures.wait(
                waiting, return_when=concurrent.futures.FIRST_COMPLETED)
            for job in ended:
                seed, reason = job.result()
                if reason:
                    print(f"seed {seed}: {reason}\nagain: tests/fuzz/hostile.py --first {seed} "
                          f"--calls {options.each} --each {options.each}", flush=True)
                    return 1
                done += options.each
                seconds = time.monotonic() - begin
                print(f"seed {seed}: ok; {done} calls in {seconds:.0f} s", flush=True)
                if left:
                    left -= 1
                    waiting.add(pool.submit(one, options, next(seeds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
