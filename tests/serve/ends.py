"""ends.py PROGRAM MAP PHOTO FOLDER - conditions that must not stop the service: pictures made to keep a decoder busy, a
port in use, too few open files, a map that changes while it is served; and how it ends. FOLDER is empty."""
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from service import PATIENCE, Service, bomb, wait_until

program, index, photo, folder = sys.argv[1:]
JPEG = {"Content-Type": "image/jpeg"}
BUSY = bomb(15904, 8000, 60)   # seconds of a core, with as many scans as the decoder accepts
FULL = bomb(15904, 8000, 1000) # too many

with open(photo, "rb") as file:
    PICTURE = file.read()


def send(service, data, source="127.0.0.2"):
    """Send a request without reading its answer."""
    client = socket.create_connection((service.host, service.port), PATIENCE, (source, 0))
    client.sendall(b"POST /v1/locate HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" %
                   len(data) + data)
    return client


def at_work(service, count):
    wait_until(lambda: service.metric("geoviewmatch_queue_length") == count)


# ------------------------------------------------------------------ pictures that take long to decode

def bombs():
    """Beside them another client gets its answer, or 503, within the time limit of a request. If the client has gone,
    decoding stops early."""
    with Service(program, index, "--seconds", 4, "--quiet") as service:
        assert "too many scans" in service.problem(422, "POST", "/v1/locate", FULL, JPEG)
        clients = [send(service, BUSY) for _ in range(2)]
        at_work(service, 2)
        begun = time.monotonic()
        status, headers, body = service.ask("POST", "/v1/locate", PICTURE, JPEG)
        assert status == 200 or (status == 503 and int(headers["retry-after"]) >= 1), (status, body)
        assert service.ask("GET", "/v1/tiles/0.jpg")[0] in (200, 503)
        assert time.monotonic() - begun < 60
        for client in clients:
            client.close()
        wait_until(lambda: service.metric("geoviewmatch_queue_length") == 0)
        assert service.stop() == ""
    with Service(program, index, "--seconds", 600, "--quiet") as service:
        clients = [send(service, BUSY) for _ in range(8)]
        at_work(service, 8)
        for client in clients:
            client.close()
        begun = time.monotonic()
        wait_until(lambda: service.metric("geoviewmatch_queue_length") == 0)
        assert service.mishaps("broken_off") >= 6  # two may have been decoded by then
        assert service.stop() == ""


def ending():
    """A signal ends the service within seconds, whatever it is doing; a second signal ends it at once. On a busy
    machine it takes longer, but not more computation: all of the work is some eighty seconds of a core."""
    for signals in (1, 2):
        others = children()
        with Service(program, index, "--seconds", 600) as service:
            clients = [send(service, BUSY) for _ in range(24)]
            at_work(service, 24)
            begun, before = time.monotonic(), cpu(service)
            service.process.send_signal(signal.SIGTERM)
            if signals == 2:
                while "stopping" not in service.process.stderr.readline():
                    pass
                service.process.send_signal(signal.SIGTERM)
            _, said = service.process.communicate(timeout=PATIENCE)
            took, computed = time.monotonic() - begun, children() - others - before
            assert took < 15 or computed < 30, (signals, took, computed)
            assert service.process.returncode == 0, (service.process.returncode, said)
            assert "stopped after" in said or "requests in progress" in said, said
            for client in clients:
                client.close()


def paused():
    """Clients that stop, in the middle of a request and in the middle of an answer."""
    script = ("import socket,sys,time\ns = socket.create_connection(('127.0.0.1', %d))\n"
              "s.sendall(%r)\nprint('sent', flush=True)\ntime.sleep(600)\n")
    with Service(program, index, "--seconds", 2, "--quiet") as service:
        begins = (b"POST /v1/locate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc",
                  b"GET /v1/tiles HTTP/1.1\r\nHost: localhost\r\n\r\n" * 400)
        stopped = [subprocess.Popen([sys.executable, "-c", script % (service.port, data)], stdout=subprocess.PIPE, text=True)
                   for data in begins]
        for process in stopped:
            assert process.stdout.readline() == "sent\n"
            process.send_signal(signal.SIGSTOP)
        wait_until(lambda: service.mishaps("overdue") >= 2)
        assert service.locate(photo)["answers"]
        for process in stopped:
            process.kill()
            process.communicate()
        assert service.stop() == ""


# ------------------------------------------------------------------ addresses and ports

def taken():
    with Service(program, index, "--quiet") as service:
        done = subprocess.run([program, "serve", "--index", index, "--port", str(service.port)], capture_output=True, text=True)
        assert done.returncode == 1 and done.stdout == "", done
        assert "port %d of 127.0.0.1 is in use, perhaps" % service.port in done.stderr and "--port" in done.stderr, done.stderr
        client = socket.create_connection((service.host, service.port))  # its end stays in TIME_WAIT
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while client.recv(4096):
            pass
        client.close()
        assert service.stop() == ""
        with Service(program, index, "--quiet", "--port", service.port) as again:
            assert again.port == service.port and again.ask("GET", "/healthz")[0] == 200
            assert again.stop() == ""


