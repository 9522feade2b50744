# SPDX-License-Identifier: MIT
"""The laboratory's pages in a real browser: what they show, what pointing and keys change; and the
commands that write them."""
import contextlib
import csv
import gzip
import html
import os
import random
import re
import struct
import subprocess
import tempfile
import xml.etree.ElementTree

import browser
from common import BUILD, check, command, takes

LAB = os.path.join(BUILD, "lab", "quire-lab")
BELADY = "1,2,3,4,1,2,5,1,2,3,4,5"
ORANGE, GREEN, BLUE, PAPER, DARK = "e69f00", "009e73", "0072b2", "ffffff", "15171a"


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


def trace_write(path, seed=1):
    """References with some locality to 300 pages."""
    chance = random.Random(seed)
    pages = [min(int(chance.paretovariate(0.6)), 300) + (i // 500) for i in range(6000)]
    with open(path, "wb") as file:
        file.write(struct.pack(f"<{len(pages)}I", *pages))


@contextlib.contextmanager
def traces(*names):
    with tempfile.TemporaryDirectory(prefix="quire-view-") as folder:
        paths = [os.path.join(folder, name) for name in names]
        for seed, path in enumerate(paths):
            trace_write(path, seed)
        yield folder, paths


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


# ---- curve ------------------------------------------------------------------------------------

def test_lab_curve_rejects():
    """bad policies, sizes, formats, files and options of curve each give one line"""
    with traces("t.u32") as (folder, (trace,)):
        page = os.path.join(folder, "out.html")
        refused("names no policy", "curve", "--policy", "best", trace, "-o", page)
        refused("names no parameter", "curve", "--policy", "arc:q=1", trace, "-o", page)
        for number in ("0", "x", "", "-3", "0%", "1e3"):
            refused("--frames", "curve", "--frames", number, trace, "-o", page)
        refused("trace file", "curve", "-o", page)
        refused("where to draw", "curve", trace)
        refused("does not tell", "curve", trace, "-o", "-")
        refused("does not tell", "curve", trace, "-o", os.path.join(folder, "out.png"))
        refused("no format 'png'", "curve", trace, "--format", "png", "-o", "-")
        refused("needs a value", "curve", trace, "-o")
        refused("unknown option '--fast'", "curve", "--fast", trace, "-o", page)
        refused("No such file", "curve", os.path.join(folder, "none"), "-o", page)
        refused("cannot write", "curve", "--policy", "fifo", "--frames", "9", trace,
                "-o", os.path.join(folder, "no", "such.html"))
        many = [os.path.join(folder, f"{i}.u32") for i in range(40)]
        for link in many:
            os.symlink(trace, link)
        refused("fewer traces", "curve", "--frames", "1%,2%,3%,4%,5%,6%,7%,8%", *many, "-o", page)
        refused("t.u32' would both be 't'", "curve", trace, many[0], trace, "-o", page)
        check(not os.path.exists(page), "a page was written nevertheless")


def test_lab_curve_csv():
    """the CSV of curve is that of sim"""
    with traces("t.u32") as (_, (trace,)):
        names, sizes = "fifo,arc,min", "10,50%"
        drawn = lab("curve", "--policy", names, "--frames", sizes, trace, "--format=csv", "-o", "-")
        counted = lab("sim", "--policy", names, "--frames", sizes, trace)
    check(sorted(csv.reader(drawn.splitlines())) == sorted(csv.reader(counted.splitlines())),
          f"{drawn} {counted}")


def test_lab_curve_names():
    """a chart's trace is called as sim calls it, and may come from standard input"""
    for name in ("k.txt", "m.text.gz", "-"):
        with tempfile.TemporaryDirectory() as folder:
            path = name if name == "-" else os.path.join(folder, name)
            with open(os.path.join(folder, name), "wb") as file:
                file.write(gzip.compress(b"1\n2\n") if name.endswith(".gz") else b"1\n2\n")
            found = []
            for arguments in (["sim"], ["curve", "--format", "csv", "-o", "-"]):
                with open(os.path.join(folder, name), "rb") as file:
                    done = subprocess.run([LAB, *arguments, "--policy", "min", "--frames", "1", path],
                                          stdin=file, capture_output=True, check=True)
                found.append(done.stdout)
            check(found[0] == found[1] and b"min,2" in found[0], str(found))


@takes(12)
def test_lab_curve_page():
    """the page of curves is well-formed and small; a browser draws it, light and dark"""
    with traces("one.u32", "two & <more>.u32") as (folder, paths):
        page = os.path.join(folder, "out.html")
        lab("curve", "--policy", "fifo,clock,sieve,arc", *paths, "-o", page)
        parse(page)
        light = browser.picture(page).colours()
        for colour in (ORANGE, GREEN, BLUE):
            shown(light, colour, 100, "light")
        shown(light, PAPER, 300000, "light")
        shown(light, "e8eaed", 10000, "the area under min")
        dark = browser.picture(page, dark=True).colours()
        shown(dark, DARK, 300000, "dark")
        shown(dark, ORANGE, 100, "dark")
        check(PAPER not in dark or dark[PAPER] < 20000, "the dark page has white areas")


@takes(6)
def test_lab_curve_picture():
    """the SVG stands alone: title, description, and a browser draws it"""
    with traces("one.u32") as (folder, paths):
        file = os.path.join(folder, "out.svg")
        lab("curve", "--policy", "fifo,clock,sieve", *paths, "-o", file)
        names = [element.tag.split("}")[1] for element in parse(file)]
        check(names[:2] == ["title", "desc"], f"it begins with {names[:3]}")
        colours = browser.picture(file, width=900, height=534).colours()
        shown(colours, ORANGE, 100, "fifo")
        shown(colours, GREEN, 100, "sieve")
        shown(colours, PAPER, 300000, "paper")


@takes(12)
def test_lab_curve_reads_out():
    """an address selects a point, arrow keys move it, buttons hide lines and change the scale"""
    with traces("one.u32", "two.u32") as (folder, paths):
        page, table = os.path.join(folder, "out.html"), os.path.join(folder, "out.csv")
        lab("curve", "--policy", "fifo,sieve", "--frames", "10,20,40", *paths,
            "-o", page, "-o", table)
        with open(table, encoding="utf-8") as file:
            misses = {tuple(row[:3]): int(row[3]) for row in list(csv.reader(file))[1:]}

        def reads(said, trace, policy, frames):
            check(f"{trace}, {policy}, {frames} frames" in said and
                  f"{misses[trace, frames, policy]:,} misses" in said, said)
        reads(text_of(browser.dom(page, "sieve,20"), "<output"), "one", "sieve", "20")
        outputs = re.findall(r"<output[^>]*>(.*?)</output>", browser.dom(page, "two/fifo,40,log"))
        check("Point at" in outputs[0], outputs[0])
        reads(outputs[1], "two", "fifo", "40")
        moved = browser.dom(page, "sieve,20", """
            const press = (key) => document.querySelector(".plot")
                .dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            press("ArrowRight"); press("ArrowDown"); press("ArrowDown"); press("ArrowDown");
            document.querySelector("button[data-s='0']").click();
            document.querySelector("button[data-scale='log']").click();""")
        reads(text_of(moved, "<output"), "one", "min", "40")
        check('data-s="0" aria-pressed="false"' in moved, "the button of fifo is pressed still")
        check('class="line k0 d0 off" data-s="0"' in moved, "the line of fifo is there still")
        check('data-scale="linear" aria-hidden="true" hidden=""' in moved, "the scale is linear")
        check('data-scale="log" aria-hidden="true" hidden' not in moved, "no logarithmic chart")


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
        light = browser.picture(page, "4").colours()
        shown(light, ORANGE, 500, "the frame of the page that came")
        shown(light, PAPER, 300000, "light")
        hit = browser.picture(page, "8", dark=True).colours()
        shown(hit, "56b4e9", 500, "the frame of the page that was used")
        shown(hit, DARK, 300000, "dark")
