"""A headless chromium, driven with the DevTools protocol over a pair of pipes: Python's standard library only.

    with Browser() as browser:
        page = browser.open(1280, 800)
        page.go("http://127.0.0.1:8080/")
        page.until("document.title === 'GeoViewMatch'", "the title")

A page records errors (`page.errors`: console errors, exceptions, failed loads) and the address of every request
(`page.requests`).
"""
import base64
import json
import os
import shutil
import struct
import subprocess
import tempfile
import threading
import time
import zlib

PATIENCE = 600  # seconds until a wait counts as a hang; long, because a busy machine must not fail a test
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync",
         "--hide-scrollbars", "--remote-debugging-pipe"]
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
        "Home": 36, "End": 35}


def find():
    """The browser's path, or None."""
    return next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)


class Browser:
    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self.output = os.pipe()
        self.input, from_browser = os.pipe()

        def place():  # the browser reads its commands from 3 and writes to 4
            high = [os.dup2(end, target) for end, target in ((to_browser, 100), (from_browser, 101))]
            for end, target in zip(high, (3, 4)):
                os.dup2(end, target, inheritable=True)

        self.process = subprocess.Popen([find(), *FLAGS, "--user-data-dir=" + self.folder.name], close_fds=False,
                                        preexec_fn=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.changed = threading.Condition()
        self.answers, self.pages, self.downloads, self.last = {}, {}, {}, 0
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except Exception:
            self.process.kill()
            self.process.wait()
        os.close(self.output)
        self.folder.cleanup()

    def _read(self):
        """Messages end with a zero byte; answers have an id, events a method."""
        rest = b""
        while chunk := os.read(self.input, 1 << 16):
            *messages, rest = (rest + chunk).split(b"\0")
            with self.changed:
                for message in map(json.loads, messages):
                    if "id" in message:
                        self.answers[message["id"]] = message
                    elif message.get("sessionId") in self.pages:
                        self.pages[message["sessionId"]]._event(message["method"], message["params"])
                    elif message["method"] == "Browser.downloadProgress":
                        self.downloads[message["params"]["guid"]] = message["params"]["state"]
                self.changed.notify_all()

    def call(self, method, session=None, **params):
        with self.changed:
            self.last += 1
            mine = self.last
            message = {"id": mine, "method": method, "params": params}
            if session:
                message["sessionId"] = session
            os.write(self.output, json.dumps(message).encode() + b"\0")
            if not self.changed.wait_for(lambda: mine in self.answers, PATIENCE):
                raise AssertionError("the browser did not answer " + method)
            answer = self.answers.pop(mine)
        if "error" in answer:
            raise AssertionError("%s: %s" % (method, answer["error"]))
        return answer["result"]

    def open(self, width, height, scale=1):
        """A page in its own context: no storage is shared with others."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session, context, target)
        for domain in ("Page", "Runtime", "Network", "Log", "DOM", "Accessibility"):
            page.call(domain + ".enable")
        page.resize(width, height, scale)
        return page


def rows(png):
    """A PNG file with 8 bits per channel, as the browser writes it, as rows of (red, green, blue). RFC 2083."""
    at, data = 8, b""
    while at < len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack_from(">IIBB", png, at + 8)
        if kind == b"IDAT":
            data += png[at + 8:at + 8 + size]
        at += size + 12
    assert depth == 8 and colour in (2, 6), (depth, colour)
    bands, lines, data = 3 if colour == 2 else 4, [], zlib.decompress(data)
    side = width * bands
    above = bytearray(side)
    for y in range(height):
        way, line = data[y * (side + 1)], bytearray(data[y * (side + 1) + 1:(y + 1) * (side + 1)])
        for i in range(side):
            left, over = line[i - bands] if i >= bands else 0, above[i]
            if way == 4:
                corner = above[i - bands] if i >= bands else 0
                guess = left + over - corner
                most = min((abs(guess - left), 0, left), (abs(guess - over), 1, over), (abs(guess - corner), 2, corner))[2]
            else:
                most = (0, left, over, (left + over) // 2)[way]
            line[i] = (line[i] + most) & 255
        lines.append([tuple(line[i:i + 3]) for i in range(0, side, bands)])
        above = line
    return lines


class Page:
    def __init__(self, browser, session, context, target):
        self.browser, self.session, self.context, self.target = browser, session, context, target
        self.errors, self.requests, self.choosers, self.paused = [], [], [], []

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def _event(self, method, params):
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert", "warning"):
            self.errors.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append("%(text)s" % params["entry"] + " " + params["entry"].get("url", ""))
        elif method == "Page.fileChooserOpened":
            self.choosers.append(params["backendNodeId"])
        elif method == "Fetch.requestPaused":
            self.paused.append(params)

    def close(self):
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)

    def resize(self, width, height, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                  mobile=False)

    def prefer(self, **features):
        """prefer(color_scheme="dark")"""
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-" + name.replace("_", "-"), "value": v} for name, v in features.items()])

    def go(self, address):
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'", "the page")

    def run(self, script):
        """The value of an expression; of a promise, the value it resolves to."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True,
                           userGesture=True)
        if "exceptionDetails" in result:
            raise AssertionError("%s\n%s" % (script[:500], json.dumps(result["exceptionDetails"], indent=1)[:2000]))
        return result["result"].get("value")

    def until(self, script, what, patience=PATIENCE):
        """Wait until an expression is true, in JavaScript's sense."""
        end = time.monotonic() + patience
        while not self.run("Boolean(%s)" % script):
            assert time.monotonic() < end, (
                "timed out waiting for %s; errors %s; the page: %s" % (what, self.errors, self.text("body")[:1500]))
            time.sleep(0.05)

    def wait(self, condition, what):
        """Wait for a value that the browser's events set; return it."""
        with self.browser.changed:
            value = self.browser.changed.wait_for(condition, PATIENCE)
        assert value, "timed out waiting for " + what
        return value

    def held(self):
        """The next held request (after Fetch.enable)."""
        self.wait(lambda: self.paused, "a request")
        return self.paused.pop(0)

    def take_held(self):
        """All requests that are held now."""
        with self.browser.changed:
            held, self.paused[:] = list(self.paused), []
        return held

    def text(self, selector):
        return self.run("document.querySelector(%s)?.innerText ?? ''" % json.dumps(selector))

    def middle(self, selector):
        return self.run("""(() => {
            const element = document.querySelector(%s);
            element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
            const box = element.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        })()""" % json.dumps(selector))

    def mouse(self, kind, x, y, held=0):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="none" if kind == "mouseMoved" and not held
                  else "left", buttons=held, clickCount=1)

    def click(self, selector):
        x, y = self.middle(selector)
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, 1)
        self.mouse("mouseReleased", x, y)

    def drag(self, start, end, steps=6):
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, 1)
        for i in range(1, steps + 1):
            self.mouse("mouseMoved", *(a + (b - a) * i / steps for a, b in zip(start, end)), 1)
        self.mouse("mouseReleased", *end)

    def press(self, key, shift=False):
        text = {"Enter": "\r", " ": " "}.get(key) or (key if len(key) == 1 else "")
        shared = dict(key=key, code="Space" if key == " " else key, windowsVirtualKeyCode=KEYS.get(key, 0),
                      modifiers=8 if shift else 0)
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **shared)
        self.call("Input.dispatchKeyEvent", type="keyUp", **shared)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def give(self, event, *paths):
        """Drop files on the page, or paste them: an event with the files' bytes."""
        files = [[os.path.basename(path), base64.b64encode(open(path, "rb").read()).decode()] for path in paths]
        self.run("""(async () => {
            const carried = new DataTransfer();
            for (const [name, data] of %s) {
                const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
                carried.items.add(new File([bytes], name, { type: /png$/.test(name) ? 'image/png' : 'image/jpeg' }));
            }
            const options = { bubbles: true, cancelable: true };
            if (%s === 'paste')
                return document.body.dispatchEvent(new ClipboardEvent('paste', { ...options, clipboardData: carried }));
            for (const kind of ['dragenter', 'dragover', 'drop'])
                document.body.dispatchEvent(new DragEvent(kind, { ...options, dataTransfer: carried }));
        })()""" % (json.dumps(files), json.dumps(event)))

    def choose(self, selector, *paths):
        """Set the files of a file field, as its dialog does."""
        node = self.call("Runtime.evaluate", expression="document.querySelector(%s)" % json.dumps(selector))
        self.call("DOM.setFileInputFiles", objectId=node["result"]["objectId"], files=list(paths))

    def download(self, act, name, folder, encoding="utf-8"):
        """The text that the page saves while `act` runs."""
        self.browser.call("Browser.setDownloadBehavior", behavior="allow", browserContextId=self.context,
                          downloadPath=folder, eventsEnabled=True)
        path, done = os.path.join(folder, name), len(self.browser.downloads)
        act()
        self.wait(lambda: list(self.browser.downloads.values())[done:] == ["completed"], "the file " + name)
        with open(path, encoding=encoding, newline="") as file:
            text = file.read()
        os.remove(path)
        return text

    def named(self):
        """Focusable and clickable elements in the accessibility tree: [(role, name)]."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        pressed = {"button", "link", "textbox", "slider", "radio", "checkbox", "spinbutton", "combobox", "dialog",
                   "application"}

        def focusable(node):
            return any(p["name"] == "focusable" and p["value"].get("value") for p in node.get("properties", []))

        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes
                if not node["ignored"] and node["role"]["value"] != "RootWebArea"
                and (node["role"]["value"] in pressed or focusable(node))]

    def pixels(self, x, y, width, height):
        """A screenshot of a box: rows of (red, green, blue)."""
        clip = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
        return rows(base64.b64decode(self.call("Page.captureScreenshot", format="png", clip=clip)["data"]))

    def picture(self, path, **options):
        data = self.call("Page.captureScreenshot", **options)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
