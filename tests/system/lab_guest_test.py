# SPDX-License-Identifier: MIT
"""The laboratory's commands that run programs: record, seen, fidelity, matrix; and the workloads."""
import csv
import json
import os
import re
import tempfile

import counts
import vm
from common import BUILD, LIMIT, check, command, quire, takes
from policy_test import LAB

RECORDED = ("/bin/echo", "words to say")


def one_line(done, status, text):
    said = done.stderr.splitlines()
    check(done.returncode == status and len(said) == 1 and text in said[0] and not done.stdout,
          f"status {done.returncode}: {done.stdout} {done.stderr}")


def rows_of(done):
    check(done.returncode == 0, f"status {done.returncode}: {done.stderr}")
    return list(csv.DictReader(done.stdout.splitlines()))


def test_lab_record_rejects():
    """what cannot be recorded is refused in one line, with a status of its own"""
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "script")
        with open(script, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n")
        for arguments, text in (
                ([], "name a program"), (["--filter", "0", "x"], "from 1 to 256"),
                (["--filter"], "needs a value"), (["--what", "x"], "unknown option"),
                (["nothing-like-it"], "there is no program"), ([script], "is a script"),
                ([os.path.join(folder, "none")], "cannot open"),
                ([os.path.join(BUILD, "words")], "no Linux program" if os.path.exists(
                    os.path.join(BUILD, "words")) else "cannot open"),
                (["-o", folder, "/bin/echo"], "cannot write")):
            one_line(command([LAB, "record", *arguments]), 125, text)


def test_lab_record():
    """a Linux program runs as always, and its references replay, with writes among them"""
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "echo.qref")
        done = command([LAB, "record", "-o", trace, *RECORDED])
        check(done.returncode == 0 and done.stdout == RECORDED[1] + "\n", done.stdout + done.stderr)
        check(command([LAB, "record", "-o", trace + "2", "/bin/false"]).returncode == 1,
              "the status is not the program's")
        rows = rows_of(command([LAB, "sim", "--policy", "min,lru", "--frames", "20,200%", "--writes",
                                trace]))
        misses = {(row["policy"], row["frames"] == "20"): int(row["misses"]) for row in rows}
        check(misses["lru", True] > misses["min", True] > misses["min", False] > 20, str(misses))
        check(any(int(row["writebacks"]) > 0 for row in rows), "nothing was written")


def test_lab_seen_rejects():
    """seen refuses wrong options and references beyond 32 bits in a line"""
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "t.txt")
        with open(trace, "w", encoding="utf-8") as file:
            file.write("1\n1048576\n")
        for arguments, text in (
                ([trace], "--policy is missing"), (["--policy", "fifo", trace], "--frames"),
                (["--policy", "nope", "--frames", "3", trace], "--policy 'nope' names no policy"),
                (["--policy", "fifo", "--frames", "0", trace], "from 1 to"),
                (["--policy", "fifo", "--frames", "3"], "trace is missing"),
                (["--policy", "fifo", "--frames", "3", "--whole", trace], "needs --frames 8"),
                (["--policy", "fifo", "--frames", "3", "--share", "x", trace], "from 0 to"),
                (["--policy", "fifo", "--frames", "3", "--refused", "/none", trace], "/none"),
                (["--policy", "fifo", "--frames", "3", "--refused", LAB, trace], "a file of numbers"),
                (["--policy", "fifo", "--frames", "3", "/none"], "/none")):
            one_line(command([LAB, "seen", *arguments]), 2, text)
        done = command([LAB, "seen", "--policy", "fifo", "--frames", "3", trace])
        check(done.returncode == 2 and "beyond a 32-bit space" in done.stderr, done.stderr)


