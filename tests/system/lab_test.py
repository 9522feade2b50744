# SPDX-License-Identifier: MIT
"""The laboratory's commands that read and write traces: sim, convert, merge, scores, rates."""
import glob
import os
import random
import re
import signal
import struct
import subprocess
import tempfile
import time

from common import check, command
from policy_test import LAB, refused

TEXT = "".join(f"{page}{' w' if page % 3 == 0 else ''}\n" for page in
               [random.Random(i).randrange(1 + i % 40) for i in range(3000)])


def ran(*arguments, stdin=None):
    done = subprocess.run([LAB, *arguments], input=stdin, capture_output=True, check=False)
    check(done.returncode == 0, f"{arguments}: {done.returncode} {done.stderr.decode()}")
    return done.stdout


def write(folder, name, contents):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(contents)
    return path


def wait_until(condition, what):
    end = time.monotonic() + 10
    while not condition():
        check(time.monotonic() < end, f"{what}: waited 10 s for it")
        time.sleep(0.01)


def test_lab_stdin():
    """a trace comes from standard input, plain or packed, and is named stdin"""
    arguments = ["sim", "--policy", "lru,min", "--frames", "5,50%", "--writes", "-"]
    plain = ran(*arguments, stdin=TEXT.encode())
    check(plain.startswith(b"trace,frames,policy,misses,writebacks\nstdin,5,lru,"), plain)
    for program in ("xz", "zstd", "gzip"):
        packed = subprocess.run([program, "-c"], input=TEXT.encode(), capture_output=True,
                                check=True).stdout
        check(ran(*arguments, stdin=packed) == plain, f"packed by {program}")


def test_lab_formats():
    """the same references in six formats have the same misses and writebacks"""
    pages = [(int(line.split()[0]), line.endswith("w")) for line in TEXT.splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        text = write(folder, "t.txt", TEXT.encode())
        ran("convert", text, os.path.join(folder, "t.qref"))
        write(folder, "t.lackey", b"".join(b" %c %x,4\n" % (b"S" if w else b"L", page << 12)
                                           for page, w in pages))
        write(folder, "t.u32", struct.pack(f"<{len(pages)}I", *(page for page, _ in pages)))
        write(folder, "t.oracleGeneral", b"".join(struct.pack("<IQIq", i, page, 4096, -1)
                                                  for i, (page, _) in enumerate(pages)))
        for ends, columns in ((("txt", "qref", "lackey"), ["--writes"]),
                              (("txt", "u32", "oracleGeneral"), [])):
            found = {ran("sim", "--frames", "7,20", "--policy", "fifo,arc:p=8,min,random:seed=3",
                         *columns, os.path.join(folder, f"t.{end}")) for end in ends}
            check(len(found) == 1, b"\n".join(found).decode())


def test_lab_convert():
    """convert keeps every reference; --collapse keeps one of several to a page in a row"""
    with tempfile.TemporaryDirectory() as folder:
        trace = write(folder, "t", b"1\n1 w\n2\n2\n1\n")
        out = os.path.join(folder, "o.qref")
        ran("convert", trace, out)
        check(os.path.getsize(out) == 32 + 5 * 24, f"{os.path.getsize(out)} bytes")
        ran("convert", "--collapse", trace, out)
        with open(out, "rb") as file:
            written = file.read()
        records = [struct.unpack_from("<QQII", written, at) for at in range(32, len(written), 24)]
        check(records == [(1, 0, 0, 1), (2, 2, 0, 0), (1, 4, 0, 0)], str(records))
        check(struct.unpack_from("<8sIIQQ", written) == (b"quireref", 1, 24, 3, 0), str(written))
        check(ran("convert", "--collapse", trace, "-")[32:] == written[32:], "to standard output")
        bad = write(folder, "bad.txt", b"1\nx\n")
        os.remove(out)
        refused("line 2 is no page number", "convert", bad, out)
        check(not os.path.exists(out), "half a trace is left")
        refused("IN OUT", "convert", trace)
        for end in (".xz", ".zst", ".gz"):
            refused("nothing is packed here", "convert", trace, out + end)
        refused("unknown option", "convert", "--fast", trace, out)
        refused("cannot write", "convert", trace, folder)
        with open(trace, "rb") as file:
            before = file.read()
        link = os.path.join(folder, "link")
        os.symlink(trace, link)
        for same in (trace, link):
            refused("that is the trace to read", "convert", trace, same)
        with open(trace, "rb") as file:
            check(file.read() == before, "the trace was written over")


def test_lab_output_whole():
    """a file that a command cannot complete, or that a signal ends, stays as it was; no device goes"""
    with tempfile.TemporaryDirectory() as folder:
        good, bad = write(folder, "t.txt", b"1\n2\n"), write(folder, "bad.txt", b"1\nx\n")
        out = write(folder, "out", b"kept")
        os.chmod(out, 0o640)
        link = os.path.join(folder, "link")
        os.symlink("out", link)
        sim = ["sim", "--policy", "fifo", "--frames", "1"]
        for name in (out, link):
            refused("line 2", "convert", bad, name)
            refused("line 2", *sim, "--out", name, good, bad)
        refused("cannot write", "convert", good, "/dev/full")
        check(os.path.exists("/dev/full"), "the device is gone")
        for number, arguments in ((signal.SIGINT, ["convert", "-", out]),
                                  (signal.SIGTERM, [*sim, "--out", out, good, "-"])):
            with subprocess.Popen([LAB, *arguments], stdin=subprocess.PIPE) as running:
                running.stdin.write(b"1\n" * 100000)
                running.stdin.flush()
                wait_until(lambda: len(os.listdir(folder)) == 5, "a file beside")
                running.send_signal(number)
                check(running.wait() == -number, f"ended by {running.returncode}")
        check(sorted(os.listdir(folder)) == ["bad.txt", "link", "out", "t.txt"],
              str(os.listdir(folder)))
        with open(out, "rb") as file:
            check(file.read() == b"kept", "the file was written over")
        ran(*sim, "--out", link, good)
        check(os.path.islink(link) and os.stat(out).st_mode & 0o777 == 0o640, "link or rights")
        with open(out, "rb") as file:
            check(file.read() == b"trace,frames,policy,misses\nt,1,fifo,2\n", "not written")
        check(ran("convert", good, "/dev/stdout") == ran("convert", good, "-"), "a device")


def test_lab_output_input():
    """no command writes over a file that it reads, by whatever name"""
    with tempfile.TemporaryDirectory() as folder:
        trace = write(folder, "t.txt", b"1\n2\n")
        link = os.path.join(folder, "link.html")
        os.symlink(trace, link)
        for out in (trace, link):
            for arguments in (["sim", "--frames", "1", "--out", out, trace],
                              ["sim", "--frames", "1", "--jobs-file", out, trace],
                              ["curve", "--format", "csv", "-o", out, trace],
                              ["step", "--policy", "fifo", "--frames", "2", trace, "-o", out]):
                refused("to read; name another", *arguments)
            done = command([LAB, "record", "--read", trace, "-o", out])
            check(done.returncode == 125 and "the file to read" in done.stderr, done.stderr)
        with open(trace, "rb") as file:
            check(file.read() == b"1\n2\n", "the trace was written over")


def test_lab_one_name():
    """traces that would have one name in the results are refused at the start, both named"""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "d"))
        one, two = write(folder, "a.txt", b"1\n"), write(folder, "d/a.text", b"1\n")
        for out in ([], ["--jobs-file", os.path.join(folder, "jobs")]):
            refused("a.txt' and '" + two, "sim", "--frames", "1", *out, one, two)


