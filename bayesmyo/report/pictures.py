"""Figures as SVG inside a page: text stays text, the same numbers give the same bytes, and nothing but shapes is let
through."""

import re
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import matplotlib

from bayesmyo.figures.style import Drawing, any_letters
from bayesmyo.report.blocks import Picture

SVG, LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
SHAPES = {"svg", "g", "path", "defs", "use", "clipPath", "rect", "text", "tspan", "line", "pattern"}
SETTINGS: dict[Any, Any] = {"svg.hashsalt": "bayesmyo", "svg.fonttype": "none", "path.simplify": True}
FONT = re.compile(r"'DejaVu Sans',[^;\"]*sans-serif")
BROAD, LARGER = 5.0, 1.2  # inches: of panels side by side; times
REFERENCE = re.compile(r"url\(#([^)]+)\)")


def picture(drawn: Drawing, name: str, caption: str, alternative: str) -> Picture:
    """A figure for a page; `alternative`: what it shows, in words and numbers. `name`: its anchor.

    One of a single column of a journal is drawn somewhat larger, so that its text is as large as that of the page where
    it fills a screen, and can be read where it fills a phone.
    """
    out = BytesIO()
    width, height = drawn.get_size_inches()
    wide = bool(width > BROAD)
    if not wide:
        drawn.set_size_inches(width * LARGER, height * LARGER)
    with matplotlib.rc_context(SETTINGS), any_letters():
        drawn.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return Picture(name, inline(out.getvalue().decode(), name, caption, alternative), caption, alternative, wide)


def inline(svg: str, name: str, title: str, alternative: str) -> str:
    """A figure's SVG as part of a page: only shapes and text, its own ids, a title and a description, as wide as there
    is room."""
    root = ElementTree.fromstring(svg)
    for parent in root.iter():
        for child in [c for c in parent if not _is_shape(c)]:
            parent.remove(child)
    _rename(root, name)
    width, height = (float(root.attrib[k].removesuffix("pt")) for k in ("width", "height"))
    root.attrib |= {"role": "img", "aria-labelledby": f"{name}-title {name}-desc"}
    root.attrib["style"] = "stroke-linejoin: round; stroke-linecap: butt"
    root.attrib["viewBox"] = f"0 0 {width:g} {height:g}"
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    for position, (tag, text) in enumerate((("title", title), ("desc", alternative))):
        element = ElementTree.Element(f"{{{SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(position, element)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", LINK)
    return FONT.sub("'DejaVu Sans', Verdana, sans-serif", ElementTree.tostring(root, encoding="unicode"))


def _is_shape(element: ElementTree.Element) -> bool:
    space, _, tag = str(element.tag).removeprefix("{").partition("}")
    return space == SVG and tag in SHAPES


def _rename(root: ElementTree.Element, name: str) -> None:
    """Ids that something refers to become the figure's own; the others go."""
    link = f"{{{LINK}}}href"
    used = {m for e in root.iter() for v in e.attrib.values() for m in REFERENCE.findall(v)}
    used |= {e.attrib[link].removeprefix("#") for e in root.iter() if link in e.attrib}
    short = {
        old: f"{name}-{n}" for n, old in enumerate(e.attrib["id"] for e in root.iter() if e.attrib.get("id") in used)
    }
    for e in root.iter():
        if "id" in e.attrib:
            old = e.attrib.pop("id")
            if old in short:
                e.attrib["id"] = short[old]
        for key, value in list(e.attrib.items()):
            if key == link:
                e.attrib.pop(key)
                e.attrib["href"] = "#" + short[value.removeprefix("#")]
            else:
                e.attrib[key] = REFERENCE.sub(lambda m: f"url(#{short[m[1]]})", value)
