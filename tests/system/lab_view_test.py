# SPDX-License-Identifier: MIT
"""The laboratory's pages in a real browser: what they show, what pointing and keys change; and the
commands that write them."""
import html
import os
import re
import tempfile
import xml.etree.ElementTree

import browser
from common import BUILD, check, command, takes

LAB = os.path.join(BUILD, "lab", "quire-lab")
BELADY = "1,2,3,4,1,2,5,1,2,3,4,5"
ORANGE, PAPER, DARK = "e69f00", "ffffff", "15171a"


def lab(*arguments):
    done = command([LAB, *arguments])
    check(done.returncode == 0 and not done.stderr, f"{arguments}: {done.stderr}")
    return done.stdout


def refused(expected, *arguments):
    done = command([LAB, *arguments])
    lines = done.stderr.splitlines()
    check(done.returncode == 2, f"{arguments}: exit status {done.returncode}, not 2")
    check(len(lines) == 1 and expected in lines[0] and not done.stdout,
          f"{arguments}: one line with '{expected}' was expected: {done.stderr} {done.stdout}")


def parse(path):
    """Well-formed, small, and without a word to the network."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    check(len(text.encode()) < 1000000, f"{path} has {len(text)} bytes")
    words = re.sub(r'xmlns="[^"]*"|createElementNS|"http://www.w3.org/2000/svg"', "", text)
    asks = re.findall(r"https?:|\bsrc=|url\(|@import|fetch\(|XMLHttp|<link|import\(", words)
    check(not asks, f"{path} asks for more: {asks}")
    return xml.etree.ElementTree.fromstring(text)


def text_of(dom, pattern):
    """The text of the first element that the pattern finds."""
    found = re.search(pattern + r"[^>]*>(.*?)</", dom, re.DOTALL)
    check(found, f"nothing like {pattern} in the page")
    return html.unescape(found.group(1))


def shown(colours, colour, least, what):
    check(colours.get(colour, 0) >= least, f"{what}: {colours.get(colour, 0)} pixels of {colour}, "
          f"at least {least} were expected")


# ---- step -------------------------------------------------------------------------------------

def test_lab_step_rejects():
    """bad policies, frames, references, files and options of step each give one line"""
    refused("names no policy", "step", "--policy", "best", "--frames", "3", "1,2")
    refused("names no policy", "step", "--policy", "", "--frames", "3", "1,2")
    refused("out of its bounds", "step", "--policy", "clock:load=7", "--frames", "3", "1,2")
    for number in ("0", "65", "x", "", "-1", "3x"):
        refused("is no number from 1 to 64", "step", "--policy", "fifo", "--frames", number, "1,2")
    refused("which policy", "step", "--frames", "3", "1,2")
    refused("how many frames", "step", "--policy", "fifo", "1,2")
    refused("there are no references", "step", "--policy", "fifo", "--frames", "3")
    refused("there are no references", "step", "--policy", "fifo", "--frames", "3", "-")  # empty
    refused("'2q' is no page number", "step", "--policy", "fifo", "--frames", "3", "1,2q")
    refused("No such file", "step", "--policy", "fifo", "--frames", "3", "/no/such/file")
    refused("directory", "step", "--policy", "fifo", "--frames", "3", "/tmp")
    refused("needs a value", "step", "1,2", "--policy")
    refused("unknown option '--slow'", "step", "--slow", "1")
    fifo = ("step", "--policy", "fifo", "--frames")
    refused("cannot write", *fifo, "3", "1,2", "-o", "/no/such.html")
    many = ",".join(str(page) for page in range(3000))
    refused("fewer references", *fifo, "60", many, "-o", "/no/such.html")


def test_lab_step_belady():
    """FIFO has 9 faults with 3 frames and 10 with 4, from the command line and from a file"""
    check(lab("step", "--policy", "fifo", "--frames", "3", BELADY)
          .endswith("\n9 faults in 12 references (75.0 %)\n"), "3 frames")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(BELADY.replace(",", "\n"))
        file.flush()
        check(lab("step", "--policy", "fifo", "--frames", "4", file.name)
              .endswith("\n10 faults in 12 references (83.3 %)\n"), "4 frames")


@takes(12)
def test_lab_step_page():
    """the page of steps is well-formed; a browser draws it, address and keys choose a step"""
    with tempfile.TemporaryDirectory(prefix="quire-view-") as folder:
        page = os.path.join(folder, "out.html")
        lab("step", "--policy", "clock", "--frames", "3", BELADY, "-o", page)
        parse(page)
        said = text_of(browser.dom(page, "10"), '<div id="said"')
        check("Step 10 of 12: page 3" in said and "5 leaves" in said, said)
        moved = browser.dom(page, "10", """
            const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", { key }));
            press("Home"); press("ArrowRight"); press("ArrowRight"); press("ArrowLeft");
            document.querySelector("[data-go='1']").click();""")
        check("Step 3 of 12" in text_of(moved, '<div id="said"'), "the keys do not move")
        check(len(re.findall(r'class="step \w+ now"', moved)) == 1, "one step is shown")
        light = browser.picture(page, "4", height=800).colours()
        shown(light, ORANGE, 500, "the frame of the page that came")
        shown(light, PAPER, 400000, "light")
        hit = browser.picture(page, "8", height=800, dark=True).colours()
        shown(hit, "56b4e9", 500, "the frame of the page that was used")
        shown(hit, DARK, 400000, "dark")
