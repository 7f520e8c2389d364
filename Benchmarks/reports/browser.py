"""Chromium without a window, steered through its debugging pipe, and the log of what it asked of the network.

Needs no package: the protocol is JSON between zero bytes on descriptors 3 and 4.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
import urllib.parse

# What Chromium would do by itself, without any page, is switched off, so that the log is the page's.
SWITCHES = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--mute-audio", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-domain-reliability",
    "--disable-extensions", "--disable-features=OptimizationHints,MediaRouter,DialMediaRouteProvider,Translate",
    "--metrics-recording-only", "--no-pings", "--no-default-browser-check", "--password-store=basic",
    "--force-color-profile=srgb", "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--net-log-capture-mode=Everything", "--remote-debugging-pipe",
]
LOCAL = {"file", "data", "about", "blob", "chrome", "chrome-extension", "chrome-error", "devtools"}
# Chromium looks for the time, an account and updates whatever it shows; a page's requests have an origin.
OWN = {"clients2.google.com", "accounts.google.com", "update.googleapis.com"}


def chromium(named=None):
    """The path of a Chromium, or None."""
    for name in [named] if named else ["chromium", "chromium-browser", "google-chrome"]:
        path = shutil.which(name)
        if path:
            return path
    return None


class Browser:
    """One Chromium with a profile of its own; `requests` has what it asked of the network, after `with` has ended."""

    def __init__(self, program, patience=120):
        self.program = program
        self.patience = patience
        self.requests = []

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="pipe-browser-")
        self.log = os.path.join(self.folder, "net.json")
        to_child, self.writing = os.pipe()
        self.reading, from_child = os.pipe()
        ends = [os.dup(to_child), os.dup(from_child)]
        while min(ends) <= 4:
            ends = [os.dup(end) for end in ends]

        def place():
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        command = [self.program, *SWITCHES, f"--user-data-dir={self.folder}/profile", f"--log-net-log={self.log}", "about:blank"]
        self.process = subprocess.Popen(
            command, preexec_fn=place, pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end in {to_child, from_child, *ends}:
            os.close(end)
        self.number = 0
        self.rest = b""
        self.events = []
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
            self.process.wait(timeout=20)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.writing)
        os.close(self.reading)
        self.requests = asked(self.log)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, session=None, **parameters):
        """The answer to one message; raises RuntimeError when Chromium refuses or stays silent."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self.write(message)
        deadline = time.monotonic() + self.patience
        while True:
            answer = self.next(deadline, method)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def write(self, message):
        rest = json.dumps(message).encode() + b"\0"
        while rest:
            rest = rest[os.write(self.writing, rest):]

    def next(self, deadline, awaited):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.reading], [], [], max(0, deadline - time.monotonic()))
            part = os.read(self.reading, 1 << 20) if ready else b""
            if not part:
                raise RuntimeError(f"Chromium did not answer `{awaited}`")
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def wait(self, method, session):
        for place, event in enumerate(self.events):
            if event.get("method") == method and event.get("sessionId") == session:
                del self.events[place]
                return
        deadline = time.monotonic() + self.patience
        while True:
            event = self.next(deadline, method)
            if event.get("method") == method and event.get("sessionId") == session:
                return
            self.events.append(event)

    def open(self, address, **view):
        """A page that has been loaded. `view`: width, height, scale, phone, media, dark, scripts."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, target, session)
        page.call("Page.enable")
        page.view(**view)
        page.call("Page.navigate", url=address)
        self.wait("Page.loadEventFired", session)
        return page


class Page:
    def __init__(self, browser, target, session):
        self.browser, self.target, self.session = browser, target, session

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def view(self, width=1280, height=900, scale=1, phone=False, media="screen", dark=False, scripts=True):
        self.width, self.scale, self.phone = width, scale, phone
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.resize(height)
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def resize(self, height):
        self.call("Emulation.setDeviceMetricsOverride", width=self.width, height=height, deviceScaleFactor=self.scale, mobile=self.phone)

    def value(self, expression):
        """What a JavaScript expression, or the promise it is, comes to."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def picture(self, top, height):
        """PNG of the whole width, from `top` on."""
        clip = {"x": 0, "y": top, "width": self.width, "height": height, "scale": 1}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)["data"])

    def paper(self):
        """PDF on A4."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.69)["data"])

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)


def address(path):
    return "file://" + urllib.parse.quote(os.path.abspath(path))


def asked(path):
    """Addresses beyond the machine that a net log has, each once, without what the browser asks on its own account."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    try:
        log = json.loads(text)
    except ValueError:
        # A browser that was killed did not close the list.
        log = json.loads(text.rstrip().rstrip(",") + "]}")
    names = {number: name for name, number in log["constants"]["logEventTypes"].items()}
    found = []
    for event in log["events"]:
        parameters = event.get("params") or {}
        parts = urllib.parse.urlsplit(str(parameters.get("url", "")))
        if names.get(event["type"]) not in ("URL_REQUEST_START_JOB", "HTTP_STREAM_JOB_CONTROLLER") or parts.scheme in LOCAL | {""}:
            continue
        if parts.hostname in OWN and parameters.get("initiator", "not an origin") == "not an origin":
            continue
        found.append(parameters["url"].rstrip("/"))
    return list(dict.fromkeys(found))
