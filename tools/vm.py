# SPDX-License-Identifier: MIT
"""One virtual machine: start QEMU, watch its serial line, say how it ended. Shared by the front
door, the demo and all tests. Builds nothing, judges nothing.

    import vm
    image = vm.Image("build")                  # what the build made: kernel, boot modules
    result = vm.run(vm.Machine(
        image=image,                           # boots by -kernel ...
        command="policy=clock frames=256 run=index,words",
        memory=64,                             # MiB
        disk=64,                               # MiB of virtio-blk swap disk; 0: no disk
        trace="out/trace.pcapng",              # None: no trace device
        icount=False,                          # True: deterministic; give store=ram and disk=0
        limit=300))                            # seconds, then it is killed
    result = vm.run(vm.Machine(iso="out/quire.iso", disk=64))   # ... or from a GRUB ISO (iso.py)

    result.status    what the guest said last (`quire: off status=S`), None: it said nothing, or
                     QEMU's exit status does not agree (a program can print such a line, too)
    result.code      exit status of QEMU: 33 success, 35 failure, 37 panic, None: killed at limit
    result.ok        the guest ended by itself with status 0
    result.lines     the serial line, cut into lines (no CR); result.log: the kernel's log
    result.stats     {"index": {"policy": "clock", "faults": 123, ...}}, result.ended likewise
    result.panic     the kernel's panic in one line, with function and line where it trapped
    result.seconds   wall-clock time; result.hung: the limit was reached

`on_line=function` is called with every line as it arrives; a true answer ends the machine.
`script=[("$ ", "help\n"), ...]` waits for a text on the serial line and types the answer. Several
machines at a time:

    results = vm.run_all([machine, machine], jobs=2)            # in the order given
"""
import concurrent.futures
import dataclasses
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
import time

QEMU = "qemu-system-i386"
CPU = "Nehalem,-lm,-syscall"
SUCCESS, FAILURE, PANIC = 33, 35, 37


class Image:
    """What the build made. `modules` are paths in boot order; their base names are their names."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.kernel = os.path.join(self.build, "kernel", "kernel.elf")
        with open(os.path.join(self.build, "tools", "image.list"), encoding="utf-8") as file:
            self.modules = [line.strip() for line in file if line.strip()]

    def replaced(self, changes):
        """The same image with modules replaced: {"init": "/other/init", "words": None (left out)}.

        Names that the image lacks are added at its end.
        """
        image = object.__new__(Image)
        image.build, image.kernel = self.build, self.kernel
        names = [os.path.basename(path) for path in self.modules]
        image.modules = [changes.get(name, path) for name, path in zip(names, self.modules)]
        image.modules += [path for name, path in changes.items() if name not in names]
        image.modules = [path for path in image.modules if path]
        return image


@dataclasses.dataclass
class Machine:
    image: Image = None
    iso: str = None
    command: str = ""
    memory: int = 64
    disk: object = 0          # MiB of a fresh disk, or the path of a raw one
    trace: str = None
    trace_port: str = "virtio"  # or "debugcon", the slow fallback
    icount: bool = False
    limit: float = 300        # far more than it takes, even on a loaded host
    script: list = None
    on_line: object = None
    extra: list = dataclasses.field(default_factory=list)  # further arguments for QEMU
    name: str = ""


@dataclasses.dataclass
class Result:
    machine: Machine
    code: object
    text: str
    log: str
    seconds: float
    hung: bool
    complaint: str  # what QEMU itself printed

    @property
    def lines(self):
        return [line.rstrip("\r") for line in self.text.split("\n")]

    @property
    def status(self):
        """Untrusted text, so it must agree with what only the kernel and init can do."""
        said = re.findall(r"quire: off status=(-?\d{1,10})", self.text)
        status = int(said[-1]) if said else None
        agrees = {SUCCESS: status == 0, FAILURE: status != 0}.get(self.code, False)
        return status if agrees and not self.hung else None

    @property
    def ok(self):
        return not self.hung and self.code == SUCCESS and self.status in (0, None)

    def _records(self, kind):
        found = {}
        for line in self.lines:
            match = re.search(rf"quire: {kind} (\S+) (.*)", line)
            if match:
                pairs = (word.split("=", 1) for word in match.group(2).split() if "=" in word)
                found[match.group(1)] = {key: int(value) if value.lstrip("-").isdigit() else value
                                         for key, value in pairs}
        return found

    @property
    def stats(self):
        return self._records("stats")

    @property
    def ended(self):
        return self._records("ended")

    @property
    def error(self):
        """The first `quire: error:` sentence, or None."""
        match = re.search(r"quire: error: ([^\r\n]*)", self.text)
        return match.group(1) if match else None

    @property
    def panic(self):
        """The kernel's panic, with where it trapped if it did; or None."""
        said = re.search(r"kernel panic: [^\r\n]*", self.log)
        trap = re.search(r"^eip ([0-9a-f]{8}) ", self.log, re.MULTILINE)
        if said and trap and self.machine.image:
            return f"{said[0]}, in {place_of(self.machine.image.kernel, trap[1])}"
        return said and said[0]

    def explain(self):
        """One line for people: how it ended and the last thing that was said."""
        if self.hung:
            how = f"still running after {self.machine.limit:g} s"
        else:
            how = f"QEMU ended with {self.code}"
        said = [line for line in self.lines if line.strip()]
        last = said[-1] if said else self.complaint.strip() or "nothing"
        return f"{how}; last line: {last}"