def test_lab_text_marks():
    """a write's mark stands behind a page with a space or without; other letters are refused"""
    sim = ["sim", "--policy", "fifo", "--frames", "1", "--writes", "-"]
    for mark in ("w", " w", "\tw  # comment", "w# comment"):
        check(ran(*sim, stdin=f"1{mark}\n2r\n".encode()).endswith(b"fifo,2,1\n"), mark)
        step = ran("step", "--policy", "fifo", "--frames", "1", "-", 
                   stdin=(f"1{mark}".split("#", maxsplit=1)[0] + "\n2\n").encode())
        check(b"1w" in step, step.decode())
    with tempfile.TemporaryDirectory() as folder:
        for line in (b"1x\n", b"w\n", b"1ww\n", b"1w2\n"):
            refused("line 1 is no page number", *sim[:-1], write(folder, "t.txt", line))


def test_lab_policies_parameters():
    """policies lists each parameter, indented, with its normal value, which is within its bounds"""
    lines = ran("policies").decode().splitlines()
    for name, parameter in (("lirs", "hir=1:"), ("lirs_10", "hir=10:"), ("arc", "p=0:")):
        at = next(i for i, line in enumerate(lines) if line.split()[0] == name)
        check(lines[at + 1].startswith(" ") and lines[at + 1].split()[0] == parameter, lines[at + 1])
    for line in lines:
        if line.startswith(" "):
            normal, least = re.match(r" +\w+=(\d+): .* \((\d+)( to \d+| or more)\)$", line).groups()[:2]
            check(int(least) <= int(normal), line)


def jobs(folder, *arguments, run='sh "$J"'):
    """Has the jobs file $J run by a shell line; returns the parts."""
    path = os.path.join(folder, "jobs")
    ran("sim", "--jobs-file", path, *arguments)
    done = command(["sh", "-ec", run], env=dict(os.environ, J=path))
    check(done.returncode == 0 and done.stdout == "", done.stderr)
    return sorted(glob.glob(path + ".*.csv"))


def merges(run):
    """The merged parts of jobs that are run so are, byte for byte, what one run prints."""
    with tempfile.TemporaryDirectory() as folder:
        traces = [write(folder, "it's, one.txt", TEXT.encode()), write(folder, "b.txt", b"1\n2\n1\n")]
        arguments = ["--frames", "5,2,50%,2", "--policy", "all,arc:p=3", "--writes", *traces]
        parts = jobs(folder, *arguments, run=run)
        check(ran("merge", *reversed(parts)) == ran("sim", *arguments), "merged otherwise")


