#!/usr/bin/python3
"""A stolen server. It has every key that the server's signer has, and answers one device in the server's place.

thief.py --keys ONLINE --server URL --device ID --release PATH --port N --attempt new|same

Looks at the real server first, as anybody may, and waits until --go says that it is gone; then serves until it is killed. `new` orders a release
that nobody has approved, `same` an approved one under whose name it offers other bytes. All signatures it makes are good.
"""
import argparse
import hashlib
import http.server
import json
import subprocess
import time
import urllib.error
import urllib.request


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Thief:
    def __init__(self, args):
        self.args = args
        self.files = {}
        self.root = self.newest_root()

    def get(self, path):
        with urllib.request.urlopen(self.args.server + path) as answer:
            return answer.read()

    def take(self, path):
        """Keeps what the real server answers, and hands it up."""
        self.files[path] = self.get(path)
        return json.loads(self.files[path])["signed"]

    def newest_root(self):
        version, root = 1, None
        while True:
            try:
                root = self.take(f"/director/{self.args.device}/{version}.root.json")
            except urllib.error.HTTPError:
                return root
            version += 1

    def sign(self, signed, key, signers):
        proc = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", f"{self.args.keys}/{key}.pem"],
            input=canonical(signed), capture_output=True, check=True)
        return json.dumps({"signed": signed, "signatures": [
            {"keyid": signers["keyids"][0], "sig": proc.stdout.hex()}]}).encode()

    def sign_role(self, signed, role):
        signed["expires"] = stamp(time.time() + 86400)
        return self.sign(signed, f"director-{role}", self.root["roles"][role])

    def take_image(self):
        """The image repository as it is: there is no key here that could add to it what people have to sign."""
        snapshot = self.take("/image/timestamp.json")["meta"]["snapshot.json"]["version"]
        for name, pin in self.take(f"/image/{snapshot}.snapshot.json")["meta"].items():
            self.take(f"/image/{pin['version']}.{name}")

    def offer(self):
        """Another release document, by its digest."""
        product, name = self.args.release.split("/")
        genuine = self.director["targets"][self.args.release]
        document = json.loads(self.get(f"/image/targets/{product}/{genuine['hashes']['sha256']}.{name}"))
        document["notes"] = "what the thief would like to run"
        if self.args.attempt == "new":
            document["id"] += "-stolen"
            name = document["id"] + ".json"
        body = json.dumps(document).encode()
        digest = hashlib.sha256(body).hexdigest()
        self.files[f"/image/targets/{product}/{digest}.{name}"] = body
        match = dict(genuine["custom"]["match"])
        match["releaseCounter"] += 1 if self.args.attempt == "new" else 0
        self.director["targets"] = {f"{product}/{name}": {
            "length": len(body), "hashes": {"sha256": digest}, "custom": {"match": match}}}
        return f"{product}/{name}"

    def order(self):
        base = f"/director/{self.args.device}"
        timestamp = self.take(f"{base}/timestamp.json")
        snapshot = self.take(f"{base}/{timestamp['meta']['snapshot.json']['version']}.snapshot.json")
        self.director = self.take(f"{base}/{snapshot['meta']['targets.json']['version']}.targets.json")
        offered = self.offer()
        self.director["x-backstay"]["order"] = "install"
        version = self.director["version"] = self.director["version"] + 1
        targets = self.files[f"{base}/{version}.targets.json"] = self.sign_role(self.director, "targets")
        snapshot["version"] += 1
        snapshot["meta"]["targets.json"] = self.pin(version, targets)
        version = snapshot["version"]
        body = self.files[f"{base}/{version}.snapshot.json"] = self.sign_role(snapshot, "snapshot")
        timestamp["version"] += 1
        timestamp["meta"]["snapshot.json"] = self.pin(version, body)
        self.version = timestamp["version"]
        self.files[f"{base}/timestamp.json"] = self.sign_role(timestamp, "timestamp")
        return offered

    @staticmethod
    def pin(version, body):
        return {"version": version, "length": len(body), "hashes": {"sha256": hashlib.sha256(body).hexdigest()}}

    def token(self, nonce):
        return self.sign({"_type": "x-backstay-time", "device": self.args.device, "nonce": nonce,
                          "time": stamp(time.time()), "timestamp": self.version},
                         "director-time", self.root["x-backstay-time"])

    def answer(self, path):
        if path.startswith(f"/director/{self.args.device}/time/"):
            return self.token(path.rsplit("/", 1)[1])
        return self.files.get(path)


def serve(thief):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self, status, body):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            body = thief.answer(self.path)
            self.reply(200 if body else 404, body or b"{}")

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.reply(503, b"{}")  # reports are kept for the owner

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer.allow_reuse_address = True
    return http.server.ThreadingHTTPServer(("127.0.0.1", thief.args.port), Handler)


def main():
    parser = argparse.ArgumentParser()
    for name in ("keys", "server", "device", "release"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--attempt", choices=("new", "same"), required=True)
    parser.add_argument("--go", required=True, help="a FIFO: whoever opens it has stopped the real server")
    thief = Thief(parser.parse_args())
    thief.take_image()
    print("offers", thief.order(), flush=True)
    with open(thief.args.go, encoding="ascii") as go:
        go.read()
    server = serve(thief)
    print("answers", flush=True)
    server.serve_forever()


main()
