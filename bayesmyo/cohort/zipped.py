"""A workbook looked through once, under limits, before anything understands it.

What a spreadsheet program would be made of in minutes or gigabytes is known from its parts as they are unpacked: how
many elements of which kind, how deep, how long. Parts are looked at whatever they are called, because a workbook says
itself what each of them is.
"""

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from xml.parsers import expat

from bayesmyo import limits

PIECE = 1 << 18  # bytes unpacked at once
ENTRY = b"PK\x01\x02"  # begins what a zip file says of each of its parts
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others are in no workbook, and may ask for any memory
KINDS = {"sheet": "sheets", "c": "cells", "v": "cells", "f": "formulas", "row": "rows"}
KINDS |= dict.fromkeys(("is", "t", "si"), "texts")


class TooLarge(Exception):
    """A workbook is more than is read."""


class Strange(Exception):
    """A zip file is no workbook that a spreadsheet program has written."""


def look_through(raw: bytes) -> None:
    """Raises TooLarge, Strange, and what zipfile raises where it is no zip file; the text says why."""
    if raw.count(ENTRY) > limits.WORKBOOK_PARTS:
        raise TooLarge(f"holds more than {limits.WORKBOOK_PARTS:,} parts")
    with zipfile.ZipFile(io.BytesIO(raw)) as parts:
        names = parts.namelist()
        if "[Content_Types].xml" not in names:
            raise Strange("is a zip file, not a workbook")
        if len(set(names)) < len(names):
            raise Strange("holds two parts of one name")
        if any(name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") for name in names):
            raise Strange("holds a part that belongs to another folder")
        if any(part.compress_type not in METHODS for part in parts.infolist()):
            raise Strange("is compressed in a way that no spreadsheet program uses")
        elements: Counter[str] = Counter()
        size = 0
        for part in parts.infolist():
            look = _Look(elements)
            for piece in _pieces(parts, part):
                size += len(piece)
                if size > limits.WORKBOOK_INFLATED:
                    raise TooLarge(f"unpacks to more than {limits.WORKBOOK_INFLATED:,} bytes")
                look.feed(piece)


def _pieces(parts: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with parts.open(part) as opened:
        while piece := opened.read(PIECE):
            yield piece


class _Look:
    """One part as it is unpacked. Its XML is followed as far as it is XML: no parser of a spreadsheet goes further.

    elements: how many of each kind there are in the whole workbook so far
    """

    def __init__(self, elements: Counter[str]) -> None:
        self._elements, self._depth = elements, 0
        self._cell, self._length = 0, 0  # the depth of the cell or shared text that it is in, and the characters since
        self._parser: expat.XMLParserType | None = expat.ParserCreate()
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._entities

    def feed(self, piece: bytes) -> None:
        try:
            if self._parser is not None:
                self._parser.Parse(piece)
        except expat.ExpatError:  # no XML, or none from here on
            self._parser = None

    def _start(self, name: str, attributes: list[str]) -> None:
        self._depth += 1
        plain = name.rpartition(":")[2]
        kind = KINDS.get(plain, "")
        if self._cell == 0:
            self._length, self._cell = 0, self._depth if plain in ("c", "si") else 0
        self._elements[plain if kind else ""] += 1
        most = (
            limits.WORKBOOK_SHEETS if plain == "sheet" else limits.WORKBOOK_CELLS if kind else limits.WORKBOOK_ELEMENTS
        )
        if self._elements[plain if kind else ""] > most:
            others = "styles, names, merged cells, pieces of texts and the like"
            raise TooLarge(f"holds more than {most:,} {kind or others}")
        if self._depth > limits.WORKBOOK_DEPTH:
            raise TooLarge(f"holds more than {limits.WORKBOOK_DEPTH} elements within each other")
        if len(attributes) > 2 * limits.WORKBOOK_ATTRIBUTES or sum(map(len, attributes)) > limits.CELL:
            raise TooLarge("describes a cell, a style or the like at more length than any spreadsheet program")

    def _end(self, _name: str) -> None:
        if self._cell == self._depth:
            self._cell = 0
        self._depth -= 1

    def _text(self, text: str) -> None:
        self._length += len(text)
        if self._length > limits.CELL:
            raise TooLarge(f"holds a cell of more than {limits.CELL:,} characters")

    def _entities(self, *_declared: object) -> None:
        raise Strange("defines entities, which no spreadsheet program writes")
