# SPDX-License-Identifier: MIT
"""A person at the shell: ./quire run on a pseudo terminal, typed at and read like a terminal."""
import os
import pty
import re
import select
import subprocess
import tempfile
import time

from common import HERE, LIMIT, check, takes

PROMPT = "quire> "
FLOOD = 4000  # lines of two programs that print side by side: many turns for each
UP, LEFT, HOME, DELETE = "\x1b[A", "\x1b[D", "\x1b[H", "\x1b[3~"


class Session:
    """One run. `expect` waits for a text in what has come since the last text found."""

    def __init__(self, *options):
        self.text, self.place = "", 0
        master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [os.path.join(HERE, "quire"), "run", "--no-install", "--limit", str(LIMIT), *options],
            stdin=slave, stdout=slave, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(slave)
        self.master = master

    def __enter__(self):
        self.expect(PROMPT)
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.send("\x01x")  # ends QEMU; the front door then ends by itself
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        os.close(self.master)

    def send(self, keys):
        os.write(self.master, keys.encode())

    def read(self, limit):
        """Whether something came within the limit."""
        ready, _, _ = select.select([self.master], [], [], max(0, limit))
        try:
            data = os.read(self.master, 65536) if ready else b""
        except OSError:  # the other side is closed
            data = b""
        self.text += data.decode("utf-8", "replace").replace("\r", "")
        return bool(data)

    def expect(self, wanted):
        """Wait for a text; returns what stood before it, without escape sequences."""
        end = time.monotonic() + LIMIT
        while (found := self.text.find(wanted, self.place)) < 0:
            came = self.read(end - time.monotonic())
            check(came or time.monotonic() < end and self.process.poll() is None,
                  f"no '{wanted}' within {LIMIT} s; last: {self.text[self.place:][-200:]!r}")
        before = self.text[self.place:found]
        self.place = found + len(wanted)
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", before)

    def run(self, line):
        """Type a line; returns the lines printed until the next prompt."""
        self.send(line + "\r")
        self.expect("\n")
        return self.expect(PROMPT).splitlines()

    def end(self, line="off"):
        """Type the last line; returns the exit status of ./quire run."""
        self.send(line + "\r")
        limit = time.monotonic() + LIMIT
        while self.read(1) or self.process.poll() is None:
            check(time.monotonic() < limit, f"still running {LIMIT} s after '{line}'")
        return self.process.wait(LIMIT)


@takes(4)
def test_session_status():
    """the prompt comes, and off 3 ends ./quire run with status 3"""
    with Session() as session:
        check(session.end("off 3") == 3, "another status than 3")


@takes(4)
def test_session_unknown():
    """an unknown command is named with what to do, and leaves status 127"""
    with Session() as session:
        said = session.run("frobnicate 1 2")
        check(said == ["no program or command 'frobnicate'; try: help"], said)
        check(session.run("status") == ["127"], "another status than 127")
        said = session.run("words")
        check(said == ["words: not a program, or a damaged one; try: programs"], said)
        for line in ("kill x", "stats -1", "frames 1x", "trace maybe", "off 1 2",
                     "wait 4294967296"):
            said = session.run(line)
            check(len(said) == 1 and said[0].startswith("usage: "), f"{line}: {said}")
        check("no policy 'frob'" in session.run("policy frob")[0], "policy frob")
        check(session.end("exit 5") == 5, "another status than 5")


@takes(4)
def test_session_editing():
    """keys edit the line: cursor, deletions, history, cancel"""
    with Session() as session:
        for keys, wanted in (
                ("echo wold" + LEFT * 2 + "r", "world"),
                ("cho done" + HOME + "e", "done"),
                ("echo aXb" + LEFT * 2 + DELETE, "ab"),
                ("echo one two\x17three", "one three"),
                ("rubbish\x15echo clean", "clean"),
                ("echo ab\x7fc", "ac"),
                (UP, "ac"),
                (UP * 2 + "!", "clean!")):
            said = session.run(keys)
            check(said == [wanted], f"{keys!r} gave {said}, not {wanted}")
        session.send("echo not this\x03")
        session.expect("^C\n" + PROMPT)
        check(session.run("echo but this") == ["but this"], "after ^C")


@takes(4)
def test_session_paste():
    """lines pasted at once are kept and run in their order; one that is too long is refused"""
    with Session() as session:
        session.send("".join(f"echo line {n}\r" for n in range(40)))
        for n in range(40):
            session.expect(f"\nline {n}\n")
        session.expect(PROMPT)
        session.send("echo " + "x" * 300 + "\r")
        session.expect("longer than 223 bytes and was refused")
        session.expect(PROMPT)
        check(session.run("echo after") == ["after"], "after the long line")


