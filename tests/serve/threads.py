"""threads.py PROGRAM MAP FOLDER PHOTO... - many clients at once, some overdue, refused or gone, and a shutdown while
requests are in progress. Under ThreadSanitizer a race makes the service's exit status nonzero. FOLDER is empty."""
import json
import os
import random
import signal
import socket
import sys
import threading

from service import PATIENCE, Service, bomb, form, wait_until

program, index, folder, *photos = sys.argv[1:]
JPEG = {"Content-Type": "image/jpeg"}
BUSY = bomb(8000, 4000, 60)
ROUNDS = 4
PICTURES = []
for photo in photos:
    with open(photo, "rb") as file:
        PICTURES.append(file.read())

ASKED = [("GET", path) for path in ("/metrics", "/healthz", "/v1/map", "/v1/tiles", "/v1/tiles/0.jpg", "/v1/none",
                                    "/v1/heatmap?tile=0&stage=1")]


def several(work, count):
    """work(0) to work(count - 1), each in a thread of its own; the first failure ends the test."""
    failures = []

    def run(number):
        try:
            work(number)
        except Exception as failure:  # of whatever kind: it is raised below
            failures.append(failure)
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def begin(service, data, length=None):
    """Send a request of `length` bytes, of which only `data` arrives; the answer is not read."""
    client = socket.create_connection((service.host, service.port), PATIENCE, ("127.0.0.2", 0))
    client.sendall(b"POST /v1/locate HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
                   b"Content-Length: %d\r\n\r\n" % (length or len(data)) + data)
    return client


def same(answers, wanted):
    """Equal, except for the rounding of a batch of another size."""
    for a, b in zip(answers, wanted):
        assert a["tile"] == b["tile"] and abs(a["score"] - b["score"]) < 1e-5, (a, b)


def mixed(service):
    """Each client requests everything, in its own order; the answers are right."""
    wanted = [service.locate(photo)["answers"] for photo in photos]

    def client(number):
        draw = random.Random(number)
        for turn in range(ROUNDS):
            which = draw.randrange(len(photos))
            query = draw.choice(("", "", "?top=3"))
            body, headers = draw.choice(((PICTURES[which], JPEG), form(("picture", PICTURES[which], "a.jpg"))))
            status, _, _ = service.ask(*draw.choice(ASKED))
            assert status in (200, 404, 503), status
            if (number + turn) % 4 == 0:
                status, _, _ = service.ask("POST", draw.choice(("/v1/heatmap?stage=multi", "/v1/scores")), body, headers)
                assert status in (200, 503), status
            elif (number + turn) % 4 == 1:
                begin(service, draw.choice((PICTURES[which], BUSY))).close()  # gone before the answer
            else:
                status, _, said = service.ask("POST", "/v1/locate" + query, body, headers)
                assert status in (200, 503), (status, said)
                if status == 200:
                    same(json.loads(said)["answers"], wanted[which])
    several(client, 8)


def main():
    log = os.path.join(folder, "log")
    words = ("--quiet", "--threads", 4, "--batch", 3, "--queue", 5, "--log", log)
    with Service(program, index, *words, "--seconds", 60) as service:
        mixed(service)
        service.process.send_signal(signal.SIGHUP)
        clients = [begin(service, picture) for picture in PICTURES]
        assert service.stop() == ""
        for client in clients:
            client.close()
    with Service(program, index, *words, "--seconds", 1) as service:
        slow = [begin(service, b"abc", 100000), begin(service, BUSY), begin(service, PICTURES[0][:1000], 2000)]
        several(lambda number: service.ask("POST", "/v1/locate", PICTURES[0], JPEG), 4)
        wait_until(lambda: service.mishaps("overdue") >= 2)
        slow += [begin(service, BUSY) for _ in range(3)]
        wait_until(lambda: service.metric("geoviewmatch_queue_length") >= 1)
        assert service.stop() == ""
        for client in slow:
            client.close()


main()