def place_of(program, address):
    """Function, file and line of an address, as the compiler told; `??` where it did not."""
    line = ["i686-linux-gnu-addr2line", "-f", "-s", "-e", program, address]
    return " ".join(subprocess.run(line, capture_output=True, text=True).stdout.split("\n")[:2])


def arguments(machine, folder, serial="stdio"):
    """The QEMU command line of a machine; what it needs on disk is made in folder."""
    line = ["setpriv", "--pdeathsig", "KILL", "--",  # no machine outlives who started it
            QEMU, "-cpu", CPU, "-m", str(machine.memory), "-nodefaults", "-display", "none",
            "-no-reboot", "-debugcon", "file:" + os.path.join(folder, "log"),
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    line += ["-serial", "stdio"] if serial == "stdio" else serial
    if machine.memory > 1024:  # of which little is touched: the host need not have it
        line += ["-object", f"memory-backend-ram,id=ram,size={machine.memory}M,reserve=off",
                 "-machine", "memory-backend=ram"]
    if machine.iso:
        line += ["-cdrom", machine.iso, "-boot", "d"]
    else:
        # A CPU that halts lets the counted clock jump by a few host-dependent instructions.
        command = machine.command + (" idle=spin" if machine.icount else "")
        line += ["-kernel", machine.image.kernel, "-append", command.strip(),
                 "-initrd", ",".join(machine.image.modules)]
    if machine.icount:
        line += ["-icount", "shift=0,sleep=off", "-rtc", "clock=vm,base=2025-01-01"]
    if machine.disk:
        path = machine.disk
        if not isinstance(path, str):
            path = os.path.join(folder, "swap.img")
            with open(path, "wb") as file:
                file.truncate(int(machine.disk) << 20)
        line += ["-drive", f"file={path},if=none,format=raw,id=swap,cache=unsafe",
                 "-device", "virtio-blk-pci,drive=swap,disable-modern=on"]
    if machine.trace:
        line += ["-chardev", f"file,id=t,path={machine.trace}"]
        if machine.trace_port == "virtio":
            line += ["-device", "virtio-serial-pci,disable-modern=on,ioeventfd=off,max_ports=1",
                     "-device", "virtconsole,chardev=t"]
        else:
            line += ["-device", "isa-debugcon,iobase=0x403,chardev=t"]
    return line + machine.extra


class _Watcher(threading.Thread):
    """Collects the serial line, calls on_line, types the script's answers."""

    def __init__(self, machine, process):
        super().__init__(daemon=True)
        self.machine, self.process = machine, process
        self.text, self.told, self.searched = "", 0, 0
        self.script = list(machine.script or [])

    def run(self):
        while True:
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return
            self.text += data.decode("utf-8", "replace")
            self.tell()
            self.answer()

    def tell(self):
        while self.machine.on_line and "\n" in self.text[self.told:]:
            end = self.text.index("\n", self.told)
            if self.machine.on_line(self.text[self.told:end].rstrip("\r")):
                self.process.kill()
            self.told = end + 1

    def answer(self):
        while self.script:
            wait, reply = self.script[0]
            place = self.text.find(wait, self.searched)
            if place < 0:
                return
            self.searched = place + len(wait)
            self.script.pop(0)
            try:
                self.process.stdin.write(reply.encode())
                self.process.stdin.flush()
            except OSError:
                return


def _stop(process):
    process.kill()
    process.wait()


def _read_log(folder):
    path = os.path.join(folder, "log")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def run(machine):
    """Run one machine to its end or its limit."""
    with tempfile.TemporaryDirectory(prefix="quire-") as folder:
        begin = time.monotonic()
        with open(os.path.join(folder, "complaint"), "wb+") as complaint:
            process = subprocess.Popen(
                arguments(machine, folder), stdout=subprocess.PIPE, stderr=complaint,
                stdin=subprocess.PIPE if machine.script else subprocess.DEVNULL)
            watcher = _Watcher(machine, process)
            watcher.start()
            hung = False
            try:
                process.wait(machine.limit)
            except subprocess.TimeoutExpired:
                hung = True
                _stop(process)
            except BaseException:
                _stop(process)
                raise
            watcher.join(5)
            complaint.seek(0)
            said = complaint.read().decode("utf-8", "replace")
        return Result(machine, None if hung else process.returncode, watcher.text,
                      _read_log(folder), time.monotonic() - begin, hung, said)


def run_all(machines, jobs=None):
    """Run machines side by side; results in the order given."""
    with concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        return list(pool.map(run, machines))


def interactive(machine):
    """Boot on this terminal; Ctrl-A x ends it, or machine.limit (None: no limit). Without a
    terminal the standard input is typed in, once the guest has said something, then Ctrl-D."""
    with tempfile.TemporaryDirectory(prefix="quire-") as folder:
        begin, typed = time.monotonic(), not os.isatty(0)
        serial = "stdio"
        if not typed:
            serial = ["-chardev", "stdio,id=serial,mux=on,signal=off",
                      "-serial", "chardev:serial", "-mon", "chardev=serial,mode=readline"]
        process = subprocess.Popen(arguments(machine, folder, serial), stdout=subprocess.PIPE,
                                   stdin=subprocess.PIPE if typed else None)
        hung = threading.Event()
        timer = threading.Timer(machine.limit or 0, lambda: (hung.set(), process.kill()))
        timer.daemon = True
        if machine.limit:
            timer.start()
        try:
            text = _copy_output(process, typed)
            process.wait()
        finally:
            timer.cancel()
            if process.poll() is None:
                _stop(process)
        return Result(machine, None if hung.is_set() else process.returncode, text,
                      _read_log(folder), time.monotonic() - begin, hung.is_set(), "")


def _type_input(process):
    try:
        while data := os.read(0, 256):
            process.stdin.write(data)
            process.stdin.flush()
        process.stdin.write(b"\x04")
        process.stdin.flush()
    except OSError:
        pass


def _pass_on(data):
    """Write all of it to the standard output, which QEMU may have made non-blocking: it does so with
    the terminal on its standard input, and on a terminal both are one open file."""
    sys.stdout.flush()
    while data:
        try:
            data = data[os.write(1, data):]
        except BlockingIOError:
            select.select([], [1], [])


def _copy_output(process, typed):
    """Pass the guest's output on; start typing when it begins. Returns the end of the output."""
    tail = b""
    while data := os.read(process.stdout.fileno(), 65536):
        _pass_on(data)
        if typed and not tail:
            threading.Thread(target=_type_input, args=(process,), daemon=True).start()
        tail = (tail + data)[-65536:]
    return tail.decode("utf-8", "replace")