def test_lab_merge():
    """the merged parts of a run's jobs are, byte for byte, what one run prints"""
    merges('sh "$J"')


def test_lab_merge_parallel():
    """GNU parallel runs a jobs file, two jobs at a time, and the parts merge to one run's output"""
    merges('parallel --will-cite -j2 < "$J"')


def test_lab_merge_array():
    """each task of a Slurm array finds its job by its number, in any order, and the parts merge"""
    merges('for SLURM_ARRAY_TASK_ID in $(seq $(wc -l < "$J") -1 1); do\n'
           '    sed -n "${SLURM_ARRAY_TASK_ID}p" "$J" | sh\n'
           'done')


def test_lab_merge_rejects():
    """merge refuses what is missing, double, cut, contradictory or of another run"""
    with tempfile.TemporaryDirectory() as folder:
        trace = write(folder, "t.txt", TEXT.encode())
        parts = jobs(folder, "--frames", "5,6", "--policy", "fifo,lru,min", trace)
        refused("name the parts", "merge")
        refused("part 2 of 3 is missing", "merge", parts[0], parts[2])
        refused("part 1 is there twice", "merge", parts[0], *parts)
        refused("No such file", "merge", *parts[:2], parts[2] + "x")
        with open(parts[1], "rb") as file:
            whole = file.read()
        cut = write(folder, "cut.csv", whole[:-2])
        refused("cut or damaged", "merge", parts[0], cut, parts[2])
        short = write(folder, "short.csv", b"".join(whole.splitlines(True)[:-1]))
        refused("1 of its 2 rows", "merge", parts[0], short, parts[2])
        other = write(folder, "other.csv", whole.replace(b"run ", b"run 1"))
        refused("not of the same run", "merge", parts[0], other, parts[2])
        refused("does not begin", "merge", trace)
        header = b"trace,frames,policy,misses\n"
        one = write(folder, "one.csv", header + b"t,1,fifo,9\nt,2,fifo,8\n")
        two = write(folder, "two.csv", header + b"t,1,fifo,7\n")
        three = write(folder, "three.csv", header + b"t,1,lru,7\n")
        refused("contradict each other", "merge", one, two)
        refused("have the same row", "merge", one, one)
        refused("t,2,lru is missing", "merge", one, three)
        four = write(folder, "four.csv", header[:-1] + b",writebacks\nt,1,lru,7,1\n")
        refused("other columns", "merge", one, four)


def test_lab_scores():
    """scores names the first count that differs, and rewrites the file only when told to"""
    with tempfile.TemporaryDirectory() as folder:
        trace = write(folder, "t.u32", struct.pack("<6I", 1, 2, 3, 1, 2, 3))
        check(command(["xz", trace]).returncode == 0, "xz")
        scores = write(folder, "s.csv", b"trace,frames,policy,misses\nt,2,fifo,5\n")
        done = command([LAB, "scores", folder, scores])
        check(done.returncode == 1 and "t,2,fifo: 5 misses, now 6" in done.stdout, done.stdout)
        ran("scores", "--write", folder, scores)
        check(ran("scores", folder, scores) == b"all counts are the same\n", "rewritten")
        refused("name the folder", "scores", folder)
        for contents in (b"", b"trace,frames,policy,misses\n", b"a,b\nt,2,fifo,6\n", b"t,2,fifo,6\n"):
            refused("holds no scores", "scores", "--write", folder, write(folder, "no.csv", contents))


def test_lab_rates():
    """rates prints each policy's speed beside a plain loop's; its usage is refused in a line"""
    with tempfile.TemporaryDirectory() as folder:
        trace = write(folder, "t.txt", TEXT.encode())
        rows = ran("rates", "--rounds", "1", "9", trace).decode().splitlines()
        check(rows[0] == "policy,rate,ratio,goal,libcachesim", rows[0])
        check(rows[1].startswith("plain-fifo,") and len(rows) > 15, str(rows))
        check(not re.search(r",0\.00,", "\n".join(row.split(",", 3)[3] for row in rows)), str(rows))
        refused("FRAMES", "rates", "0", trace)
        refused("No such file", "rates", "9", trace + "x")


def test_lab_progress():
    """--progress tells how far it is, one line at a time, and standard output stays CSV"""
    with tempfile.TemporaryDirectory() as folder:
        trace = write(folder, "t.txt", TEXT.encode())
        done = command([LAB, "sim", "--progress", "--frames", "9", "--policy", "fifo", trace])
        check(done.stdout == "trace,frames,policy,misses\n" + done.stdout.splitlines()[1] + "\n",
              done.stdout)
        check("references read" in done.stderr, done.stderr)


def test_lab_help():
    """-h and --help of each command print its usage on standard output, status 0"""
    for name in ("sim", "convert", "merge", "scores", "rates", "policies"):
        for option in ("-h", "--help"):
            check(ran(name, option).startswith(f"usage: quire-lab {name}".encode()), name)
