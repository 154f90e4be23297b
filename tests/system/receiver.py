# A receiver of webhooks, as somebody else would write it: receiver.py PORT-FILE LOG SECRET-FILE [CERTIFICATE KEY]. It
# verifies each letter by Standard Webhooks and writes a line of JSON for it: how it was answered, whether its signature
# is good, the id, how old the timestamp is, the body. How it behaves is asked of the file SECRET-FILE.manner with each
# letter: "ok", "503 N" (Retry-After N), "500", "410", "302", "hang", "cut" (takes the letter and hangs up), "hold" (answers as
# soon as it is told another manner).
import base64, hashlib, hmac, http.server, json, os, ssl, sys, threading, time

port_file, log_name, secret_file = sys.argv[1:4]
log = open(log_name, "a", buffering=1)
lock = threading.Lock()


def secret():
    with open(secret_file) as f:
        text = f.read().strip()
    assert text.startswith("whsec_")
    return base64.b64decode(text[6:], validate=True)


def manner():
    try:
        with open(secret_file + ".manner") as f:
            return f.read().split()
    except FileNotFoundError:
        return ["ok"]


def is_signed(headers, body):
    said = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    want = base64.b64encode(hmac.new(secret(), said, hashlib.sha256).digest()).decode()
    for one in headers["webhook-signature"].split():
        version, _, value = one.partition(",")
        if version == "v1" and hmac.compare_digest(value, want):
            return True
    return False


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self, answer, body):
        line = {"answer": answer, "path": self.path, "type": self.headers["Content-Type"], "at": time.time()}
        if "webhook-id" in self.headers:
            line["signed"] = is_signed(self.headers, body)
            line["id"] = self.headers["webhook-id"]
            line["age"] = int(time.time()) - int(self.headers["webhook-timestamp"])
        line["body"] = json.loads(body)
        with lock:
            print(json.dumps(line), file=log)

    def answer(self, status, **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):  # where a redirect would lead
        self.note("followed", b"null")
        self.answer(200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        how = manner()
        self.note(how[0], body)
        while how[0] == "hold":
            time.sleep(0.02)
            how = manner()
        if how[0] == "ok":
            self.answer(204)
        elif how[0] == "hang":
            time.sleep(600)
        elif how[0] == "cut":
            self.close_connection = True
        elif how[0] == "302":
            self.answer(302, Location="/followed")
        elif len(how) > 1:
            self.answer(int(how[0]), Retry_After=how[1])
        else:
            self.answer(int(how[0]))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


server = Server(("127.0.0.1", 0), Receiver)
if len(sys.argv) > 5:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + ".new", "w") as f:
    print(server.server_address[1], file=f)
os.rename(port_file + ".new", port_file)
server.serve_forever()
