"""What a reader's browser does with a built site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog

from egregora_resources.publishing.build import build_site

from .browser import launched, opened, served
from .hostile import hostile_site
from .magazine import magazine, media_for_magazine

pytestmark = pytest.mark.slow

INSPECT = """() => {
  const article = document.querySelector("article.eg-page")
  const frame = article.getBoundingClientRect()
  const escaped = [], active = []
  for (const element of article.querySelectorAll("*")) {
    const style = getComputedStyle(element), box = element.getBoundingClientRect()
    if (["fixed", "sticky"].includes(style.position) || box.right > frame.right + 4 && box.width && !element.closest("details, pre, .md-typeset__scrollwrap"))
      escaped.push(element.outerHTML.slice(0, 120))
    for (const attribute of element.attributes)
      if (/^on|^style$|^srcdoc$|^formaction$/.test(attribute.name) || element.id && !/^__code_/.test(element.id) || element.getAttribute("name"))
        active.push(element.outerHTML.slice(0, 120))
    if (/^(script|style|iframe|object|embed|form|input|button|link|meta|base|math)$/i.test(element.tagName)) active.push(element.tagName)
  }
  return {
    ran: Object.keys(window).filter(key => /^X\\d+/.test(key)),
    escaped, active,
    schemes: [...new Set([...document.querySelectorAll("[href], [src]")].map(e => new URL(e.getAttribute("href") || e.getAttribute("src"), location).protocol))],
    search: document.getElementById("__search").type,
    config: document.getElementById("__config").type,
    width: document.documentElement.scrollWidth,
    title: document.title,
    text: document.body.innerText,
  }
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def friendly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("magazine")
    build_site(magazine(), root, media=media_for_magazine())
    return root / "site"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile")
    build_site(hostile_site(), root)
    return root / "site"


def pages_of(site: Path) -> list[str]:
    return [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))]


def machine_secrets() -> list[str]:
    names = [Path("/etc/hostname"), Path("/etc/passwd")]
    return [line for name in names if name.exists() for line in name.read_text().split("\n")[:1] if line]


def test_no_hostile_text_runs_loads_reads_or_leaves_its_place_even_without_the_security_policy(
    browser: Browser, hostile: Path
) -> None:
    requests: list[str] = []
    dialogs: list[str] = []
    found: list[tuple[str, str, Any]] = []

    def note_and_dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page = opened(browser, bypass_csp=True, viewport={"width": 390, "height": 800})
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", note_and_dismiss)
    with served(hostile) as address:
        for name in pages_of(hostile):
            page.goto(f"{address}/{name}", wait_until="load")
            seen = page.evaluate(INSPECT)
            for key in ("ran", "escaped", "active"):
                found += [(name, key, item) for item in seen[key]]
            found += [
                (name, "scheme", scheme)
                for scheme in seen["schemes"]
                if scheme not in ("http:", "https:", "mailto:")
            ]
            found += [(name, "read", secret) for secret in machine_secrets() if secret in seen["text"]]
            if seen["width"] > 390:
                found.append((name, "wide", seen["width"]))
            if seen["title"].startswith("PWNED"):
                found.append((name, "title", seen["title"]))
            assert (seen["search"], seen["config"]) == ("checkbox", "application/json"), name
    page.context.close()
    assert found == []
    assert dialogs == []
    assert {url for url in requests if not url.startswith(f"{address}/")} == set()


def test_search_results_show_hostile_titles_as_text(browser: Browser, hostile: Path) -> None:
    page = opened(browser, bypass_csp=True, viewport={"width": 1280, "height": 800})
    with served(hostile) as address:
        page.goto(f"{address}/index.html")
        for words in ("window", "script", "onerror", "img", "svg", "hostile"):
            page.fill("[data-md-component=search-query]", "")
            page.type("[data-md-component=search-query]", words)
            page.wait_for_timeout(700)
        page.wait_for_selector(".md-search-result__link")
        seen = page.evaluate(
            """() => ({
              ran: Object.keys(window).filter(key => /^X\\d+/.test(key)),
              active: [...document.querySelectorAll(".md-search-result *")].filter(e =>
                /^(script|img|svg|iframe|object|style)$/i.test(e.tagName) && !e.closest(".md-icon")).map(e => e.outerHTML.slice(0, 90)),
            })"""
        )
    page.context.close()
    assert seen == {"ran": [], "active": []}


