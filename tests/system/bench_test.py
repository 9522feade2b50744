# SPDX-License-Identifier: MIT
"""./quire bench: what it refuses, that it prints the same twice, and what its other views show."""
import json
import os
import re
import subprocess
import sys
import tempfile

from common import HERE, check, quire, takes

sys.path.insert(0, os.path.join(HERE, "bench"))
import history  # noqa: E402
import measure  # noqa: E402
import paths  # noqa: E402

FIELDS = ["name", "median", "p99", "entries", "cr3_loads", "lines"]
GOALS = ("null_call", "ipc_0w", "ipc_2w", "ipc_64w", "fault_pager", "fault_real", "fault_zeroed",
         "map_unmap", "bulk_map_page", "signal_wake", "scan_entry", "boot")
WRONG = {  # what is wrong: options, a word of the answer
    "an option that there is not": (["--bogus"], "--bogus"),
    "a row that there is not": (["--where", "nope"], "nope"),
    "no row": (["--where"], "--where"),
    "a file in no folder": (["--json", "/no/such/folder/x"], "/no/such/folder/x"),
    "no file": (["--json"], "--json"),
    "neither a file nor a revision": (["--compare", "no-such-thing"], "no-such-thing"),
    "an option for git": (["--compare=--all"], "--all"),
    "a file without figures": (["--compare", os.path.join(HERE, "meson.build")], "meson.build"),
    "figures of rows without names": (["--compare", "FILE"], "no figures"),
    "two views": (["--scale", "--where", "boot"], "--scale"),
    "two outputs": (["--json", "-", "--where", "boot"], "--json"),
}


@takes(4)
def test_bench_refuses():
    """wrong options of bench give one line that names them, and measure nothing"""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
        path = os.path.join(folder, "rows.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"rows": [{"median": 1}]}\n')
        for case, (options, word) in WRONG.items():
            done = quire("bench", *[path if option == "FILE" else option for option in options])
            said = [line for line in done.stderr.splitlines() if "quire: building" not in line]
            if done.returncode not in (1, 2) or done.stdout or len(said) != 1 or word not in said[0]:
                wrong.append(f"{case}: exit status {done.returncode}: {done.stderr}{done.stdout}")
    check(not wrong, "; ".join(wrong))


def rows_of(text):
    """{name: row} of a JSON text, its shape checked."""
    rows = json.loads(text)["rows"]
    for row in rows:
        check(list(row) == FIELDS, f"the fields of a row are {list(row)}")
    return {row["name"]: row for row in rows}


def compared(text):
    """{row: (then, now)} of what --compare printed."""
    lines = re.findall(r"^(\w+) +([\d,]+) +([\d,]+) ", text, re.MULTILINE)
    return {name: (int(then.replace(",", "")), int(now.replace(",", "")))
            for name, then, now in lines}


@takes(40)
def test_bench_same():
    """two runs of bench print the same figures, and --compare shows the one that was changed between"""
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
        path = os.path.join(folder, "first.json")
        first = quire("bench", "--json", path)
        check(first.returncode == 0, first.stderr)
        with open(path, encoding="utf-8") as file:
            rows = rows_of(file.read())
        changed = rows["ipc_2w"]["median"] + 1000
        rows["ipc_2w"]["median"], now = changed, rows["ipc_2w"]["median"]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"rows": list(rows.values())}, file)
        second = quire("bench", "--compare", path)
    check("not speeds" in first.stdout, "the table does not say that these are path lengths")
    check("seL4" in first.stdout, "the table has no anchors")
    for name in GOALS:
        row = rows[name]
        check(all(isinstance(row[field], (int, float)) for field in FIELDS[1:]), f"{row}")
        check(row["p99"] >= row["median"] > 0 or name == "ipc_2w", f"{row}")
    check(second.returncode == 0, second.stderr)
    both = compared(second.stdout)
    check(both.keys() == rows.keys(), f"compared were {sorted(both)}")
    differing = {name: pair for name, pair in both.items() if pair[0] != pair[1]}
    check(differing == {"ipc_2w": (changed, now)}, f"these differ: {differing}")
    check(re.search(r"^ipc_2w .* -1,000 ", second.stdout, re.MULTILINE), "no difference printed")


def test_bench_size():
    """bench --size prints the bytes and lines that the build and the sources have"""
    done = quire("bench", "--size")
    printed = dict(re.findall(r"^(kernel_\w+) +([\d,]+) ", done.stdout, re.MULTILINE))
    found = {row.name: f"{row.median:,}" for row in measure.system_size()}
    check(done.returncode == 0 and printed == found, f"{printed} is not {found}: {done.stderr}")
    boot = int(found["kernel_boot"].replace(",", ""))
    check(boot > 4096, f"the start has only {boot} bytes")


