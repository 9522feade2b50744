# SPDX-License-Identifier: MIT
"""What the system tests share: places, checks, and running the front door in a made-up world."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(HERE, "build")
LIMIT = 300  # seconds after which what runs is stuck: far more than a slow or loaded machine needs
sys.path.insert(0, os.path.join(HERE, "tools"))


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def takes(seconds):
    """Decorator: about how long a test takes, so that the runner starts long ones first."""
    def mark(function):
        function.seconds = seconds
        return function
    return mark


def command(line, **options):
    """Run a command without a terminal; returns the completed process, output as text."""
    return subprocess.run(line, capture_output=True, text=True, errors="replace", timeout=LIMIT,
                          stdin=subprocess.DEVNULL, **options)


def quire(*arguments, **options):
    return command([os.path.join(HERE, "quire"), *arguments], **options)
