"""A browser at the console, and what must not happen in it."""

import os
import shutil
from contextlib import contextmanager
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Pages have no scripts of their own: whatever the policy forbids becomes a message that is listened to.
WATCH = "document.addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective))"


class Console:
    def __init__(self, browser, url):
        self.browser = browser
        self.url = url
        self.problems = []
        self.axe = Axe()

    def page(self, **options):
        """A page of a context of its own, watched."""
        context = self.browser.new_context(**options)
        # Far beyond what a busy machine needs: the suite has a limit of its own.
        context.set_default_timeout(120_000)
        if options.get("java_script_enabled", True):
            context.add_init_script(WATCH)
        page = context.new_page()
        page.on("console", self.heard)
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("request", self.asked)
        return page

    def heard(self, message):
        # The browser says so of every page that refuses something, which is what some stories are about.
        if message.type in ("error", "warning") and "the server responded with a status of 4" not in message.text:
            self.problems.append(f"{message.location}: {message.text}")

    def asked(self, request):
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.problems.append(f"a request to {request.url}")

    def login(self, page, token):
        page.goto(self.url + "login")
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", name="Now", level=1).wait_for()
        return page

    def check(self, page, name, only_colours=False):
        """What axe finds, and whether the page is wider than the window."""
        rules = {"type": "rule", "values": ["color-contrast"]} if only_colours else {"type": "tag", "values": RULES}
        found = self.axe.run(page, options={"runOnly": rules})
        for violation in found.response["violations"]:
            nodes = [node["html"][:160] for node in violation["nodes"][:3]]
            self.problems.append(f"{name}: {violation['id']}: {violation['help']}: {nodes}")
        wide, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        if wide > window:
            self.problems.append(f"{name}: {wide} pixels wide in a window of {window}")


@contextmanager
def console(url):
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        raise SystemExit("there is no Chromium: run make test")
    with sync_playwright() as playwright:
        # The pages are this repository's own, and containers often have no rights to build a sandbox with.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield Console(browser, url)
        finally:
            browser.close()
