# SPDX-License-Identifier: MIT
"""Traces of real runs: complete, causally linked, readable by tshark and by quire trace."""
import json
import os
import re
import tempfile

import vm
from common import BUILD, check, command, takes

EVICTING = "policy=fifo frames=200 run=memtest,500,1 trace=on"


def lab(*arguments):
    return command([os.path.join(BUILD, "lab", "quire-lab"), *arguments])


def record(folder, line, **options):
    """Run the system with a trace; returns the path of the trace."""
    path = os.path.join(folder, "trace.pcapng")
    result = vm.run(vm.Machine(image=vm.Image(BUILD), command=line, trace=path, **options))
    check(result.ok, result.explain())
    return path


def events_of(path):
    """Number of records, after a look at the summary: nothing may be lost."""
    summary = lab("trace", "--summary", path)
    check(summary.returncode == 0, summary.stderr)
    match = re.match(r"(\d+) records in \S+ s, (\d+) lost, (\d+) bytes", summary.stdout)
    check(match, summary.stdout[:200])
    events, lost, size = (int(word) for word in match.groups())
    check(lost == 0, f"{lost} records were lost")
    check(size == 60 + 64 * events == os.path.getsize(path), f"{size} bytes for {events} records")
    return events


def tshark(folder, path, wanted=None):
    """The lines that tshark prints of a trace."""
    script = os.path.join(folder, "quire.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write(lab("dissector").stdout)
    words = ["tshark", "-X", f"lua_script:{script}", "-r", path]
    result = command(words + (["-Y", wanted] if wanted else []))
    check(result.returncode == 0, result.stderr)
    check("rror" not in result.stderr and "cut short" not in result.stderr, result.stderr)
    return result.stdout.splitlines()


@takes(25)
def test_trace_tshark_reads():
    """tshark reads a run's trace to its end, with no malformed record"""
    with tempfile.TemporaryDirectory(prefix="quire-trace-") as folder:
        path = record(folder, EVICTING + " store=ram", icount=True)
        events = events_of(path)
        check(events > 10000, f"only {events} records")
        check(len(tshark(folder, path)) == events, "tshark shows another number of records")
        bad = tshark(folder, path, "_ws.malformed || quire.malformed || _ws.lua.error")
        check(not bad, "\n".join(bad[:3]))
        linked = tshark(folder, path, "quire.kind == 3 && quire.request")
        check(len(linked) > 500, f"only {len(linked)} replies know their request")


@takes(15)
def test_trace_tells_fault():
    """a fault's life is in the trace: fault, receive, evict, swap out and in, map, reply"""
    with tempfile.TemporaryDirectory(prefix="quire-trace-") as folder:
        path = record(folder, EVICTING + " store=ram", icount=True)
        lines = lab("trace", path).stdout.splitlines()
    lives = {}
    for line in lines:
        match = re.match(r" *\d+\.\d{9} (\S+) +(\w+) .*?(#|<- #)(\d+)$", line)
        if match:
            lives.setdefault(match.group(4), []).append((match.group(1), match.group(2)))
    wanted = [("memtest", "fault"), ("pager", "receive"), ("pager", "evict"),
              ("pager", "swap_out"), ("pager", "swap_in"), ("pager", "map"), ("pager", "reply")]
    whole = sum(1 for life in lives.values() if [one for one in life if one in wanted] == wanted)
    check(whole > 100, f"only {whole} faults have all of their life in the trace")


@takes(15)
def test_trace_every_reply():
    """at the end of a run no request is without its reply, and the time line is sound JSON"""
    with tempfile.TemporaryDirectory(prefix="quire-trace-") as folder:
        path = record(folder, "run=hello trace=on store=ram:64", icount=True)
        pending = lab("trace", "--pending", path)
        check(pending.stdout == "every request has its reply\n", pending.stdout)
        events = json.loads(lab("trace", "--json", path).stdout)["traceEvents"]
    names = {event["args"]["name"] for event in events if event["name"] == "process_name"}
    check({"init", "pager", "block", "console", "hello"} <= names, f"tasks named: {names}")
    check(any(event["ph"] == "X" and event["name"] == "console.write" for event in events),
          "no bar for a message")


@takes(10)
def test_trace_debug_port():
    """without a virtio console the trace goes to the debug port, and is as complete"""
    with tempfile.TemporaryDirectory(prefix="quire-trace-") as folder:
        path = record(folder, "run=hello trace=on store=ram:64", trace_port="debugcon")
        check(events_of(path) > 200, "hardly any records")


@takes(10)
def test_trace_switched():
    """the shell switches recording on and off; names of tasks are there all the same"""
    with tempfile.TemporaryDirectory(prefix="quire-trace-") as folder:
        script = [("quire> ", "hello\n"), ("quire> ", "trace on\n"), ("quire> ", "hello\n"),
                  ("quire> ", "trace off\n"), ("quire> ", "hello\n"), ("quire> ", "exit\n")]
        path = record(folder, "store=ram:64", script=script)
        text = lab("trace", path).stdout
    check(text.count("init.exit(status=0)") == 2, "not exactly one hello was recorded")
    check('is "pager"' in text and "shell " in text, "names are missing")


@takes(15)
def test_trace_clock_silent():
    """a program that watches the clock for 30 ms sends no message more than one that looks once"""
    counts = []
    for ms in (0, 30):
        with tempfile.TemporaryDirectory(prefix="quire-trace-") as folder:
            path = record(folder, f"run=sleep,{ms} store=ram:64 trace=on", icount=True)
            lines = lab("trace", path).stdout.splitlines()
        own = [line.split()[2] for line in lines if line.split()[1] == "sleep"]
        counts.append([own.count(kind) for kind in ("call", "kernel_call", "fault")])
        check(counts[-1][0] > 2, f"what sleep asked is not in the trace: {counts}")
    check(counts[0] == counts[1], f"calls, kernel calls and faults: {counts}")


@takes(2)
def test_trace_refuses():
    """quire trace refuses what is no trace with one line and status 1, a wrong option with 2"""
    for words, status, says in ((["/etc/passwd"], 1, "not a pcapng file"),
                                (["/nonexistent"], 1, "No such file"),
                                (["/tmp"], 1, "is a directory"),
                                (["/dev/null"], 1, "the file is empty"),
                                (["--frob", "x"], 2, "unknown option: --frob"),
                                ([], 2, "which file?")):
        result = lab("trace", *words)
        check(result.returncode == status, f"{words}: status {result.returncode}")
        check(says in result.stderr.splitlines()[0], f"{words}: {result.stderr}")


@takes(30)
def test_block_queue_sizes():
    """the disk works with small and large virtio queues: every page comes back as it was"""
    with tempfile.TemporaryDirectory(prefix="quire-disk-") as folder:
        path = os.path.join(folder, "swap.img")
        with open(path, "wb") as file:
            file.truncate(8 << 20)
        machines = []
        for option in ("queue-size=4", "queue-size=128", "queue-size=1024"):
            extra = ["-drive", f"file={path}.{option},if=none,format=raw,id=swap", "-device",
                     f"virtio-blk-pci,drive=swap,disable-modern=on,{option}"]
            with open(f"{path}.{option}", "wb") as file:
                file.truncate(8 << 20)
            machines.append(vm.Machine(image=vm.Image(BUILD), extra=extra, name=option,
                                       command="frames=200 run=memtest,500,1 store=disk"))
        for result in vm.run_all(machines, jobs=2):
            check(result.ok, f"{result.machine.name}: {result.explain()}")
            check(result.stats["memtest"]["read"] > 300, f"{result.machine.name}: nothing read")


@takes(20)
def test_block_disk_errors():
    """a disk that fails to write or read ends the program with an error, never the system"""
    with tempfile.TemporaryDirectory(prefix="quire-disk-") as folder:
        for event in ("write_aio", "read_aio"):
            path, rules = os.path.join(folder, "swap.img"), os.path.join(folder, "rules")
            with open(path, "wb") as file:
                file.truncate(8 << 20)
            with open(rules, "w", encoding="utf-8") as file:
                file.write(f'[inject-error]\nevent = "{event}"\nerrno = "5"\nonce = "off"\n')
            extra = ["-drive", f"file=blkdebug:{rules}:{path},if=none,format=raw,id=swap,"
                     "werror=report,rerror=report",
                     "-device", "virtio-blk-pci,drive=swap,disable-modern=on"]
            result = vm.run(vm.Machine(image=vm.Image(BUILD), extra=extra,
                                       command="frames=200 run=memtest,500,1 store=disk"))
            check(not result.hung and result.code == vm.FAILURE, f"{event}: {result.explain()}")
