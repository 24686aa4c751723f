"""The page in a real browser, without a network: nothing runs, nothing is fetched, and everybody can read it."""

import os
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from bayesmyo.report.html import html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAGES = ["good", "failed", "hostile"]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as p:
        opened = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def paths(tmp_path_factory, good_page, failed_page, hostile_html):
    folder = tmp_path_factory.mktemp("pages")
    texts = {"good": html(good_page), "failed": html(failed_page), "hostile": hostile_html}
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text)
    return {name: folder / f"{name}.html" for name in texts}


@pytest.fixture
def opened(browser, paths):
    """Open a page; what it says on the console, what it asks of the network and what it tries to show are noted."""
    pages = []

    def open_(name, **how):
        page = browser.new_page(**how)
        pages.append(page)
        page.noted, page.asked = [], []
        page.on("console", lambda m: page.noted.append(m.text))
        page.on("pageerror", lambda e: page.noted.append(str(e)))
        page.on("dialog", lambda d: page.noted.append(d.message))
        page.on("request", lambda r: page.asked.append(r.url))
        page.goto(paths[name].as_uri())
        page.wait_for_load_state("networkidle")
        return page

    yield open_
    for page in pages:
        page.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_and_nothing_is_fetched(opened, paths, name):
    page = opened(name)
    assert page.noted == []
    assert page.asked == [paths[name].as_uri()]
    assert page.evaluate("typeof pwned") == "undefined"
    assert page.locator("script, iframe, object, embed, form, input, link, base").count() == 0
    assert (
        page.evaluate(
            "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => "
            "n.startsWith('on')).length"
        )
        == 0
    )


@pytest.mark.parametrize("name", PAGES)
def test_headings_go_down_one_step_at_a_time(opened, name):
    levels = opened(name).evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


@pytest.mark.parametrize("name", PAGES)
def test_tables_have_captions_and_figures_have_alternatives(opened, name):
    page = opened(name)
    assert page.locator("table").count() > 5
    assert page.evaluate(
        "[...document.querySelectorAll('table')].every(t => t.caption && t.caption.textContent.trim())"
    )
    assert page.evaluate("[...document.querySelectorAll('th')].every(t => ['row', 'col'].includes(t.scope))")
    said = page.evaluate(
        "[...document.querySelectorAll('figure')].map(f => [f.querySelector('svg > title').textContent, "
        "f.querySelector('svg > desc').textContent, f.querySelector('figcaption').textContent])"
    )
    assert len(said) >= (1 if name == "failed" else 5)
    for title, description, caption in said:
        assert caption == title + "."
        assert any(c.isdigit() for c in description) or "No statistic" in description or "A panel" in description


@pytest.mark.parametrize(("name", "scheme"), [*((name, "light") for name in PAGES), ("good", "dark")])
def test_axe_finds_nothing(opened, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(name, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = axe.Axe().run(page).response
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []
    assert {"color-contrast", "heading-order", "svg-img-alt", "scrollable-region-focusable"} <= {
        v["id"] for v in [*found["passes"], *found["incomplete"], *found["inapplicable"]]
    }
    assert "color-contrast" in {v["id"] for v in found["passes"]}


def test_the_keyboard_reaches_everything(opened):
    page = opened("good")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    wanted = page.evaluate("document.querySelectorAll('main a, main [tabindex=\"0\"], main summary').length")
    inside = "main details:not([open])"
    hidden = f'{inside} a, {inside} [tabindex="0"], {inside} details > summary'
    closed = page.evaluate(f"document.querySelectorAll('{hidden}').length")
    reached = set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                '[...document.querySelectorAll(\'main a, main [tabindex="0"], main '
                "summary')].indexOf(document.activeElement)"
            )
        )
    assert len(reached - {-1}) == wanted - closed


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_scrolls_in_one_direction(opened, name):
    page = opened(name, viewport={"width": 360, "height": 740})
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("[...document.querySelectorAll('.scroll')].some(b => b.scrollWidth > b.clientWidth)")


def test_it_prints_on_a4(opened):
    page = opened("good")
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert b"/MediaBox [0 0 594.95996 841.91998]" in pdf or b"/MediaBox [0 0 595" in pdf
    page.emulate_media(media="print")
    assert page.evaluate(
        "[...document.querySelectorAll('nav, .skip')].every(e => getComputedStyle(e).display === 'none')"
    )
    page.set_viewport_size({"width": 690, "height": 1000})  # A4 within its margins
    wide = page.evaluate(
        "[...document.querySelectorAll('table, pre, svg')].filter(e => e.getBoundingClientRect().right > 691).map(e "
        "=> e.textContent.slice(0, 60))"
    )
    assert wide == []


def test_the_first_page_stands_alone_and_the_rest_folds(opened):
    """On a screen the answers are open and the sections behind them closed; a link opens its own; paper shows all of
    them, and long tables stay on the screen.
    """
    page = opened("good")
    assert page.locator("#summary").is_visible()
    assert page.locator("#figure-overview svg").is_visible()
    assert not page.locator("#priors").is_visible()
    page.locator('nav a[href="#priors"]').click()
    assert page.locator("#priors").is_visible()
    page.emulate_media(media="print")
    shown = "e => e.checkVisibility({contentVisibilityAuto: true})"
    assert page.locator("#checklist").evaluate(shown)
    assert not page.locator("details.long table").first.evaluate(shown)
    page.set_viewport_size({"width": 690, "height": 1000})  # A4 within its margins, in CSS pixels
    assert page.evaluate("document.querySelector('#summary').getBoundingClientRect().bottom") <= 1.5 * 1010


@pytest.mark.skipif("BAYESMYO_SCREENSHOTS" not in os.environ, reason="set BAYESMYO_SCREENSHOTS to a folder")
def test_screenshots(opened):
    folder = Path(os.environ["BAYESMYO_SCREENSHOTS"])
    for name in PAGES:
        opened(name, viewport={"width": 1100, "height": 900}).screenshot(path=folder / f"{name}.png", full_page=True)
