# SPDX-License-Identifier: MIT
"""What the commands of the front door share: one line for each mistake, none with a traceback.

    sys.exit(door.guard(main))      main returns the exit status
"""
import argparse
import fcntl
import os
import re
import sys

INTERRUPTED = 130  # as a shell counts a command that Ctrl-C ended


class Parser(argparse.ArgumentParser):
    """One line for each mistake, instead of the usage text; no abbreviated options."""

    def __init__(self, **options):
        super().__init__(allow_abbrev=False, **options)

    def error(self, message):
        print(f"quire: error: {message} ({self.prog} --help lists the options)", file=sys.stderr)
        sys.exit(2)


def number(low, high, what):
    """A parser of whole numbers, for add_argument(type=...)."""
    def parse(text):
        if not re.fullmatch(r"[0-9]{1,18}", text):
            raise argparse.ArgumentTypeError(f"'{text}' is no number: give {what}")
        if not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(
                f"{text} is out of range: give {what}, {low} to {high}")
        return int(text)
    return parse


def output_file(text):
    """A parser of names of files to write."""
    folder = os.path.dirname(os.path.abspath(text))
    if not text or os.path.isdir(text) or not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise argparse.ArgumentTypeError(f"cannot write '{text}': give a file in a folder of yours")
    return os.path.abspath(text)


def lock(path, other):
    """Hold the file's lock until this process ends; says so once if it must wait for another."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"quire: waiting for {other}", file=sys.stderr, flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)


def _complain(error):
    """Say what went wrong. What the standard output still holds cannot be written later either."""
    try:
        print(f"quire: error: {error}", file=sys.stderr, flush=True)
    except OSError:
        pass
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _describe(error):
    if error.strerror is None:
        return str(error)
    if error.filename is None:
        return f"cannot write the output: {error.strerror}"
    return f"{error.filename}: {error.strerror}"


def guard(main):
    """Run main; what the world refuses it becomes one line and an exit status."""
    if sys.stdin is None:
        os.open(os.devnull, os.O_RDONLY)  # takes the lowest number that is free, 0
    if sys.stdout is None:
        print("quire: error: the standard output is closed: leave it open, or send it to a file",
              file=sys.stderr)
        return 2
    try:
        status = main()
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except OSError as error:
        _complain(_describe(error))
    except RuntimeError as error:
        _complain(error)
    return 1
