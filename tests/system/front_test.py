# SPDX-License-Identifier: MIT
"""The front door's words: what it refuses, before any machine starts, and that help is complete."""
import re

from common import check, quire

WRONG = {
    "an unknown command": (["demmo"], "demmo"),
    "an unknown option": (["run", "--polcy", "fifo"], "--polcy"),
    "an unknown policy": (["run", "--policy", "best"], "fifo, clock"),
    "frames that are no number": (["run", "--frames", "many"], "'many' is no number"),
    "no frames at all": (["run", "--frames", "0"], "out of range"),
    "a negative number": (["run", "--frames=-4"], "'-4' is no number"),
    "memory that is no number": (["run", "--mem", "64M"], "'64M' is no number"),
    "a missing value": (["run", "--frames"], "--frames"),
    "an unknown program": (["run", "--run", "nosuch"], "no program 'nosuch'"),
    "a program name with a blank": (["run", "--run", "index words"], "cannot carry"),
    "a trace in a folder that is not there": (["run", "--trace", "/no/such/file"], "cannot write"),
    "a trace onto a folder": (["run", "--trace", "/"], "cannot write"),
    "an action without a number": (["run", "--at", "policy=sieve"], "N:policy=P"),
    "an action at a fault that never comes": (["run", "--at", "0:policy=sieve"], "out of range"),
    "an action with an unknown policy": (["run", "--at", "9:policy=best"], "no policy 'best'"),
    "an unknown store": (["run", "--store", "tape"], "tape"),
    "a seed that is no number": (["run", "--seed", "x"], "'x' is no number"),
    "a word too many": (["run", "now"], "now"),
    "an option of setup that there is not": (["setup", "--prnt"], "--prnt"),
    "a trace that is not there": (["trace", "/no/such/trace"], "/no/such/trace"),
}


def test_front_refuses():
    """each wrong option gives one line that names it, and exit status 2 or another failure"""
    wrong = []
    for what, (arguments, words) in WRONG.items():
        done = quire(*arguments, limit=60)
        said = [line for line in done.stderr.splitlines() if line != "quire: building"]
        if done.returncode == 0 or done.returncode != 2 and arguments[0] == "run":
            wrong.append(f"{what}: exit status {done.returncode}")
        elif len(said) != 1 or words not in said[0]:
            wrong.append(f"{what}: {' / '.join(said)}")
    check(not wrong, "; ".join(wrong))


def test_front_help():
    """help has one line for each command, and is what no command at all gives"""
    text = quire("help").stdout
    for name in "demo run test bench trace lab debug iso build setup help".split():
        lines = re.findall(rf"^  \./quire {name}\b.*$", text, re.MULTILINE)
        check(len(lines) == 1, f"{len(lines)} lines for {name}")
    check(quire().stdout == text, "./quire alone says something else")