@takes(20)
def test_session_policy_live():
    """the policy is replaced while index runs in too little memory, and its results stay right"""
    with Session("--policy", "fifo") as session:
        plain = [line for line in session.run("index words 2000 7 2") if "index: " in line]
        check(len(plain) > 14, f"index said only {plain}")
        check(session.run("frames 600") == [], "frames 600 was refused")
        begin = len(session.text)
        session.run("index words 2000 7 2 &")
        for policy in ("sieve", "clock", "fifo", "sieve"):
            session.send(f"policy {policy}\rpolicy\r")
            session.expect(f"\n{policy}\n")
        session.send("tasks\r")
        session.expect(" shell ")
        session.expect(" index            alive")  # or the policies were replaced too late
        session.send("wait\r")
        session.expect("index has ended with status 0\n" + PROMPT)
        paged = re.findall(r"(index: .*)", session.text[begin:])
        check(paged == plain, f"other results than with enough memory: {paged}")
        stats = " ".join(session.run("stats"))
        check(int(re.search(r"(\d+) evictions", stats).group(1)) > 1000, f"hardly paged: {stats}")
        check("policy sieve, limit 600 frames" in stats, f"not as told: {stats}")
        check(re.search(r" 0 policy violations", stats), f"violations: {stats}")


@takes(12)
def test_session_slow_terminal():
    """a terminal that does not read for seconds holds its writer up, and loses no byte"""
    with Session() as session:
        session.send("index words 10 1 6000\r")
        session.expect("index: sorted")
        time.sleep(3)
        text = session.expect(PROMPT)
        check(len(text) > 250000, f"only {len(text)} bytes came")
        rounds = [int(n) for n in re.findall(r"^index: round (\d+), 10 lookups, digest \d+$", text,
                                             re.MULTILINE)]
        check(rounds == list(range(1, 6001)), "rounds are missing or out of order")
        check(session.run("status") == ["0"], "it did not end well")


@takes(12)
def test_session_flood():
    """while two programs print without end the shell is answered, and each gets its share"""
    # By counted instructions: a host that stops the machine takes the time of whoever runs then.
    with Session("--icount") as session:
        tasks = []
        for lookups in (10, 11):
            session.send(f"index words {lookups} 1 500000 &\r")  # its lines may redraw the prompt
            tasks.append(re.search(r"\[(\d+)$", session.expect("] index")).group(1))
        for lookups in (10, 11):
            session.expect(f", {lookups} lookups, digest")
        for number in range(20):
            session.send(f"echo answer {number}\r")
            session.expect(f"\nanswer {number}\n")
        begin = session.place
        for _ in range(FLOOD):
            session.expect(" lookups, digest")
        said = session.text[begin:session.place]
        shares = [said.count(f", {lookups} lookups, digest") for lookups in (10, 11)]
        check(min(shares) >= FLOOD // 4, f"lines of each: {shares}")
        for task in tasks:
            session.send(f"kill {task}\r")
        check(session.end() == 0, "off failed")


@takes(6)
def test_session_kill():
    """a program in the background can be seen, timed, killed, and leaves no task behind"""
    with Session() as session:
        number = re.search(r"\[(\d+)\] memtest", " ".join(session.run("memtest 64 262144 &")))
        check(number, "no number of the task was shown")
        task = number.group(1)
        check(any(task in line and "alive" in line for line in session.run("tasks")), "not alive")
        said = session.run(f"kill {task}") + session.run("wait")
        check(any("was killed" in line for line in said), f"it was not killed: {said}")
        check(any("memtest has ended with status 137" in line for line in said), said)
        check(not any("memtest" in line and "alive" in line for line in session.run("tasks")),
              "still alive")
        check("time: " in " ".join(session.run("time echo x")), "time says nothing")


@takes(4)
def test_session_script():
    """without a terminal a script on the standard input is run to its end"""
    with tempfile.TemporaryFile() as script:
        script.write(b"# a comment\necho from a script\nhello world\nnonsense\n")
        script.seek(0)
        done = subprocess.run(
            [os.path.join(HERE, "quire"), "run", "--no-install", "--limit", str(LIMIT)], stdin=script,
            capture_output=True, text=True, errors="replace", timeout=LIMIT)
    check("from a script" in done.stdout.replace("echo from a script", ""), done.stdout[-300:])
    check("argument 1: world" in done.stdout, done.stdout[-300:])
    check(done.returncode == 127, f"status {done.returncode}, not that of the last command")
