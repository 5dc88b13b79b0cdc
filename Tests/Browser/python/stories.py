"""What operators come to the console for, from the first look to the effect."""

import os

from playwright.sync_api import expect

expect.set_options(timeout=120_000)


def heading(page, name):
    return page.get_by_role("heading", name=name, level=1)


def pages(desk, given):
    """Each page, light and dark, narrow and wide: seen by axe, and its picture taken."""
    folder = given["pictures"]
    os.makedirs(folder, exist_ok=True)
    # Without motion a colour is what it is at once.
    page = desk.page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page.goto(desk.url + "login")
    look(desk, page, "login", folder)
    desk.login(page, given["operator"])
    for name, path in given["pages"].items():
        answer = page.goto(desk.url + path)
        if answer.status != 200:
            desk.problems.append(f"{name}: {answer.status}")
        look(desk, page, name, folder)
    # Two for the README: UPDATE_PICTURES=1 make test-console
    if os.environ.get("UPDATE_PICTURES"):
        page.set_viewport_size({"width": 860, "height": 540})
        page.emulate_media(color_scheme="light")
        for name in ("waiting", "account"):
            page.goto(desk.url + given["pages"][name])
            page.screenshot(path=f"{given['root']}/.github/console-{name}.png")


def look(desk, page, name, folder):
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            # Between light and dark nothing but colours changes.
            desk.check(page, f"{name} {scheme} {width}", only_colours=scheme == "dark")
            page.screenshot(path=f"{folder}/{name}-{scheme}-{width}.png", full_page=True)


def unknown_variant(desk, given):
    """An unknown variant waits; it is mapped; the account has its units."""
    page = desk.login(desk.page(), given["operator"])
    page.get_by_role("link", name="parked").click()
    row = page.get_by_role("row").filter(has_text=f"Variant {given['variant']} means no plan")
    expect(row).to_contain_text("2")
    row.get_by_role("link", name="Map to a plan").click()
    expect(page.get_by_text("2 events of 1 account")).to_be_visible()
    page.get_by_label("Plan").select_option("starter")
    page.get_by_role("button", name="Map, and decide 2 events").click()
    expect(page.get_by_role("status")).to_have_text("2 events that waited for it are decided.")
    # Sent again, it does nothing.
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("was done already")
    page.goto(desk.url + "accounts")
    page.keyboard.press("/")
    page.keyboard.type("ada@example.com")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="ada@example.com").click()
    expect(page.get_by_text("starter", exact=True).first).to_be_visible()
    expect(page.locator(".tiles")).to_contain_text("1,000")
    page.get_by_role("link", name="Actions").click()
    expect(page.get_by_role("row").filter(has_text=f"variant {given['variant']} mapped to starter")).to_be_visible()


def lost_renewal(desk, given):
    """A renewal was lost; Now shows it; it is fetched; the time line tells that it came by the API."""
    page = desk.login(desk.page(), given["operator"])
    tile = page.get_by_role("link", name="overdue renewals")
    expect(tile).to_contain_text("1")
    page.get_by_role("link", name="Reconcile", exact=True).click()
    page.get_by_role("link", name="Dry run").click()
    page.get_by_role("button", name="Begin the dry run").click()
    page.get_by_role("link", name="The run").click()
    ended(page)
    expect(page.get_by_text("2 would be stored")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=given["account"])).to_contain_text("→ 1,000")
    page.get_by_role("link", name="Reconcile", exact=True).click()
    page.get_by_role("link", name="Fetch what was lost").click()
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("link", name="The run").click()
    ended(page)
    expect(page.get_by_text("2 were stored")).to_be_visible()
    page.goto(desk.url + "")
    expect(page.get_by_role("link", name="overdue renewals")).to_contain_text("0")
    page.goto(desk.url + "accounts/" + given["account"])
    page.get_by_role("link", name="subscription_invoice_observed").first.click()
    expect(page.get_by_text("api", exact=True)).to_be_visible()
    expect(page.get_by_text("not signed")).to_be_visible()