def everywhere():
    """With --bind 0.0.0.0, the printed addresses can be opened."""
    with Service(program, index, "--bind", "0.0.0.0") as service:
        assert service.host == "127.0.0.1" and service.ask("GET", "/healthz")[0] == 200
        said = service.stop()
        assert "//0.0.0.0" not in said and "warning: anyone who can reach 0.0.0.0" in said, said
        assert "give --host" in said, said
        for host, port in re.findall(r"reachable from other machines at http://([0-9.]+):(\d+)/", said):
            assert int(port) == service.port and not host.startswith("127."), said
    with Service(program, index, "--bind", "0.0.0.0", "--host", "maps.example") as service:
        assert "and at http://maps.example:%d/" % service.port in service.stop()


def files():
    """At most as many connections as there can be open files."""
    def few(soft, hard):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    done = subprocess.run([program, "serve", "--index", index, "--port", "0"], capture_output=True, text=True,
                          preexec_fn=few(40, 40))
    assert done.returncode == 1 and "ulimit -n" in done.stderr, done
    with Service(program, index, preexec_fn=few(64, 64)) as service:
        clients = [socket.create_connection((service.host, service.port), 10) for _ in range(100)]
        time.sleep(0.5)
        before = cpu(service)
        time.sleep(2)
        assert cpu(service) - before < 1, "it spins"
        for client in clients:
            client.close()
        wait_until(lambda: is_taken(service))
        assert "allows 16 connections" in service.stop()
    with Service(program, index, preexec_fn=few(64, 4096)) as service:
        assert "open files allows" not in service.stop()


def children():
    """CPU seconds of the services that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def is_taken(service):
    """Whether another connection is accepted."""
    try:
        return service.ask("GET", "/healthz")[0] == 200
    except ConnectionError:
        return False


def cpu(service):
    with open("/proc/%d/stat" % service.process.pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ------------------------------------------------------------------ files that change while served

def copied(name):
    path = os.path.join(folder, name + ".gpkg")
    for end in ("gpkg", "features"):
        shutil.copy(index[:-4] + end, path[:-4] + end)
    return path, path[:-4] + "features"


def changed():
    """A map that is overwritten or truncated is detected, and the service continues. Appending, and replacing by a
    rename, are not reported."""
    path, features = copied("changed")
    with Service(program, path, "--quiet") as service:
        told = service.locate(photo)
        with open(features, "ab") as file:  # as `index --add` does
            file.write(bytes(4608))
        assert service.locate(photo) == told
        with open(features, "r+b") as file:
            file.seek(5000)
            was = file.read(1)
            file.seek(5000)
            file.write(bytes([was[0] ^ 1]))
        said = service.problem(503, "POST", "/v1/locate", PICTURE, JPEG)
        assert "changed.features: it was modified" in said and "move the new one" in said, said
        assert "changed" in service.problem(503, "GET", "/healthz")
        assert service.ask("GET", "/v1/tiles/0.jpg")[0] == 200
        with open(features, "r+b") as file:
            file.seek(5000)
            file.write(was)
        assert service.locate(photo) == told
        assert service.stop() == ""
    path, features = copied("cut")
    with Service(program, path, "--quiet") as service:
        told = service.locate(photo)
        for size in (os.path.getsize(features) - 4608, 5000, 0):
            os.truncate(features, size)
            said = service.problem(503, "POST", "/v1/locate", PICTURE, JPEG)
            assert "cut.features: it was truncated" in said, said
            assert service.problem(503, "POST", "/v1/heatmap?tile=0&stage=multi", PICTURE, JPEG)
        assert service.ask("GET", "/v1/map")[0] == 200
        assert service.stop() == ""


def logs():
    """After SIGHUP the log continues in a new file of the old name; without a log nothing happens."""
    log = os.path.join(folder, "log")
    with Service(program, index, "--log", log) as service:
        assert service.ask("GET", "/v1/map")[0] == 200
        wait_until(lambda: os.path.getsize(log) > 0)  # a line is written after the answer is sent
        os.rename(log, log + ".1")
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: os.path.exists(log))
        assert service.ask("GET", "/v1/tiles")[0] == 200
        service.stop()
    for name, path in ((log + ".1", "/v1/map"), (log, "/v1/tiles")):
        with open(name) as file:
            (line,) = file.read().splitlines()
        assert " GET %s 200 " % path in line, line
    with Service(program, index) as service:
        service.process.send_signal(signal.SIGHUP)
        assert service.ask("GET", "/v1/map")[0] == 200
        assert "stopped after" in service.stop()


def main():
    for trial in (bombs, ending, paused, taken, everywhere, files, changed, logs):
        begun = time.monotonic()
        trial()
        print("%-10s %5.1f s" % (trial.__name__, time.monotonic() - begun), flush=True)


main()
