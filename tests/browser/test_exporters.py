"""Exporters, their interfaces and templates."""

import re

from playwright.sync_api import expect

from browser.explore import inked


def test_every_exporter_is_listed_with_its_state(page, demo):
    page.goto(f"{demo}/exporters")
    table = page.get_by_role("region", name="Exporters", exact=True).get_by_role("table")

    for name, protocol in [("edge1.ams", "IPFIX"), ("edge1.fra", "NetFlow v9"), ("edge1.nyc", "sFlow v5")]:
        row = table.get_by_role("row", name=re.compile(f"^{name}"))
        expect(row).to_contain_text(protocol)
        expect(row).to_contain_text("flows/s")
    page.get_by_role("searchbox", name="Search exporters").fill("fra")
    expect(table.get_by_role("row")).to_have_count(2)


def test_an_exporter_shows_its_traffic_interfaces_and_templates(page, demo):
    page.goto(f"{demo}/exporters")
    page.get_by_role("link", name="edge1.ams").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("edge1.ams")
    inked(page.get_by_role("region", name="Traffic of the last hour").get_by_role("figure"))
    main = page.get_by_role("main")
    expect(main.get_by_role("row", name=re.compile("IX: AMS-IX"))).to_contain_text("external")
    expect(main).to_contain_text(re.compile(r"1 in \d"))
    templates = page.get_by_role("region", name="Templates")
    templates.get_by_text(re.compile("^256$")).click()
    expect(templates.get_by_role("region", name="Fields of template 256")).to_contain_text("sourceIPv4Address")