def lackey(path, *instructions):
    """A trace whose clock counts instructions: (pages that each uses)."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("==1== Lackey, an example Valgrind tool\n")
        for code, *data in instructions:
            file.write(f"I  {code << 12:08x},3\n")
            for page in data:
                file.write(f" L {page << 12:08x},4\n")


def test_lab_seen_whole():
    """an instruction needs all its pages at once and begins again after a fault, a victim stays"""
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "t.lackey")
        lackey(trace, *((1, page) for page in range(2, 10)))
        line = [LAB, "seen", "--policy", "lfu", "--frames", "8"]
        whole = command([*line, "--whole", "--events", trace]).stdout.splitlines()
        apart = command([*line, "--events", trace]).stdout.splitlines()
        check(whole[:8] == apart[:8] == [f"admit {page:#x}" for page in range(1, 9)], str(whole))
        check(apart[8:] == ["evict 0x1", "admit 0x9"], str(apart))
        check(whole[8:] == ["evict 0x1", "admit 0x9", "scan 0x0", "evict 0x9", "admit 0x1",
                            "keep 0x1", "evict 0x2", "admit 0x9"], str(whole))
        check(rows_of(command([*line, "--whole", trace]))[0]["kept"] == "1", "one is kept")
        lackey(trace, tuple(range(1, 11)))
        one_line(command([*line, "--whole", trace]), 2, "more than 8 pages")


def test_lab_seen_refused():
    """a page that the pager did not write ahead stays dirty, and is asked for again"""
    with tempfile.TemporaryDirectory() as folder:
        trace, refused = os.path.join(folder, "t.txt"), os.path.join(folder, "refused")
        with open(trace, "w", encoding="utf-8") as file:
            file.writelines(f"{page % 64} w\n" for page in range(1000))
        line = [LAB, "seen", "--policy", "wsclock:tau=1", "--frames", "32", "--events", trace]
        cleaned = command(line).stdout.splitlines()
        with open(refused, "w", encoding="utf-8") as file:
            file.write("1\n3\n")
        some = command([*line, "--refused", refused]).stdout.splitlines()
        first = next(i for i, event in enumerate(cleaned) if event.startswith("clean"))
        page = cleaned[first].split()[1]
        check(some[:first] == cleaned[:first] and some[first] == f"refuse {page}", str(some[:first + 1]))
        check(len([event for event in some if event.startswith("refuse")]) == 2, "two are refused")


def test_plugins_reject():
    """the plugins for the guest refuse wrong options in a line, and no machine starts"""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        bad = os.path.join(folder, "map")
        with open(bad, "w", encoding="utf-8") as file:
            file.write("part nothing 1 2\n")
        for plugin, options, text in (
                ("pages", "", "give out=FILE"), ("pages", f",out={out},filter=0", "from 1 to 256"),
                ("pages", f",out={out},whole=2", "is no option"),
                ("pages", f",out={out},code=x", "is no option"),
                ("counts", "", "give out=FILE and map=FILE"), ("counts", ",what=1", "is no option"),
                ("counts", f",out={out},map={bad}", "is no map"),
                ("counts", f",out={out},map={folder}/none", "is no map")):
            path = os.path.join(BUILD, "lab", plugin + ".so")
            done = command([vm.QEMU, "-display", "none", "-nodefaults", "-plugin", path + options])
            check(done.returncode != 0 and text in done.stderr, f"{options}: {done.stderr}")


def test_counts_map():
    """the pager's functions are told apart by where they were written, inlined ones, too"""
    parts = counts.parts(counts.PAGER)
    starts = re.findall(r"^([0-9a-f]+) [tT] (\w+)$", counts.tool("nm", counts.PAGER), re.MULTILINE)
    kinds = {name: {kind for kind, first, end in parts if first <= int(at, 16) < end}
             for at, name in starts}
    victims = [name for name in kinds if name.endswith("_victim") and kinds[name] == {"policy"}]
    check(len(victims) >= 15, f"policies are missing: {victims}")
    for name, expected in (("checked_victim", {"checked"}), ("checked_drop", {"checked"}),
                           ("scan_domain", set()), ("machine_trace_record", set())):
        check(kinds[name] == expected, f"{name}: {kinds[name]}")
    inlined = [part for part in parts if part[0] == "checked" and
               part[1] < min(int(at, 16) for at, name in starts if name.startswith("checked_"))]
    check(inlined, "checked.h is nowhere inlined")
    check(all(first < end for _, first, end in parts), str(parts))
    check(all(a[2] <= b[1] for a, b in zip(parts, parts[1:])), "parts overlap")




@takes(40)
def test_lab_fidelity():
    """what the pager sees of a run explains its misses in the guest: there is no gap"""
    line = ("lab", "fidelity", "--policy", "lirs,arc", "--most", "0", "--workload")
    first, second = quire(*line, "sort"), quire(*line, "sort")
    check(rows_of(first) and first.stdout == second.stdout,
          "two runs differ: " + first.stdout + second.stdout)
    rows = rows_of(quire(*line, "zipf"))
    check([row["policy"] for row in rows] == ["lirs", "arc"], str(rows))
    for row in rows:
        check(int(row["min"]) < int(row["guest"]) == int(row["seen"]) and row["gap"] == "0.00",
              str(row))
        check(int(row["references"]) > 100000 and float(row["read_mib"]) > 1, str(row))
    check(int(rows[0]["kept"]) > 0, "no victim of LIRS was kept")


@takes(20)
def test_lab_fidelity_instructions():
    """instructions of policies, checks, scans and trace are parts of the pager's"""
    rows = rows_of(quire("lab", "fidelity", "--policy", "fifo,clock,lru", "--workload", "phases"))
    spent = {row["policy"]: {part: int(row[part + "_instructions"]) for part in counts.NUMBERS}
             for row in rows}
    for row in rows:
        parts = spent[row["policy"]]
        check(sum(parts.values()) < int(row["pager_instructions"]), str(row))
        check(min(parts["policy"], parts["checked"]) > 10 * int(row["guest"]), str(row))
        check(parts["trace"] > parts["policy"], str(row))
        check((parts["scan"] > 0) == (parts["scan_kernel"] > 0) == (int(row["scans"]) > 0), str(row))
    check(spent["fifo"]["scan"] == 0 < spent["clock"]["scan"], "FIFO is not scanned for")
    check(spent["lru"]["policy"] > spent["fifo"]["policy"], "LRU keeps an order for nothing")


