# A small HTTP proxy, for the tests of ways out: proxy.py PORT-FILE LOG. Plain requests with a whole address, and CONNECT;
# a line of the log for each: "GET http://..." or "CONNECT host:port".
import http.client, os, select, socket, socketserver, sys
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

log = open(sys.argv[2], "a", buffering=1)


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_CONNECT(self):
        print("CONNECT", self.path, file=log)
        host, port = self.path.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as far:
            self.send_response(200)
            self.end_headers()
            near = self.connection
            while True:
                for s in select.select([near, far], [], [])[0]:
                    data = s.recv(65536)
                    if not data:
                        self.close_connection = True
                        return
                    (far if s is near else near).sendall(data)

    def forward(self):
        print(self.command, self.path, file=log)
        to = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        keep = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "proxy-connection")}
        far = http.client.HTTPConnection(to.hostname, to.port or 80)
        far.request(self.command, to.path + ("?" + to.query if to.query else ""), body, keep)
        answer = far.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for k, v in answer.getheaders():
            if k.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(k, v)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        far.close()

    do_GET = do_POST = do_PUT = forward


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Proxy)
with open(sys.argv[1] + ".new", "w") as f:
    print(server.server_address[1], file=f)
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