def test_the_security_policy_refuses_inline_scripts_and_other_hosts(browser: Browser, friendly: Path) -> None:
    refused: list[str] = []
    page = opened(browser)
    page.on(
        "console", lambda line: refused.append(line.text) if "Content Security Policy" in line.text else None
    )
    with served(friendly) as address:
        page.goto(f"{address}/index.html")
        assert refused == []
        with page.expect_console_message(lambda line: "evil.example" in line.text):
            page.evaluate(
                """() => {
                  const script = document.createElement("script")
                  script.textContent = "window.X99 = 1"
                  document.body.append(script)
                  const image = new Image()
                  image.src = "https://evil.example/x.png"
                  document.body.append(image)
                }"""
            )
        assert page.evaluate("window.X99") is None
    page.context.close()
    assert len(refused) == 2


@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_fits_its_window_asks_only_its_own_host_and_logs_no_error(
    browser: Browser, friendly: Path, width: int
) -> None:
    page = opened(browser, viewport={"width": width, "height": 800})
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None
    )
    with served(friendly) as address:
        for name in pages_of(friendly):
            page.goto(f"{address}/{name}", wait_until="networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.context.close()
    assert complaints == []
    assert {url for url in requests if not url.startswith(f"{address}/")} == set()


def test_the_site_works_from_disk_links_and_search_included(browser: Browser, friendly: Path) -> None:
    page = opened(browser)
    page.goto((friendly / "index.html").as_uri())
    page.click("text=Um jardim na varanda")
    assert page.url.endswith("posts/um-jardim/index.html")
    page.click("article .eg-chip")
    assert page.url.endswith("people/green-otter/index.html")
    page.wait_for_load_state("load")
    # Typed, not filled in: Material listens to keys, not to changes of the field.
    page.locator("[data-md-component=search-query]").press_sequentially("paella")
    page.click(".md-search-result__link")
    page.wait_for_url("**/posts/who-brings-the-big-pan/index.html*")
    page.context.close()


def test_every_address_on_every_page_exists(friendly: Path, browser: Browser) -> None:
    page = opened(browser)
    missing: list[tuple[str, str]] = []
    for name in pages_of(friendly):
        if name == "404.html":  # shown at any address, so its links start at the host's root
            continue
        page.goto((friendly / name).as_uri())
        addresses: list[str] = page.evaluate(
            "[...document.querySelectorAll('[href], [src], [poster]')].map(e => e.href || e.src || e.poster)"
        )
        for address in addresses:
            if not address.startswith("file://"):
                continue
            path = Path(address.removeprefix("file://").split("#")[0].split("?")[0])
            if not path.is_file():
                missing.append((name, address))
    page.context.close()
    assert missing == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast_in_light_and_in_dark(browser: Browser, friendly: Path, scheme: Any) -> None:
    page = opened(browser, color_scheme=scheme)
    found: list[Any] = []
    for name in ("index.html", "posts/who-brings-the-big-pan/index.html", "people/amber-heron/index.html"):
        page.goto((friendly / name).as_uri())
        found += page.evaluate(CONTRAST)
    page.context.close()
    assert found == []


def test_pictures_have_alternatives_and_controls_have_names(browser: Browser, friendly: Path) -> None:
    page = opened(browser)
    for name in ("index.html", "posts/who-brings-the-big-pan/index.html"):
        page.goto((friendly / name).as_uri())
        assert page.get_by_role("dialog").get_attribute("aria-label") == "Search this site"
        unnamed = page.evaluate(
            """() => [
              ...[...document.querySelectorAll("img:not([alt])")],
              ...[...document.querySelectorAll("figure.eg-banner img, img.eg-image")].filter(e => !e.alt),
              ...[...document.querySelectorAll("audio, video, svg[role=img]")].filter(e => !e.getAttribute("aria-label")),
            ].map(e => e.outerHTML)"""
        )
        assert unnamed == [], name
        assert page.locator("h1").count() == 1
    page.goto((friendly / "posts/um-jardim/index.html").as_uri())
    assert page.locator("article.eg-page").get_attribute("lang") == "pt"
    page.context.close()


CONTRAST = """() => {
  const channel = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4
  const numbers = color => (color.match(/[\\d.]+/g) || []).map(Number)
  const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b)
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = numbers(getComputedStyle(e).backgroundColor)
      if (color.length === 3 || color[3] > .9) return color
    }
    return [255, 255, 255]
  }
  const bad = []
  for (const element of document.querySelectorAll(".eg-page *, .eg-header a, .eg-footer *")) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
    if (!own || !element.checkVisibility()) continue
    const a = light(numbers(getComputedStyle(element).color)), b = light(behind(element))
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05)
    if (ratio < 4.5) bad.push([element.className, element.textContent.slice(0, 30), ratio])
  }
  return bad
}"""
