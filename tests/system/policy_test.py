# SPDX-License-Identifier: MIT
"""Policies as object files, and the simulator as a command."""
import csv
import glob
import os
import random
import re
import shutil
import struct
import tempfile

import vm
from build_test import copy_tree
from common import BUILD, HERE, check, command, takes

LAB = os.path.join(BUILD, "lab", "quire-lab")


def tables():
    with open(os.path.join(HERE, "servers/pager/policy/policies.def"), encoding="utf-8") as file:
        return sorted({match.group(1) for match in re.finditer(r"^POLICY\(\w+, (\w+),", file.read(),
                                                               re.M)})


def symbols(table):
    path = os.path.join(BUILD, "servers/pager/pager.p", f"policy_{table}.c.o")
    done = command(["i686-linux-gnu-nm", path])
    check(done.returncode == 0, f"nm cannot read {path}: {done.stderr}")
    return [line.split()[-2:] for line in done.stdout.splitlines()]


def test_policy_objects_need_nothing():
    """no policy's object file for the guest has an undefined symbol, so it calls nobody"""
    check(tables(), "policies.def lists policies")
    for table in tables():
        needed = [name for kind, name in symbols(table) if kind == "U"]
        check(not needed, f"{table}.c needs {', '.join(needed)}")


def test_policy_objects_hold_no_state():
    """a policy's object file has no variable, and shows its table of operations alone"""
    for table in tables():
        found = symbols(table)
        variables = [name for kind, name in found if kind in "DdBbCVv"]
        check(not variables, f"{table}.c has variables: {', '.join(variables)}")
        shown = [name for kind, name in found if kind.isupper()]
        check(shown == [f"policy_{table}"], f"{table}.c shows {', '.join(shown)}")


def refused(expected, *arguments):
    done = command([LAB, *arguments])
    check(done.returncode == 2, f"{arguments}: exit status {done.returncode}, not 2")
    lines = done.stderr.splitlines()
    check(len(lines) == 1 and expected in lines[0],
          f"{arguments}: one line with '{expected}' was expected: {done.stderr}")
    check(done.stdout == "", f"{arguments}: printed {done.stdout}")


def test_lab_sim_rejects():
    """bad policies, numbers, options and files each give one line that says what to do"""
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "t.u32")
        with open(trace, "wb") as file:
            file.write(struct.pack("<4I", 1, 2, 3, 1))
        cut = os.path.join(folder, "cut.u32")
        with open(cut, "wb") as file:
            file.write(b"12345")
        packed = os.path.join(folder, "bad.u32.xz")
        with open(packed, "wb") as file:
            file.write(b"no xz at all")
        refused("choose from fifo, clock,", "sim", "--policy", "lru2", "--frames", "3", trace)
        refused("choose from fifo, clock,", "sim", "--policy", "", "--frames", "3", trace)
        for number in ("0", "-1", "x", "3x", "", "99999999999999999999", "1e3", "0%"):
            refused("--frames", "sim", "--frames", number, trace)
        refused("how many frames", "sim", trace)
        refused("trace file", "sim", "--frames", "3")
        refused("needs a value", "sim", trace, "--frames")
        refused("unknown option '--fast'", "sim", "--fast", "--frames", "3", trace)
        refused("No such file", "sim", "--frames", "3", os.path.join(folder, "none"))
        refused("no multiple of 4", "sim", "--frames", "3", cut)
        refused("damaged", "sim", "--frames", "3", packed)
        refused("directory", "sim", "--frames", "3", trace, folder)
        refused("no parameter", "sim", "--policy", "arc:q=8", "--frames", "3", trace)
        refused("seed", "sim", "--policy", "random:seed=x", "--frames", "3", trace)
        refused("there is no format 'csv'", "sim", "--format", "csv", "--frames", "3", trace)
        refused("number from 1 to 256", "sim", "--threads", "0", "--frames", "3", trace)
        refused("NUMBER/OF/RUN", "sim", "--part", "3/2/1", "--frames", "3", trace)
        refused("standard input", "sim", "--jobs-file", cut, "--frames", "3", "-")
        refused("cannot write", "sim", "--out", folder, "--frames", "3", trace)
        refused("unknown command 'simulate'", "simulate")