def ended(page):
    for _ in range(600):
        if page.get_by_text("done", exact=True).count():
            return
        page.wait_for_timeout(100)
        page.reload()
    raise AssertionError(page.locator("main").inner_text())


def stranger(desk, given):
    """A stranger's subscription: the account is found, shown, and bound."""
    page = desk.login(desk.page(), given["operator"])
    page.get_by_role("link", name="Waiting").click()
    row = page.get_by_role("row").filter(has_text="belongs to nobody")
    expect(row).to_contain_text("vera@example.com")
    row.get_by_role("link", name="Find the account").click()
    page.get_by_label("Account: id or e-mail").fill("vera@example.com")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("It is nobody’s now.")).to_be_visible()
    page.get_by_label("Reason, for the record").fill("she wrote from that address")
    page.get_by_role("button", name="Bind to vera@example.com").click()
    expect(page.get_by_role("status")).to_contain_text("plan starter, 1,000 units left")
    page.get_by_role("link", name="vera@example.com").click()
    expect(page.get_by_text("by an operator: she wrote from that address (operator, from console")).to_be_visible()


def viewer(desk, given):
    """A viewer sees everything, and can do nothing."""
    page = desk.login(desk.page(), given["viewer"])
    for path in given["pages"].values():
        answer = page.goto(desk.url + path)
        if path.startswith("acts"):
            assert answer.status == 403, path
            continue
        assert answer.status == 200, path
        assert page.locator('a[href^="/console/acts"]').count() == 0, path
        assert page.locator('form[method="post"]:not(.who)').count() == 0, path
    answer = page.request.post(
        desk.url + "acts/map", headers={"Sec-Fetch-Site": "same-origin"},
        form={"variant": "1", "plan": "starter", "form": "00000000-0000-4000-8000-000000000000"})
    assert answer.status == 403


def without_scripts(desk, given):
    """Everything is there, and an act is done, with scripts switched off."""
    page = desk.login(desk.page(java_script_enabled=False), given["operator"])
    for name, path in given["pages"].items():
        assert page.goto(desk.url + path).status == 200, name
        expect(page.locator("h1")).to_be_visible()
    page.goto(desk.url + "acts/adjust?who=" + given["account"])
    page.get_by_label("Units").fill("25")
    page.get_by_label("Reason").fill("a gift")
    page.get_by_role("button", name="Adjust").click()
    expect(page.get_by_role("status")).to_contain_text("now.")


def keyboard(desk, given):
    """By the keyboard alone, from the door to the effect."""
    page = desk.page()
    page.goto(desk.url + "login")
    until(page, lambda: page.evaluate("document.activeElement.name") == "token")
    page.keyboard.type(given["operator"])
    page.keyboard.press("Enter")
    heading(page, "Now").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.goto(desk.url + "accounts/" + given["account"])
    until(page, lambda: focused(page) == "Adjust units")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", outline
    page.keyboard.press("Enter")
    heading(page, "Adjust units").wait_for()
    until(page, lambda: page.evaluate("document.activeElement.name") == "units")
    page.keyboard.type("-5")
    page.keyboard.press("Tab")
    page.keyboard.type("by hand")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("now.")


def focused(page):
    return page.evaluate("document.activeElement.textContent")


def until(page, condition):
    """Presses Tab until something has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if condition():
            return
    raise AssertionError("nothing of that kind gets the focus")


def ticket(desk, given):
    """The address that is printed at the start opens once, and is not left in the history."""
    page = desk.page()
    page.goto(given["ticket"])
    heading(page, "Now").wait_for()
    assert "ticket" not in page.url
    cookies = page.context.cookies()
    assert [(c["httpOnly"], c["sameSite"], c["path"]) for c in cookies] == [(True, "Strict", "/console")], cookies
    other = desk.page()
    assert other.goto(given["ticket"]).status == 401
    page.get_by_role("button", name="Log out").click()
    heading(page, "Log in").wait_for()
    page.goto(desk.url)
    heading(page, "Log in").wait_for()

