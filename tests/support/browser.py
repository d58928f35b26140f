"""A headless Chromium, driven through its DevTools protocol over a pipe; needs no other package."""

import json
import os
import shutil
import subprocess
from base64 import b64decode

CHROMIUM = shutil.which("chromium")


class Browser:
    """One browser with one page; what it downloads goes to `folder`."""

    def __init__(self, folder):
        self.folder, self.last, self.events, self.rest = folder, 0, [], b""
        child_in, self.out = os.pipe()
        self.inn, child_out = os.pipe()

        def pipes():  # the protocol's descriptors are 3 and 4
            ends = os.dup(child_in), os.dup(child_out)
            while max(ends) < 10:
                ends = os.dup(ends[0]), os.dup(ends[1])
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--disable-background-networking", "--no-first-run", "--remote-debugging-pipe",
                   f"--user-data-dir={folder / 'profile'}", "about:blank"]  # fmt: skip
        self.process = subprocess.Popen(
            command, close_fds=False, preexec_fn=pipes, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(child_in)
        os.close(child_out)
        self.session = None
        [page] = [t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        self.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), eventsEnabled=True)
        self.session = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def message(self):
        """The next message of the browser."""
        while b"\0" not in self.rest:
            if not (data := os.read(self.inn, 1 << 16)):
                raise RuntimeError("the browser has ended")
            self.rest += data
        text, _, self.rest = self.rest.partition(b"\0")
        return json.loads(text)

    def ask(self, method, **params):
        """Result of one command."""
        self.last += 1
        command = {"id": self.last, "method": method, "params": params}
        command |= {"sessionId": self.session} if self.session else {}
        os.write(self.out, json.dumps(command).encode() + b"\0")
        while (answer := self.message()).get("id") != self.last:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def wait(self, method, **where):
        """Parameters of the next event of this name, with these values, that has not been waited for."""
        seen = 0
        while True:
            for n, event in enumerate(self.events[seen:], start=seen):
                params = event.get("params", {})
                if event.get("method") == method and where.items() <= params.items():
                    del self.events[n]
                    return params
            seen = len(self.events)
            self.events.append(self.message())

    def open(self, path):
        self.ask("Page.navigate", url=path.as_uri())
        self.wait("Page.loadEventFired")

    def js(self, expression):
        """Value of an expression on the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def type(self, text):
        """Text into what has the focus."""
        self.ask("Input.insertText", text=text)

    def press(self, key, text=""):
        """One key, such as ``Tab`` or ``ArrowRight``."""
        code = {"Tab": 9, " ": 32, "ArrowRight": 39}[key]
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code,
                     **({"text": text} if text and kind == "keyDown" else {}))  # fmt: skip

    def downloaded(self):
        """The file of the download that ends next."""
        name = self.wait("Browser.downloadWillBegin")["suggestedFilename"]
        self.wait("Browser.downloadProgress", state="completed")
        return self.folder / name

    def requests(self):
        """Addresses that pages have asked for so far."""
        self.js("0")
        return [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]

    def screenshot(self, path, width=1000, height=1400):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        path.write_bytes(b64decode(self.ask("Page.captureScreenshot")["data"]))

    def close(self):
        """End the browser, letting it write what pages keep."""
        self.session = None
        self.ask("Browser.close")
        self.process.wait()
        os.close(self.out)
        os.close(self.inn)
