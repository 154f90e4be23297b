"""A workload to be compared: `serve` answers what is sent to it, `load` sends it something.

As champion it gives every input away (BACKSTAY_SHADOW_SOCKET); as challenger it listens at BACKSTAY_PORT. How it behaves stands
in code/manner of its slot: good, other (another answer to each twentieth input), crash (after ten), hog (takes memory and
processors)."""
import array, fcntl, http.client, http.server, json, os, socket, sys, threading, time


def manner():
    with open("code/manner") as f:
        return f.read().strip()


class Plant(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    how, asked, kept, tee, to = "good", 0, [], None, os.environ.get("BACKSTAY_SHADOW_SOCKET")

    def do_GET(self):
        self.say(200, {"status": "ok"})

    def do_POST(self):
        begun = time.monotonic()
        data = self.rfile.read(int(self.headers["Content-Length"]))
        number = int(data)
        Plant.asked += 1
        if self.how == "crash" and Plant.asked > 10:
            os._exit(1)
        if self.how == "hog":
            Plant.kept.append(b"x" * (16 << 20))
        answer = str(number * 7 % 1000 + (self.how == "other" and number % 20 == 0))
        self.say(200, {"answer": answer, "confidence": 0.5})
        self.give_away(data, answer, time.monotonic() - begun)

    def give_away(self, data, answer, took):
        if not self.to or not os.path.exists(self.to):
            return
        head = {"format": 1, "id": data.decode(), "answer": answer, "took_us": int(took * 1e6), "type": "text/plain"}
        head = json.dumps(head).encode() + b"\n"
        try:
            if int(data) % 5:
                self.tee.sendto(head + data, socket.MSG_DONTWAIT, self.to)
            else:
                self.pass_file(head, data)
        except OSError:
            pass

    def pass_file(self, head, data):
        fd = os.memfd_create("input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.write(fd, data)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
            self.tee.sendmsg([head], rights, socket.MSG_DONTWAIT, self.to)
        finally:
            os.close(fd)

    def say(self, status, j):
        body = json.dumps(j).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *a):
        pass


def hog():
    """Takes the processors at once, and memory with each input."""
    for _ in range(4):
        threading.Thread(target=lambda: all(True for _ in iter(int, 1)), daemon=True).start()


def serve(port):
    Plant.how = manner()
    Plant.tee = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    http.server.ThreadingHTTPServer.request_queue_size = 64
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("BACKSTAY_PORT", port))), Plant)
    if Plant.how == "hog":
        hog()
    server.serve_forever()


def load(port, path):
    """Asks for ever; PATH says after each question how many were asked, failed, and answered wrong."""
    asked = failed = wrong = 0
    while True:
        asked += 1
        try:
            c = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
            c.request("POST", "/infer", str(asked))
            wrong += json.loads(c.getresponse().read())["answer"] != str(asked * 7 % 1000)
            c.close()
        except (OSError, http.client.HTTPException):
            failed += 1
            time.sleep(0.01)
        with open(path + ".new", "w") as f:
            f.write(f"{asked} {failed} {wrong}\n")
        os.rename(path + ".new", path)
        time.sleep(0.005)


{"serve": serve, "load": load}[sys.argv[1]](*sys.argv[2:])
