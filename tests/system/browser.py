# SPDX-License-Identifier: MIT
"""A real browser without a window, for the laboratory's pages; and pictures as numbers."""
import collections
import itertools
import os
import re
import struct
import subprocess
import tempfile
import zlib

from common import LIMIT, check

# As root Chromium has no sandbox; nothing of it may ask the network.
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=2000"]


def _chromium(address, *options):
    with tempfile.TemporaryDirectory(prefix="quire-browser-") as folder:
        done = subprocess.run([*CHROMIUM, f"--user-data-dir={folder}", *options, address],
                              capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
    said = done.stderr.decode("utf-8", "replace")
    check(done.returncode == 0, f"chromium: exit status {done.returncode}: {said[-300:]}")
    errors = re.findall(r".*CONSOLE.*(?:Error|Refused).*", said)
    check(not errors, f"{address}: {errors[:2]}")
    return done.stdout.decode("utf-8", "replace")


def dom(path, place="", program=""):
    """The page after its program ran, opened at `place`; then `program` runs, too, in a copy."""
    if not program:
        return _chromium(f"file://{path}#{place}", "--enable-logging=stderr", "--dump-dom")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as copy:
        copy.write(text.replace("</body>", f"<script>{program}</script></body>"))
        copy.flush()
        return dom(copy.name, place)


def picture(path, place="", width=900, height=700, dark=False):
    """What the page looks like, as a Picture."""
    with tempfile.TemporaryDirectory(prefix="quire-browser-") as folder:
        file = os.path.join(folder, "page.png")
        _chromium(f"file://{path}#{place}", f"--window-size={width},{height}",
                  f"--screenshot={file}", *(["--force-dark-mode"] if dark else []))
        with open(file, "rb") as png:
            return Picture(png.read())


class Picture:
    """A PNG of 8 bits a colour, as browsers write it."""

    def __init__(self, data):
        check(data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG")
        at, packed = 8, b""
        while at < len(data):
            length, kind = struct.unpack_from(">I4s", data, at)
            body = data[at + 8:at + 8 + length]
            if kind == b"IHDR":
                self.width, self.height, bits, colour = struct.unpack_from(">IIBB", body)
                check(bits == 8 and colour in (2, 6), f"PNG of {bits} bits, colour {colour}")
            elif kind == b"IDAT":
                packed += body
            at += length + 12
        self.size = 3 if colour == 2 else 4
        self.rows = self._unfilter(zlib.decompress(packed))

    def _unfilter(self, raw):
        rows, before, line = [], bytes(self.width * self.size), self.width * self.size + 1
        for y in range(self.height):
            row = bytearray(raw[y * line + 1:(y + 1) * line])
            _unfilter_row(raw[y * line], row, before, self.size)
            rows.append(bytes(row))
            before = row
        return rows

    def colours(self):
        """How many pixels there are of each colour, as {"rrggbb": number}."""
        found = collections.Counter()
        for row in self.rows:
            found.update(zip(row[0::self.size], row[1::self.size], row[2::self.size]))
        return {bytes(colour).hex(): number for colour, number in found.items()}


def _unfilter_row(kind, row, before, size):
    if kind == 2:
        row[:] = bytes([(a + b) & 255 for a, b in zip(row, before)])
    elif kind:
        for channel in range(size):
            row[channel::size] = _UNFILTER[kind](row[channel::size], before[channel::size])


# One channel of a row, from what was sent and from the row above.
def _left(sent, _):
    return bytes(itertools.accumulate(sent, lambda left, value: (left + value) & 255))


def _mean(sent, above):
    found, left = bytearray(), 0
    for value, up in zip(sent, above):
        left = (value + (left + up >> 1)) & 255
        found.append(left)
    return found


def _paeth(sent, above):
    found, left, corner = bytearray(), 0, 0
    for value, up in zip(sent, above):
        a, b = abs(up - corner), abs(left - corner)
        c = abs(left + up - 2 * corner)
        left = (value + (left if a <= b and a <= c else up if b <= c else corner)) & 255
        corner = up
        found.append(left)
    return found


_UNFILTER = {1: _left, 3: _mean, 4: _paeth}
