"""Workbooks: zip files of XML that are small, and large once they are unpacked or understood."""

import io
import random
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from tests.hostile.case import Case, declaring

TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
TOP = f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
INSIDE = "".join(
    f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
    for n, (kind, target) in enumerate([("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml"),
     ("sharedStrings", "sharedStrings.xml")], 1)
)  # fmt: skip
HEADER = "<row><c t='inlineStr'><is><t>patient</t></is></c><c t='inlineStr'><is><t>month</t></is></c><c t='inlineStr'><is><t>strength</t></is></c><c t='inlineStr'><is><t>cpk</t></is></c></row>"
ROW = "<row><c t='inlineStr'><is><t>A</t></is></c><c><v>0</v></c><c><v>50</v></c><c><v>900</v></c></row>"
STYLES = f"<styleSheet {MAIN}><fonts><font/></fonts><fills><fill><patternFill/></fill></fills><borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs><cellXfs><xf/></cellXfs></styleSheet>"

Text = str | Iterable[bytes]


def again(text: str, times: int, before: str = "", after: str = "") -> Iterator[bytes]:
    """A text again and again, in pieces."""
    yield before.encode()
    at_once = max(1, 1_000_000 // len(text))
    for _ in range(times // at_once):
        yield text.encode() * at_once
    yield text.encode() * (times % at_once) + after.encode()


def sheet(cells: Text, before: str = "", after: str = "") -> Iterator[bytes]:
    yield f"<worksheet {MAIN}>{before}<sheetData>".encode()
    yield from [cells.encode()] if isinstance(cells, str) else cells
    yield f"</sheetData>{after}</worksheet>".encode()


def book(
    cells: Text = HEADER + ROW, *, before: str = "", after: str = "", styles: Text = STYLES,
    shared: Text = f"<sst {MAIN}/>", names: Text = "",
    types: Text = TYPES, method: int = zipfile.ZIP_DEFLATED, more: dict[str, Text] | None = None,
) -> bytes:  # fmt: skip
    out = io.BytesIO()
    workbook = [
        f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets><sheet name="visits" sheetId="1" r:id="rId1"/></sheets>'.encode(),
        *([names.encode()] if isinstance(names, str) else names),
        b"</workbook>",
    ]
    parts: dict[str, Text] = {
        "[Content_Types].xml": types, "_rels/.rels": RELS.format(TOP), "xl/workbook.xml": workbook,
        "xl/_rels/workbook.xml.rels": RELS.format(INSIDE),
        "xl/worksheets/sheet1.xml": sheet(cells, before, after), "xl/styles.xml": styles,
        "xl/sharedStrings.xml": shared, **(more or {}),
    }  # fmt: skip
    with zipfile.ZipFile(out, "w", method, compresslevel=6) as made:
        for name, content in parts.items():
            with made.open(name, "w") as opened:
                for piece in [content.encode()] if isinstance(content, str) else content:
                    opened.write(piece)
    return out.getvalue()


def rows(row: str, times: int) -> Iterator[bytes]:
    yield HEADER.encode()
    yield from again(row, times)


def styled(inside: str) -> str:
    return STYLES.replace("<fonts>", inside + "<fonts>", 1)


def crafted(rng: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    millions = rng.randrange(400_000, 600_000)
    yield (
        "one row of 38 million empty cells",
        partial(lambda: book(again("<c/>", 38_000_000, HEADER + "<row>", "</row>"))),
    )
    yield (
        "one text of 150 MB",
        partial(lambda: book(again("A", 150_000_000, HEADER + "<row><c t='inlineStr'><is><t>", "</t></is></c></row>"))),
    )
    yield (
        "one shared text of 150 MB",
        partial(lambda: book(shared=again("A", 150_000_000, f"<sst {MAIN}><si><t>", "</t></si></sst>"))),
    )
    for tag in (
        "<c/>",
        "<c><v>1</v></c>",
        "<c t='s'><v>0</v></c>",
        "<c t='inlineStr'><is><t>a</t></is></c>",
        "<c t='b'><v>1</v></c>",
        "<c t='e'><v>#N/A</v></c>",
        "<c><f>1+1</f><v>2</v></c>",
        "<c t='d'><v>2020-01-01</v></c>",
        "<x/>",
    ):
        yield (
            f"millions of {tag} in one row",
            partial(lambda t: book(again(t, millions, HEADER + "<row>", "</row>")), tag),
        )
        yield (
            f"as many of {tag} as may be, in rows of four",
            partial(lambda t: book(rows(f"<row>{t * 4}</row>", 24_900)), tag),
        )
    yield "millions of empty rows", partial(lambda: book(rows("<row/>", millions)))
    yield "millions of rows of one empty cell", partial(lambda: book(rows("<row><c/></row>", millions)))
    yield "rows within rows", partial(lambda: book(again("<row>", 20_000, HEADER, "</row>" * 20_000)))
    for name, part in (
        ("sheet", "cells"),
        ("styles", "styles"),
        ("shared texts", "shared"),
        ("names", "names"),
        ("types", "types"),
    ):
        for depth in (2_000, 300_000):
            whole = ("<a>", "</a>") if part in ("cells", "names") else (f"<a {MAIN}>", "</a>")
            yield (
                f"{depth:,} elements within each other in {name}",
                partial(
                    lambda p, d, w: book(**{p: [w[0].encode(), *again("<a>", d), *again("</a>", d), w[1].encode()]}),
                    part,
                    depth,
                    whole,
                ),
            )
    for tag, outer in (
        ("xf", "cellXfs"),
        ("font", "fonts"),
        ("fill", "fills"),
        ("border", "borders"),
        ("cellStyle", "cellStyles"),
        ("dxf", "dxfs"),
        ("numFmt numFmtId='200' formatCode='0'", "numFmts"),
        ("rgbColor rgb='00000000'", "indexedColors"),
    ):
        for count in (24_000, millions):
            text = f"<{outer}>" if outer != "indexedColors" else "<colors><indexedColors>"
            end = (
                text.replace("<", "</")[: text.index(">") + 2]
                if outer != "indexedColors"
                else "</indexedColors></colors>"
            )
            yield (
                f"{count:,} times {tag.split(' ')[0]} in the styles",
                partial(
                    lambda t, c, a, b: book(styles=again(f"<{t}/>", c, f"<styleSheet {MAIN}>{a}", f"{b}</styleSheet>")),
                    tag,
                    count,
                    text,
                    end,
                ),
            )
    for tag, where in (
        ("definedName name='a'>1</definedName", "definedNames"),
        ("sheet name='s' sheetId='1' r:id='rId1'/", "sheets"),
        ("externalReference r:id='rId1'/", "externalReferences"),
        ("workbookView/", "bookViews"),
    ):
        for count in (24_000, millions):
            yield (
                f"{count:,} times {where} in the workbook",
                partial(lambda t, c, w: book(names=again(f"<{t}>", c, f"<{w}>", f"</{w}>")), tag, count, where),
            )
    for tag in (
        "<mergeCells><mergeCell ref='A1:XFD1048576'/></mergeCells>",
        "<conditionalFormatting sqref='A1'><cfRule type='expression'/></conditionalFormatting>",
        "<dataValidations><dataValidation sqref='A1'/></dataValidations>",
        "<hyperlinks><hyperlink ref='A1'/></hyperlinks>",
    ):
        yield f"millions of {tag[1:12]} after the cells", partial(lambda t: book(after=t * 60_000), tag)
    for count in (90_000, millions):
        yield (
            f"{count:,} shared texts",
            partial(lambda c: book(shared=again("<si><t>a</t></si>", c, f"<sst {MAIN}>", "</sst>")), count),
        )
        yield (
            f"{count:,} pieces of one shared text",
            partial(lambda c: book(shared=again("<r><t>a</t></r>", c, f"<sst {MAIN}><si>", "</si></sst>")), count),
        )
    yield "an attribute of 50 MB", partial(lambda: book(again("A", 50_000_000, HEADER + "<row x='", "'/>")))
    yield (
        "a reference of 50 MB",
        partial(lambda: book(again("A", 50_000_000, HEADER + "<row><c r='", "1'><v>1</v></c></row>"))),
    )
    yield (
        "a row number of a million digits",
        partial(lambda: book(again("9", 1_000_000, HEADER + "<row r='", "'><c><v>1</v></c></row>"))),
    )
    yield (
        "a number of 90,000 digits",
        partial(
            lambda: book(
                again(
                    "9",
                    90_000,
                    HEADER + "<row><c t='inlineStr'><is><t>A</t></is></c><c><v>1</v></c><c><v>",
                    "</v></c></row>",
                )
            )
        ),
    )
    yield (
        "10,000 numbers of 4,000 digits",
        partial(
            lambda: book(
                rows(
                    f"<row><c t='inlineStr'><is><t>A</t></is></c><c><v>0</v></c><c><v>{'9' * 4000}</v></c></row>",
                    10_000,
                )
            )
        ),
    )
    yield (
        "50,000 attributes of one element",
        partial(lambda: book(HEADER + "<row " + " ".join(f"a{n}='1'" for n in range(50_000)) + "/>")),
    )
    yield (
        "50,000 namespaces",
        partial(lambda: book(HEADER + "".join(f"<a{n}:x xmlns:a{n}='u{n}'/>" for n in range(50_000)))),
    )
    yield (
        "a format of a megabyte",
        partial(
            lambda: book(
                cells=HEADER + ROW.replace("<c>", "<c s='1'>"),
                styles=STYLES.replace(
                    "<fonts>", f"<numFmts><numFmt numFmtId='200' formatCode='{'[' * 1_000_000}'/></numFmts><fonts>"
                ).replace("<xf/></cellXfs>", "<xf/><xf numFmtId='200'/></cellXfs>"),
            )
        ),
    )
    yield (
        "dates of any year",
        partial(
            lambda: book(
                cells=HEADER
                + "".join(ROW.replace("<c><v>0", f"<c s='1'><v>{n}") for n in (-1, 0, 60, 1e9, 1e300, "nan", "inf")),
                styles=STYLES.replace("<xf/></cellXfs>", "<xf/><xf numFmtId='14'/></cellXfs>"),
            )
        ),
    )
    yield (
        "entities in UTF-16",
        partial(
            lambda: book(
                shared=[
                    f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "{"a" * 60_000}">]><sst {MAIN}><si><t>{"&a;" * 5_000}</t></si></sst>'.encode(
                        "utf-16"
                    )
                ]
            )
        ),
    )
    yield (
        "entities",
        partial(
            lambda: book(
                shared=f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "{"a" * 60_000}">]><sst {MAIN}><si><t>{"&a;" * 5_000}</t></si></sst>'
            )
        ),
    )
    yield "10,000 parts", partial(lambda: book(more={f"xl/media/{n}.xml": "" for n in range(7_000)}))
    yield "parts that lead elsewhere", partial(lambda: book(more={"../../outside.xml": "<a/>"}))
    yield (
        "a sheet by another name",
        partial(
            lambda: book(
                types=TYPES.replace("/xl/worksheets/sheet1.xml", "/xl/sheet.png"),
                more={"xl/sheet.png": sheet(again("<c/>", 30_000_000, "<row>", "</row>"))},
            )
        ),
    )
    yield (
        "bytes of another compression",
        partial(
            lambda: book(
                method=zipfile.ZIP_LZMA, shared=again("A", 100_000_000, f"<sst {MAIN}><si><t>", "</t></si></sst>")
            )
        ),
    )
    yield "the same part twice", twice
    yield (
        "a workbook within a workbook",
        partial(lambda: book(more={"xl/embeddings/inner.xlsx": [book(again("<c/>", 20_000_000, "<row>", "</row>"))]})),
    )
    yield (
        "nothing but zeros in another part",
        partial(lambda: book(more={"xl/media/image1.png": again("\0", 150_000_000)})),
    )


def twice() -> bytes:
    raw = book(more={"xl/worksheets/sheet2.xml": sheet(again("<c/>", 30_000_000, "<row>", "</row>"))})
    return raw.replace(b"xl/worksheets/sheet2.xml", b"xl/worksheets/sheet1.xml")


def cases(rng: random.Random) -> Iterator[Case]:
    for n, (name, make) in enumerate(crafted(rng)):
        yield Case(name, f"workbook-{n:02}.xlsx", make, declaring())
