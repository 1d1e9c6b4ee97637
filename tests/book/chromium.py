"""Headless Chromium for the tests of pages: where it is, and a tab that reads from disk alone."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


@contextmanager
def started() -> Iterator:
    """The browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def watched(browser, **options) -> Iterator:
    """A tab without a network; what it asks of one, and its errors, are kept."""
    context = browser.new_context(viewport=DESK, **options)
    tab = context.new_page()
    tab.asked, tab.errors = [], []
    context.route(
        re.compile(r"^(?!file:|data:|blob:)"),
        lambda route: (tab.asked.append(route.request.url), route.abort()),
    )
    tab.on("console", lambda message: message.type == "error" and tab.errors.append(message.text))
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    yield tab
    context.close()
