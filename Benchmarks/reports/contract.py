#!/usr/bin/env python3
"""What only a browser can tell of a report: network, WCAG 2.2 AA, phone, dark, print, scripts off, labels of drawings.

    contract.py --venv FOLDER [--shots FOLDER] PAGE…

Each page is opened in Chromium with scripts on and off, light and dark, 1,280 and 390 pixels wide and on paper. A page of which each
fault is known is looked at first: what would not be found there is no proof anywhere. The virtual environment needs axe-core
(`pip install axe-core-python`, or `--no-deps axe-playwright-python`, which has a newer one; the newest counts), and for pictures of paper
`pypdfium2` and `pillow`. Exit 1: a page breaks the contract; 2: something is missing to tell.
"""
import argparse
import glob
import json
import os
import re
import sys
import tempfile

from browser import Browser, address, chromium

HERE = os.path.dirname(os.path.abspath(__file__))
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
FORMS = {
    "desktop": {"width": 1280, "height": 900},
    "phone": {"width": 390, "height": 844, "scale": 2, "phone": True},
    "print": {"width": 718, "height": 1000, "media": "print"},
}
UNFOLD = "document.querySelectorAll('details').forEach(part => { part.open = true })"
STRIP = 2400

# One of each fault; `{address}` is asked for, the line below is written by a script only.
CONTROL = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Control</title></head><body><main><h1>Control</h1>
<img src="https://control.example.org/dot.png" alt=""><p style="color:#aaa;background:#fff">faint</p>
<div style="width:3000px">wide</div>
<svg role="img" aria-label="drawing" width="200" height="60" viewBox="0 0 200 60"><title>drawing</title>
<text x="10" y="30">one label</text><text x="20" y="32">another label</text><text x="10" y="55" fill="#ccc">pale</text>
<text x="190" y="15">far outside</text></svg>
<p id="late"></p><script>document.getElementById("late").textContent = "only with scripts"</script></main></body></html>"""


def newest_axe(venv):
    found = []
    for path in glob.glob(os.path.join(venv, "**", "axe.min.js"), recursive=True):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        version = re.match(r"/\*! axe v([\d.]+)", text)
        if version:
            found.append((tuple(int(part) for part in version[1].split(".")), text))
    return max(found) if found else None


def broken_rules(page, axe):
    page.value(axe + "\n;0")
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations", "incomplete"]}
    code = (f"axe.run(document, {json.dumps(options)}).then(result => ({{"
            "violations: result.violations.map(rule => ({id: rule.id, help: rule.help, count: rule.nodes.length,"
            " at: rule.nodes.slice(0, 5).map(node => node.target.join(' ') + ' | ' + node.html.slice(0, 120) + ' | '"
            " + (node.any[0]?.message ?? node.failureSummary))})),"
            "open: result.incomplete.map(rule => rule.id + ' × ' + rule.nodes.length), passes: result.passes.length}))")
    return page.value(code)


def pictures(page, height, path):
    count = max(1, -(-height // STRIP))
    for strip in range(count):
        with open(f"{path}-{strip + 1:02}.png", "wb") as file:
            file.write(page.picture(strip * STRIP, min(STRIP, height - strip * STRIP) or 1))


def paper(page, path):
    """The printed pages; their number, or None where no library can count them."""
    with open(path + ".pdf", "wb") as file:
        file.write(page.paper())
    try:
        import pypdfium2
    except ImportError:
        return None
    document = pypdfium2.PdfDocument(path + ".pdf")
    for number in range(len(document)):
        document[number].render(scale=1.3).to_pil().save(f"{path}-{number + 1:02}.png")
    return len(document)


def looked_at(program, path, axe, look, shots=None):
    """One entry a view, and the requests of them all."""
    views = []
    name = os.path.join(shots, page_name(path)) if shots else None
    with Browser(program) as browser:
        for form, sizes in FORMS.items():
            for dark in (False, True):
                texts = {}
                for scripts in (True, False):
                    page = browser.open(address(path), dark=dark, scripts=scripts, **sizes)
                    view = {"form": form, "dark": dark, "scripts": scripts, "rules": []}
                    if scripts:
                        view["rules"] = [broken_rules(page, axe)]
                    folded = page.value(look)
                    if name and not scripts:
                        pictures(page, folded["height"], f"{name}-{form}-{'dark' if dark else 'light'}")
                        if form == "print":
                            paper(page, f"{name}-paper-{'dark' if dark else 'light'}")
                    page.value(UNFOLD)
                    height = page.value("document.documentElement.scrollHeight")
                    page.resize(height)
                    view["look"] = page.value(look)
                    page.resize(sizes["height"])
                    if scripts:
                        view["rules"].append(broken_rules(page, axe))
                    elif name and form == "phone":
                        pictures(page, view["look"]["height"], f"{name}-{form}-{'dark' if dark else 'light'}-unfolded")
                    texts[scripts] = view["look"]["text"]
                    views.append(view)
                    page.close()
                views[-1]["same"] = views[-2]["same"] = texts[True] == texts[False]
    return views, browser.requests


def faults_of(views, requests):
    """Texts by kind; empty when the contract holds."""
    found = {}

    def add(kind, text):
        found.setdefault(kind, {}).setdefault(text, 0)
        found[kind][text] += 1

    for request in requests:
        add("network", request)
    for view in views:
        place = f"{view['form']}, {'dark' if view['dark'] else 'light'}"
        for result in view["rules"]:
            for rule in result["violations"]:
                add("axe", f"{rule['id']} × {rule['count']} ({place}): {rule['help']}\n" + "\n".join("      " + at for at in rule["at"]))
        look = view["look"]
        if look["overflow"] and view["form"] != "print":
            add("overflow", f"{look['overflow']} px ({view['form']}): {', '.join(sorted(set(look['wide'])))[:300]}")
        for text in look["clash"]:
            add("labels", f"run into one another ({view['form']}): {text}")
        for text in look["cut"]:
            add("labels", f"outside ({view['form']}): {text}")
        for text in look["faint"] if view["form"] != "print" else []:
            add("contrast", f"{place}: {text}")
        if not view["same"]:
            add("scripts", f"the text differs without scripts ({place})")
    return {kind: list(texts) for kind, texts in found.items()}


def page_name(path):
    parts = os.path.abspath(path).split(os.sep)
    return parts[-3] if parts[-2] == "reports" else os.path.splitext(parts[-1])[0] if parts[-1] != "index.html" else parts[-2]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--venv", required=True, help="virtual environment that has axe-core")
    options.add_argument("--chromium", help="the browser; without it the one on the search path")
    options.add_argument("--shots", help="folder for pictures; made when it is not there")
    options.add_argument("pages", nargs="+", metavar="PAGE")
    asked = options.parse_args()
    program, axe = chromium(asked.chromium), newest_axe(asked.venv)
    if not program or not axe:
        print("no Chromium on the search path" if not program else f"no axe-core in {asked.venv}", file=sys.stderr)
        return 2
    version, axe = axe
    sys.path += glob.glob(os.path.join(asked.venv, "lib", "python3*", "site-packages"))
    with open(os.path.join(HERE, "look.js"), encoding="utf-8") as file:
        look = "\n".join(line for line in file.read().splitlines() if not line.startswith("//"))
    if asked.shots:
        os.makedirs(asked.shots, exist_ok=True)

    with tempfile.TemporaryDirectory() as folder:
        control = os.path.join(folder, "control.html")
        with open(control, "w", encoding="utf-8") as file:
            file.write(CONTROL)
        seen = set(faults_of(*looked_at(program, control, axe, look)))
    missed = {"network", "axe", "overflow", "labels", "contrast", "scripts"} - seen
    if missed:
        print(f"the control page has faults that were not seen: {', '.join(sorted(missed))}", file=sys.stderr)
        return 2

    print(f"axe-core {'.'.join(map(str, version))}, {', '.join(TAGS)}; the control page's faults were all found")
    print(f"{'page':24} {'bytes':>9} {'views':>5} {'requests':>8} {'axe':>4} {'overflow':>8} {'labels':>6} {'contrast':>8} {'scripts off':>11} {'least label':>11}")
    failed = False
    details = []
    for path in asked.pages:
        views, requests = looked_at(program, path, axe, look, asked.shots)
        faults = faults_of(views, requests)
        count = {kind: len(faults.get(kind, [])) for kind in ("network", "axe", "overflow", "labels", "contrast")}
        least = [view["look"]["smallest"] for view in views if view["form"] == "phone" and view["look"]["smallest"]]
        print(f"{page_name(path):24} {os.path.getsize(path):9,} {len(views):5} {count['network']:8} {count['axe']:4} {count['overflow']:8} "
              f"{count['labels']:6} {count['contrast']:8} {'differs' if 'scripts' in faults else 'same text':>11} "
              f"{f'{min(least):.1f} px' if least else '':>11}", flush=True)
        unsure = sorted({text for view in views for result in view["rules"] for text in result["open"]})
        details += [f"{page_name(path)}: {kind}: {text}" for kind, texts in faults.items() for text in texts]
        details += [f"{page_name(path)}: axe leaves to the eye: {', '.join(unsure)}"] if unsure else []
        failed = failed or bool(faults)
    print("\n".join(details))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
