# SPDX-License-Identifier: MIT
"""Where the front door works and what it touches there: beside itself only, and only its own."""
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time

from common import BUILD, HERE, LIMIT, check, command, quire


class Copy:
    """A folder with a copy of the front door; meson.build is empty, so nothing can be built."""

    def __init__(self, name="project", project=True):
        self.holder = tempfile.TemporaryDirectory(prefix="quire-place-")
        self.folder = os.path.join(self.holder.name, name)
        os.mkdir(self.folder)
        self.script = shutil.copy(os.path.join(HERE, "quire"), self.folder)
        if project:
            self.write("meson.build", "")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.holder.cleanup()


def refused(done, words):
    said = done.stderr.splitlines()
    check(done.returncode == 2 and len(said) == 1 and words in said[0],
          f"exit status {done.returncode}, not one line with '{words}': {done.stderr}")


def test_place_symlink():
    """through a symbolic link the project is built, and the link's folder is left alone"""
    with Copy(project=False) as copy:
        os.remove(copy.script)
        os.symlink(os.path.join(HERE, "quire"), copy.script)
        precious = copy.write("build/precious", "")
        done = command([copy.script, "build"], cwd="/")
        check(done.returncode == 0, done.stderr)
        check(os.path.exists(precious), "a file of somebody else was removed")
        check(os.listdir(os.path.dirname(precious)) == ["precious"], "it was built by the link")


def test_place_not_a_project():
    """a script that was copied alone refuses to build"""
    with Copy(project=False) as copy:
        refused(command([copy.script, "build"]), "no meson.build")
        check(os.listdir(copy.folder) == ["quire"], "it left files")


def test_place_build_of_others():
    """a folder build/ that the front door did not make is refused, and stays"""
    with Copy() as copy:
        precious = copy.write("build/precious", "")
        refused(command([copy.script, "build"]), "was not made by this script")
        check(os.path.exists(precious), "it was removed")


def test_place_build_is_replaced():
    """a folder build/ that was made for another place, or left unfinished, is made anew"""
    for place in ("/elsewhere\n", "unfinished\n"):
        with Copy() as copy:
            copy.write("build/.place", place)
            copy.write("build/build.ninja", "")
            old = copy.write("build/old", "")
            done = command([copy.script, "build"])
            check("configuring" in done.stderr and not os.path.exists(old), done.stderr)


def test_place_read_only():
    """a project that cannot be written is refused before meson starts"""
    with Copy() as copy:
        if os.getuid() != 0:
            os.chmod(copy.folder, 0o555)
            done = command([copy.script, "build"])
            os.chmod(copy.folder, 0o755)
        else:
            os.chmod(copy.holder.name, 0o755)
            done = command(["setpriv", "--reuid=65534", "--clear-groups", copy.script, "build"])
        refused(done, "cannot write into")


def test_place_comma():
    """a comma in the name of the project's folder, or of TMPDIR, is refused"""
    with Copy("a,b") as copy:
        refused(command([copy.script, "build"]), "comma")
    refused(quire("run", "--run", "hello", env={**os.environ, "TMPDIR": "/tmp/a,b"}), "TMPDIR")


def test_place_build_waits():
    """a build that waits for another in the same folder says so, once"""
    with Copy() as copy:
        lock = os.open(copy.folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen([copy.script, "build"], stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, text=True)
        first = process.stderr.readline()
        os.close(lock)
        said = first + process.communicate(timeout=LIMIT)[1]
        check(first == "quire: waiting for another build in this folder\n", said)
        check(said.count("waiting") == 1 and "configuring" in said, said)


def demo_copy(copy):
    """The demo's tool in a folder of its own, with the image that was built here."""
    shutil.copytree(os.path.join(HERE, "tools"), os.path.join(copy.folder, "tools"),
                    ignore=shutil.ignore_patterns("__pycache__"))
    with open(os.path.join(BUILD, "tools", "image.list"), encoding="utf-8") as file:
        copy.write("build/tools/image.list", file.read())
    return [sys.executable, "-B", os.path.join(copy.folder, "tools", "demo.py")]


def test_place_demo_waits():
    """a demo waits for another one in the same folder, and says so"""
    with Copy() as copy:
        line = demo_copy(copy)
        lock = os.open(copy.write("build/demo/.lock", ""), os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(line, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, text=True)
        said = process.stderr.readline()
        time.sleep(0.2)
        waits = process.poll() is None
        process.kill()
        printed = process.communicate()[0]
        os.close(lock)
        check(said == "quire: waiting for another demo\n" and waits and printed == "", said)


def test_place_demo_cannot_write():
    """a demo whose folder cannot be made ends with one line"""
    with Copy() as copy:
        line = demo_copy(copy)
        path = copy.write("build/demo", "a file in the place of the folder")
        done = command(line)
        check(done.returncode == 1 and len(done.stderr.splitlines()) == 1 and path in done.stderr,
              f"exit status {done.returncode}: {done.stderr}")