@takes(2)
def test_bench_where():
    """bench --where shares out each instruction of one operation, as the guest itself counted them"""
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
        profile = os.path.join(folder, "profile")
        result = measure.vm.run(measure.machine("calls", profile))
        medians = {match[1]: int(match[4]) for match in measure.said(result)}
        traced = dict(zip(measure.RUNS["calls"], paths.read(profile)[1:]))
    check(medians.keys() == traced.keys(), f"{sorted(medians)} {sorted(traced)}")
    for name, row in traced.items():
        check(row.median("instructions") == medians[name], f"{name}: {row.median('instructions')} "
              f"by the plugin, {medians[name]} by rdtsc")
    shown = quire("bench", "--where", "ipc_2w").stdout
    counts = re.findall(r"^ *([\d,]+) +[\d.]+% +\d+  (\S+) +(\w+)$", shown, re.MULTILINE)
    total = sum(int(count.replace(",", "")) for count, _, _ in counts)
    check(total == medians["ipc_2w"], f"{total} instructions shown, {medians['ipc_2w']} measured")
    check({binary for _, binary, _ in counts} == {"kernel", "bench-calls"}, shown)


@takes(15)
def test_bench_crowd():
    """ten thousand threads, a thousand tasks, 16 MB and 3 GB leave paths of calls and faults as they are"""
    medians = measure.scale(("calls", "touch"))
    check(set(medians) == {*measure.RUNS["calls"], *measure.RUNS["touch"]}, f"{sorted(medians)}")
    crowds = [bool(crowd) for _, _, crowd in measure.SIZES]
    large = [memory > 64 for _, memory, _ in measure.SIZES]
    for name, row in medians.items():
        if name in ("boot", "boot_program"):
            check([cell is None for cell in row] == crowds, f"{name}: {row}")
        elif name == "fault_zeroed":  # frames of a large machine lie above the kernel's window
            for same in (True, False):
                check(len({cell for cell, is_large in zip(row, large) if is_large == same}) == 1,
                      f"{name}: {row}")
        else:
            check(len(set(row)) == 1 and row[0] is not None, f"{name}: {row}")


@takes(2)
def test_bench_crowd_missing():
    """a crowd that is not there, or finds no memory, is no measurement"""
    result = measure.vm.run(measure.machine("touch", crowd="tasks=4"))
    check(measure.medians("touch", result, None, "tasks=4"), "no rows beside four tasks")
    check("no crowd" in refused(lambda: measure.medians("touch", result, None, "tasks=5")),
          "four tasks were taken for five")
    result = measure.vm.run(measure.machine("touch", crowd="tasks=1000"))
    check("crowd" in refused(lambda: measure.medians("touch", result, None, "tasks=1000")),
          "a thousand tasks in 64 MB: " + result.text)


def repository(folder, script):
    """A git repository whose front door is a script of a line."""
    path = os.path.join(folder, "quire")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + script + "\n")
    os.chmod(path, 0o755)
    for line in (["init", "-q"], ["add", "quire"],
                 ["-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-C", folder, *line], check=True)


def refused(function):
    """What it says when it refuses."""
    try:
        function()
    except RuntimeError as error:
        return str(error)
    return ""


def test_bench_history():
    """a release's figures are kept once, and a git revision is built and measured apart"""
    here, releases = history.HERE, history.RELEASES
    row = {"name": "null_call", "median": 7}
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
        try:
            history.RELEASES = os.path.join(folder, "releases.jsonl")
            open(history.RELEASES, "w", encoding="utf-8").close()
            check("no release" in refused(history.last_release), "no release, and no word of it")
            history.check_new()
            history.add({"null_call": measure.Row("null_call", 5)})
            check("already" in refused(history.check_new), "a release was to be recorded twice")
            last = history.last_release()
            check((last.name, last.rows) == (history.version(), {"null_call": 5}), f"{last}")
            with open(history.RELEASES, "a", encoding="utf-8") as file:
                file.write("[1]\n")
            check("no release's" in refused(history.check_new), "a broken line went unnoticed")
            history.HERE = os.path.join(folder, "then")
            os.mkdir(history.HERE)
            repository(history.HERE, "echo '" + json.dumps({"rows": [row]}) + "'")
            check(history.source("HEAD")().rows == {"null_call": 7}, "the revision's figures")
            repository(history.HERE, "echo no such option >&2; exit 2")
            check("no such option" in refused(history.source("HEAD")), "a failure went unnoticed")
        finally:
            history.HERE, history.RELEASES = here, releases
