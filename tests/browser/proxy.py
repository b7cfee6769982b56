"""proxy.py - a proxy between browser and service. A browser silently repeats a request if a persistent connection
closes without an answer, so neither the page nor DevTools sees a lost request: the proxy counts them."""
import collections
import re
import socket
import threading
import urllib.parse

from helpers import DONE, asked, calm, opened, wait_for_question

HEAD = re.compile(rb"(GET|HEAD|POST|DELETE) (\S+) HTTP/1\.1\r\n")


class Proxy:
    """Stands before a service and replaces its `address`. `requests` counts paths, `lost` lists those without an
    answer. The next `lose` requests to /v1/locate are dropped."""

    def __init__(self, server):
        self.target, self.requests, self.lost, self.lose = (server.host, server.port), collections.Counter(), [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        server.address = "http://127.0.0.1:%d/" % self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        try:
            while True:
                threading.Thread(target=Connection(self, self.listener.accept()[0]).begin, daemon=True).start()
        except OSError:
            pass  # the listener is closed

    def count(self, path):
        return sum(n for name, n in self.requests.items() if name.startswith(path))


class Connection:
    """A connection of the browser, which sends a request only after the previous one is answered."""

    def __init__(self, proxy, client):
        self.proxy, self.client, self.open, self.gone = proxy, client, None, False

    def begin(self):
        try:
            self.server = socket.create_connection(self.proxy.target)
        except OSError:
            self.client.close()
            return
        threading.Thread(target=self.back, daemon=True).start()
        self.gone = self.pump(self.client, self.server, self.asked)
        if self.gone:  # otherwise `back` sees the service close
            self.close()

    def back(self):
        self.pump(self.server, self.client, self.answered)
        if self.open is not None and not self.gone:
            self.proxy.lost.append(self.open)
        self.close()

    def pump(self, source, sink, seen):
        """Copy until one side closes; return whether that was the source."""
        while True:
            try:
                data = source.recv(1 << 16)
            except OSError:
                return True
            if not data:
                return True
            seen(data)
            try:
                sink.sendall(data)
            except OSError:
                return False

    def asked(self, data):
        head = HEAD.match(data)
        if head is None:
            return  # more of a body
        self.open = urllib.parse.urlsplit(head[2].decode()).path
        self.proxy.requests[self.open] += 1
        if self.open == "/v1/locate" and self.proxy.lose > 0:
            self.proxy.lose -= 1
            self.server.shutdown(socket.SHUT_RDWR)

    def answered(self, _):
        self.open = None

    def close(self):
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def served(server):
    """The number of location requests that the service has answered, by its own count."""
    metrics = server.ask("GET", "/metrics")[2].decode()
    return sum(int(n) for n in re.findall(r'geoviewmatch_requests_total\{path="/v1/locate",code="\d+"\} (\d+)', metrics))


def counted(chromium, server, town):
    """The page sends as many requests as the service receives and answers. A lost request is detected, although the
    browser repeats it; if the repetition fails too, the page says so and does not retry by itself."""
    page, proxy = opened(chromium, server.address), server.proxy
    before = proxy.count("/v1/locate"), served(server), proxy.count("/v1/imagery/") + proxy.count("/v1/tiles/")
    page.give("drop", *town.photos)
    page.until(DONE % len(town.photos), "the answers")
    page.click(".heading button:nth-child(2)")
    wait_for_question(page, len(town.photos))
    page.click("#answer .tile")
    page.until("document.querySelectorAll('#heat[open] img:not(.loading)').length === 3", "the heat maps")
    page.press("Escape")
    calm(page)
    assert len(asked(page)) == len(town.photos) + 1
    assert proxy.count("/v1/locate") - before[0] == served(server) - before[1] == len(asked(page)), (proxy.requests, before)
    assert proxy.count("/v1/heatmap") >= 2 and proxy.lost == [] and page.errors == [], (proxy.lost, page.errors)

    said, sent = len(asked(page)), proxy.count("/v1/locate")
    proxy.lose = 1
    page.click(".heading button:first-child")
    page.until("!document.querySelector('#answer[aria-busy=true]')", "an answer, or a message that there is none")
    assert proxy.lost == ["/v1/locate"] and proxy.count("/v1/locate") >= sent + 1, (proxy.lost, proxy.requests)
    proxy.lose = 1000
    page.click(".heading button:nth-child(2)")
    page.until("document.querySelector('#answer .problem button')", "a message about lost requests")
    assert "does not answer" in page.text("#answer .problem"), page.text("#answer .problem")
    assert len(asked(page)) == said + 2, asked(page)[said:]
    proxy.lose = 0
    page.click("#answer .problem button")
    page.until("!document.querySelector('#answer .problem')", "an answer at last")
    proxy.lost.clear()
    page.close()