def test_lab_matrix_rejects():
    """the matrix refuses unknown policies, workloads and amounts of memory in a line"""
    for arguments in (["--policy", "nope"], ["--workload", "nope"], ["--frames", "x"],
                      ["--frames", "5"], ["--seeds", "0"]):
        for tool in ("matrix", "fidelity")[:1 if arguments[0] == "--seeds" else 2]:
            done = quire("lab", tool, *arguments)
            check(done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr)
            check(f"(./quire lab {tool} --help" in done.stderr, done.stderr)


@takes(20)
def test_lab_matrix():
    """the matrix has a row for each cell, intervals where numbers are drawn, and a manifest"""
    with tempfile.TemporaryDirectory() as folder:
        manifest = os.path.join(folder, "m.json")
        line = ("lab", "matrix", "--policy", "fifo,arc:p=8", "--workload", "sort,phases", "--frames",
                "50", "--seeds", "2", "--manifest", manifest)
        rows = rows_of(quire(*line))
        check([(row["workload"], row["runs"]) for row in rows] ==
              [("sort", "1"), ("sort", "1"), ("phases", "2"), ("phases", "2")], str(rows))
        check(all(float(row["faults"]) > 128 for row in rows), str(rows))
        check(float(rows[2]["faults95"]) > 0 == float(rows[0]["faults95"]), str(rows))
        with open(manifest, encoding="utf-8") as file:
            check({"qemu", "compiler", "kernel", "modules"} <= set(json.load(file)), "no versions")


def test_lab_reproduce_rejects():
    """reproduce refuses unknown tables and folders, and parts where all is published"""
    for arguments, status, text in (
            (["matrices"], 2, "there is no table 'matrices'"),
            (["--folder", "/none", "matrix"], 2, "there is no folder '/none'"),
            (["--write", "--policy", "lru", "matrix"], 2, "a part of a table is not published"),
            (["--jobs", "0"], 2, "out of range")):
        one_line(quire("lab", "reproduce", *arguments), status, text)
    with tempfile.TemporaryDirectory() as folder:
        done = quire("lab", "reproduce", "--folder", folder, "--traces", folder, "exactness")
        check(done.returncode == 1 and "there is no oracle.csv" in done.stdout, done.stdout)
        done = quire("lab", "reproduce", "--folder", folder, "--policy", "fofi", "matrix")
        check(done.returncode == 1 and "'fofi' is none of" in done.stderr, done.stderr)


@takes(20)
def test_lab_reproduce():
    """a table made again is the same to the byte; a row that was changed is named, with its versions"""
    part = ("--policy", "fifo,arc:p=8", "--workload", "sort", "--frames", "50")
    with tempfile.TemporaryDirectory() as folder:
        line = ("lab", "reproduce", "--folder", folder, *part, "matrix")
        done = quire(*line, "--write")
        check(done.returncode == 0 and "matrix: 2 rows written" in done.stdout, done.stdout + done.stderr)
        done = quire(*line)
        check(done.returncode == 0 and "2 rows, the same to the byte" in done.stdout, done.stdout)
        done = quire("lab", "reproduce", "--folder", folder, "--policy", "fifo", *part[2:], "matrix")
        check("1 rows of the 2 published, the same to the byte" in done.stdout, done.stdout)
        path = os.path.join(folder, "matrix.csv")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("sort,50,128,fifo,1,", "sort,50,128,fifo,1,9"))
        done = quire(*line)
    check(done.returncode == 1 and "1 of 2 rows differ, the first: sort 50 fifo: faults 9" in done.stdout
          and "made with these very versions" in done.stdout, done.stdout + done.stderr)


def run_workload(arguments, frames):
    return vm.run(vm.Machine(image=vm.Image(BUILD), icount=True, disk=0, limit=LIMIT,
                             command=f"policy=clock frames={frames} store=ram run=workload{arguments}"))


def test_workload_rejects():
    """a workload refuses unknown kinds and wrong numbers with status 2"""
    for arguments in ("", ",nope", ",zipf,0", ",zipf,x", ",zipf,9,9,9,9"):
        result = run_workload(arguments, 64)
        check(result.status == 2 and re.search("usage|no number", result.text), result.text[-300:])


@takes(10)
def test_workload_runs():
    """each workload ends well under pressure, and the same arguments give the same digest"""
    for kind in ("scan", "loop", "zipf", "phases", "sort", "interp"):
        digests = set()
        for frames in (64, 400):
            result = run_workload(f",{kind},128,4000,5", frames)
            found = re.search(r"workload: .* digest ([0-9a-f]{8})", result.text)
            check(result.ok and found, result.text[-300:])
            digests.add(found.group(1))
        check(len(digests) == 1, f"{kind}: {digests}")