def test_lab_sim_csv():
    """the table has a line for each trace, policy and number of frames, the same number once"""
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "a,b.u32")
        with open(trace, "wb") as file:
            file.write(struct.pack("<12I", 1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5))
        done = command([LAB, "sim", "--policy=fifo,min", "--frames", "3,4,60%", trace])
    check(done.returncode == 0, done.stderr)
    rows = list(csv.reader(done.stdout.splitlines()))
    check(rows == [["trace", "frames", "policy", "misses"],
                   ["a,b", "3", "fifo", "9"], ["a,b", "4", "fifo", "10"],
                   ["a,b", "3", "min", "7"], ["a,b", "4", "min", "6"]], done.stdout)


def test_lab_policies():
    """`quire-lab policies` lists every policy of policies.def, and the yardsticks min and random"""
    done = command([LAB, "policies"])
    names = [line.split()[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    check(done.returncode == 0 and names[-2:] == ["min", "random"], done.stdout + done.stderr)
    check({"fifo", "clock", "clock_r1", "sieve"} <= set(names), done.stdout)


def test_policy_docs_list():
    """the table of docs/policies.md has each policy and each parameter, and no other"""
    with open(os.path.join(HERE, "docs/policies.md"), encoding="utf-8") as file:
        table = file.read().split("## Those that are here")[1].split("Parameters stand")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    names = set(re.findall(r"`(\w+)`", " ".join(row[1] for row in rows)))
    with open(os.path.join(HERE, "servers/pager/policy/policies.def"), encoding="utf-8") as file:
        known = set(re.findall(r"^POLICY\((\w+),", file.read(), re.M))
    check(names == known, f"they differ in {sorted(names ^ known)}")
    for path in glob.glob(os.path.join(HERE, "servers/pager/policy/*.c")):
        with open(path, encoding="utf-8") as file:
            table = re.search(r"\.parameter = \{(.*?)\},\n    \.", file.read(), re.S)
        name = os.path.basename(path)[:-2]
        row = next((row for row in rows if f"`{name}`" in row[1]), None)
        if row is not None:
            there = set(re.findall(r'\{"(\w+)"', table.group(1))) if table else set()
            said = set(re.findall(r"`(\w+)`", row[3]))
            check(there == said, f"{name}: they differ in {sorted(there ^ said)}")


def example():
    """The C file and the line of policies.def that docs/policies.md shows."""
    with open(os.path.join(HERE, "docs/policies.md"), encoding="utf-8") as file:
        text = file.read()
    source = re.search(r"^```c\n(.*?)^```$", text, re.M | re.S).group(1)
    line = re.search(r"^ *(POLICY\(mru, .*\))$", text, re.M).group(1)
    return source, line


def mru_misses(pages, frames):
    resident, misses = {}, 0
    for page in pages:
        if page not in resident:
            misses += 1
            if len(resident) == frames:
                resident.popitem()  # dicts keep the order of insertion: the last one
        resident.pop(page, None)
        resident[page] = True
    return misses


def lab_sources():
    """What the command sim is made of, without the fast host, which the build makes per policy."""
    found = [path for pattern in ("sim*.c", "format*.c", "options.c", "output.c", "trace_file.c")
             for path in glob.glob(os.path.join(HERE, "lab", pattern))
             if not os.path.basename(path).startswith("sim_fast")]
    return found + [os.path.join(HERE, "servers/tracer/pcapng.c")]


def test_policy_example_in_docs():
    """the example of docs/policies.md compiles as it stands and misses as often as a model"""
    source, line = example()
    with tempfile.TemporaryDirectory() as folder:
        policies = os.path.join(folder, "policy")
        shutil.copytree(os.path.join(HERE, "servers/pager/policy"), policies)
        with open(os.path.join(policies, "mru.c"), "w", encoding="utf-8") as file:
            file.write(source)
        with open(os.path.join(policies, "policies.def"), "a", encoding="utf-8") as file:
            file.write(line + "\n")
        lab = os.path.join(folder, "lab")
        main = os.path.join(folder, "main.c")
        with open(main, "w", encoding="utf-8") as file:
            file.write('#include "lab.h"\n'
                       '#include "sim_replay.h"\n'
                       "int main(int count, char **argument) {\n"
                       "    return sim_main(count, argument);\n"
                       "}\n"
                       "bool sim_fast(const struct sim_trace *trace, struct policy_choice choice,\n"
                       "              uint32_t frames, sim_victim_seen *seen, void *context,\n"
                       "              struct sim_result *result) {\n"
                       "    (void)trace, (void)choice, (void)frames, (void)seen, (void)context;\n"
                       "    (void)result;\n"
                       "    return false;  // only the checked host is built here\n"
                       "}\n")
        done = command(["gcc", "-std=gnu2x", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                        "-I", policies, "-I", os.path.join(HERE, "lab"),
                        "-I", os.path.join(HERE, "abi"), "-I", os.path.join(BUILD, "abi"),
                        "-I", os.path.join(HERE, "servers/tracer"), "-pthread", "-o", lab, main,
                        *glob.glob(os.path.join(policies, "*.c")), *lab_sources()])
        check(done.returncode == 0, done.stderr)
        random.seed(1)
        pages = [random.randrange(1 + random.randrange(200)) for _ in range(30000)]
        trace = os.path.join(folder, "t.u32")
        with open(trace, "wb") as file:
            file.write(struct.pack(f"<{len(pages)}I", *pages))
        done = command([lab, "--policy", "mru", "--frames", "1,10,100", trace])
        check(done.returncode == 0, done.stderr)
    rows = list(csv.reader(done.stdout.splitlines()))[1:]
    check(len(rows) == 3, done.stdout)
    for _, frames, _, misses in rows:
        expected = mru_misses(pages, int(frames))
        check(int(misses) == expected, f"{frames} frames: {misses} misses, not {expected}")


@takes(25)
def test_policy_one_file_one_line():
    """a file and a line are all it takes: pager, init and laboratory know the policy after a build"""
    source, line = example()
    with tempfile.TemporaryDirectory(prefix="quire-build-") as folder:
        copy_tree(folder)
        policies = os.path.join(folder, "servers/pager/policy")
        with open(os.path.join(policies, "mru.c"), "w", encoding="utf-8") as file:
            file.write(source)
        with open(os.path.join(policies, "policies.def"), "a", encoding="utf-8") as file:
            file.write(line + "\n")
        image = vm.Image(BUILD)
        build = os.path.join(folder, "build")
        modules = {os.path.basename(path): os.path.join(build, os.path.relpath(path, BUILD))
                   for path in image.modules if os.path.basename(path) in ("pager", "init")}
        lab = os.path.join(build, os.path.relpath(LAB, BUILD))
        done = command(["meson", "setup", "build", "--cross-file", "cross-i686.txt"], cwd=folder)
        check(done.returncode == 0, done.stdout[-500:])
        done = command(["ninja", "-C", "build", *(os.path.relpath(path, build)
                                                  for path in (lab, *modules.values()))], cwd=folder)
        check(done.returncode == 0, done.stdout[-500:])
        check("\nmru " in command([lab, "policies"]).stdout, "the laboratory does not know it")
        run = vm.run(vm.Machine(image=image.replaced(modules),
                                command="policy=mru frames=64 run=memtest,80,1 store=ram:1024"))
        check(run.ok and run.stats["memtest"]["policy"] == "mru", run.explain())
        check(run.stats["memtest"]["evictions"] > 20, f"{run.stats}")


RUN = "frames=128 run=memtest,400,2 store=ram:1024 trace=on"
DECISION = re.compile(r"\s+[\d.]+ pager\s+(admit|evict|policy)\s+(.*), of memtest")


def decisions(line):
    """What the pager's policy learned and chose in a run: (event, words), and the run's result."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace.pcapng")
        result = vm.run(vm.Machine(image=vm.Image(BUILD), command=line, trace=path, icount=True))
        check(result.ok, result.explain())
        text = command([LAB, "trace", path]).stdout
    check(not re.search(r"^\s*[\d.]+ \S+\s+lost ", text, re.M), "the trace lost records")
    found = []
    for match in DECISION.finditer(text):
        words = dict(word.split("=") for word in match.group(2).split(", "))
        found.append((match.group(1), words))
    return found, result


def check_residents(found, limit):
    """Only residents are evicted, from the slot that they were admitted to; yields their age."""
    resident, admitted = {}, 0
    for event, words in found:
        if event == "admit":
            admitted += 1
            resident[words["page"]] = (words["slot"], admitted)
            check(len(resident) <= limit, f"{len(resident)} pages are resident in {limit} frames")
        elif event == "evict":
            check(words["page"] in resident, f"{words['page']} was evicted, but is not resident")
            slot, age = resident.pop(words["page"])
            check(slot == words["slot"], f"{words['page']} was admitted to slot {slot}: {words}")
            yield age


@takes(5)
def test_policy_fifo_in_guest():
    """in the booted system FIFO evicts pages in the order in which they came, none twice"""
    found, result = decisions(f"policy=fifo {RUN}")
    ages = list(check_residents(found, 128))
    check(ages == sorted(ages) and len(ages) > 500, f"{len(ages)} victims out of order")
    check(len(ages) == result.stats["memtest"]["evictions"], f"{len(ages)}: {result.stats}")


@takes(5)
def test_policy_handover_in_guest():
    """a switch under load keeps the residents: only pages that came in are evicted, none twice"""
    found, result = decisions(f"policy=fifo at=500:policy=sieve {RUN}")
    check(result.stats["memtest"]["policy"] == "sieve", str(result.stats))
    events = [event for event, _ in found]
    switch = len(events) - 1 - events[::-1].index("policy")
    ages = list(check_residents(found, 128))
    before = events[:switch].count("evict")
    check(before > 100 and ages[:before] == sorted(ages[:before]), "FIFO's victims out of order")
    check(len(ages) > before + 100, f"{len(ages) - before} victims after the switch")


@takes(10)
def test_policy_replay_in_guest():
    """victims of a recorded run, with live switches, are those that the host's replay chooses"""
    line = f"policy=fifo at=300:policy=sieve at=700:policy=clock_r1 {RUN}"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace.pcapng")
        result = vm.run(vm.Machine(image=vm.Image(BUILD), command=line, trace=path, icount=True))
        check(result.ok, result.explain())
        done = command([LAB, "replay", path])
        check(done.returncode == 0, done.stdout + done.stderr)
        rows = list(csv.DictReader(done.stdout.splitlines()))
        check(len(rows) == 1 and rows[0]["name"] == "memtest", done.stdout)
        check(rows[0]["policy"] == "clock_r1" and rows[0]["result"] == "same", done.stdout)
        check(int(rows[0]["victims"]) == result.stats["memtest"]["evictions"],
              f"{done.stdout}{result.stats}")
        with open(path, "rb") as file:
            whole = file.read()
        cut = os.path.join(folder, "cut.pcapng")
        with open(cut, "wb") as file:
            file.write(whole[:len(whole) // 2])
        done = command([LAB, "replay", cut])
        check(done.returncode == 0 and "same" in done.stdout, done.stdout + done.stderr)
    for wrong in (["replay"], ["replay", "/nowhere"], ["replay", LAB]):
        done = command([LAB, *wrong])
        check(done.returncode == 2 and done.stderr, f"{wrong}: {done.returncode} {done.stdout}")
