# SPDX-License-Identifier: MIT
"""The sources as the analysers see them: nothing is found, and a planted defect would be."""
import os
import re
import tempfile

from common import HERE, check, takes

import analyse

# Each a defect of its kind in its last line but one, and what the tool has to say there.
PLANTED = {
    "a path that divides by nothing": ("clang", "garbage value", """
uint32_t planted(uint32_t count);
uint32_t planted(uint32_t count) {
    uint32_t sum;
    for (uint32_t i = 0; i < count; i++) {
        sum = i;
    }
    return sum + 1;
}"""),
    "an index past the end": ("cppcheck", "out of bounds", """
uint32_t planted(void);
uint32_t planted(void) {
    uint32_t word[4] = {0};
    uint32_t last = 4;
    return word[last];
}"""),
    "a frame number as a physical address": ("sparse", "incorrect type", """
void planted(paddr_t *at, frame_t frame);
void planted(paddr_t *at, frame_t frame) {
    *at = frame;
}"""),
    "a physical address as a virtual one": ("sparse", "incorrect type", """
vaddr_t planted(frame_t frame);
vaddr_t planted(frame_t frame) {
    return FRAME_PADDR(frame);
}"""),
    "bytes added to a physical address as if it were a number": ("sparse", "restricted paddr_t", """
paddr_t planted(frame_t frame);
paddr_t planted(frame_t frame) {
    return FRAME_PADDR(frame) + 512;
}"""),
    "a page-table entry as the physical address in it": ("sparse", "incorrect type", """
#include "space.h"
paddr_t planted(const pte_t *entry);
paddr_t planted(const pte_t *entry) {
    return *entry;
}"""),
    "a page-table entry as a virtual address": ("sparse", "incorrect type", """
#include "space.h"
vaddr_t planted(const pte_t *entry);
vaddr_t planted(const pte_t *entry) {
    return *entry;
}"""),
    "a physical address as a page-table entry": ("sparse", "incorrect type", """
#include "space.h"
void planted(pte_t *entry, frame_t frame);
void planted(pte_t *entry, frame_t frame) {
    *entry = FRAME_PADDR(frame);
}"""),
    "the frame in a physical address as if it were an entry": ("sparse", "incorrect type", """
#include "space.h"
frame_t planted(paddr_t at);
frame_t planted(paddr_t at) {
    return ENTRY_FRAME(at);
}"""),
    "a frame number as a page-table entry": ("sparse", "incorrect type", """
#include "space.h"
void planted(pte_t *entry, frame_t frame);
void planted(pte_t *entry, frame_t frame) {
    *entry = frame;
}"""),
    "a bit of a page-table entry as if it were a number": ("sparse", "restricted pte_t", """
#include "space.h"
uint64_t planted(const pte_t *entry);
uint64_t planted(const pte_t *entry) {
    return *entry & ENTRY_WRITE;
}"""),
}


def clean(tool):
    found = analyse.analyse([tool], analyse.sources())
    check(not found, f"{len(found)} findings: " + "; ".join(line for line, _ in found[:5]))


@takes(25)
def test_analyse_clang():
    """clang's analyser finds nothing in the guest's sources"""
    clean("clang")


@takes(8)
def test_analyse_cppcheck():
    """cppcheck finds nothing in the guest's sources"""
    clean("cppcheck")


def test_analyse_sparse():
    """sparse finds nothing in the guest's sources, and no address of one kind used as another"""
    clean("sparse")


def test_analyse_finds():
    """each tool finds the defects planted for it, in their lines, with the flags of the kernel"""
    kernel = [source for source in analyse.sources() if source.path.endswith("kernel/frame.c")]
    check(len(analyse.sources()) > 100 and kernel, "the sources of the guest are not all there")
    with tempfile.TemporaryDirectory(prefix="quire-analyse-") as folder:
        for name, (tool, words, text) in PLANTED.items():
            path = os.path.join(folder, "planted.c")
            with open(path, "w", encoding="utf-8") as file:
                file.write('#include "types.h"\n' + text.lstrip("\n") + "\n")
            place = f"planted.c:{text.count(chr(10))}: "
            found = list(analyse.TOOLS[tool](analyse.Source(path, kernel[0].words)))
            check(any(place in line and words in line for line in found),
                  f"{tool} does not find {name}: {found}")


def test_analyse_reasons():
    """no finding is silenced in a source without a reason beside it"""
    bare = []
    for folder in analyse.FOLDERS + ("abi",):
        for place, _, names in os.walk(os.path.join(HERE, folder)):
            for name in names:
                with open(os.path.join(place, name), encoding="utf-8") as file:
                    bare += [f"{name}: {line.strip()}" for line in file
                             if re.search(r"NOLINT|cppcheck-suppress [^;]*$", line)]
    check(not bare, "; ".join(bare))
