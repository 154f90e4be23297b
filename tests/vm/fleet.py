"""The host's side: a server with its signer, the keys, the releases, and what the server knows of the machine."""
import json
import os
import socket
import subprocess
import time
import urllib.request

DEVICE = "vm"
TRIGGERS = [
    {"type": "start_failed"}, {"type": "operator"},
    {"type": "crash_loop", "threshold_milli": 3000, "window_ms": 60000},
    {"type": "latency", "metric": "work_seconds", "statistic": "p90", "threshold_milli": 250, "window_ms": 2000, "hold": [2, 3],
     "min_samples": 2, "sigma_milli": 0},
]
POLICY = {"format": 1, "name": "vm", "first_alone": True, "max_failures": 0, "silence_ms": 3600000, "roll_back_on_abort": True,
          "waves": [{"name": "all", "share_permille": 1000, "parallel": 0, "soak_ms": 0}]}


def run(*argv, **more):
    p = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    if p.returncode:
        raise SystemExit(f"'{' '.join(map(str, argv))}' exits with {p.returncode}:\n{p.stdout}{p.stderr}")
    return p.stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Fleet:
    """Everything lies in `work`. `bin` has our programs."""

    def __init__(self, work, bin):
        self.work, self.bin = os.path.abspath(work), bin
        self.port = free_port()
        self.process = None
        self.counter = 0

    def path(self, *names):
        return os.path.join(self.work, *names)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    # ---- server -----------------------------------------------------------------------------------------------------

    def begin(self):
        """Keys, a certificate that is good for the guest's name of this host, and the server."""
        self.cli("keys", "init", self.path("keys"))
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=fleet",
            "-addext", "subjectAltName=IP:127.0.0.1,IP:10.0.2.2", "-keyout", self.path("server.key"), "-out", self.path("server.crt"))
        self.write("server.conf", f"""[server]
bind = 127.0.0.1
port = {self.port}
data = {self.path('server')}
[trust]
repo = {self.path('keys/repo')}
keys = {self.path('keys/online')}
device_ca = {self.path('keys/devices')}
[http]
tls_cert = {self.path('server.crt')}
tls_key = {self.path('server.key')}
[device]
identity = required
""")
        self.write("policy.json", json.dumps(POLICY))
        self.start()

    def start(self):
        log = open(self.path("server.log"), "a")
        self.process = subprocess.Popen([self.bin + "/backstay-server", "--config", self.path("server.conf")], stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=log)
        end = time.monotonic() + 20
        while not self._answers():
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit(f"the server does not answer: {self.path('server.log')}")
            time.sleep(0.05)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        self.process = None

    def _answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0 and os.path.exists(self.path("server/token"))

    # ---- a person at the command line ---------------------------------------------------------------------------------

    def cli(self, *argv):
        env = dict(os.environ, BACKSTAY_SERVER=f"https://127.0.0.1:{self.port}", BACKSTAY_TOKEN_FILE=self.path("server/token"),
                   BACKSTAY_CA_FILE=self.path("server.crt"))
        return run(self.bin + "/backstay", *argv, env=env)

    def ask(self, *argv):
        return json.loads(self.cli(*argv, "--json"))

    def publish(self, name, image, soak_ms=10000):
        """A release of one image, signed by everybody; it may be taken back to what runs, and to the latest before."""
        self.counter += 1
        template = self.write(f"release/{name}/release.json", json.dumps({
            "format": 1, "id": name, "product": "vm", "version": str(self.counter),
            "components": [{"name": "root", "kind": "image", "path": "root.img", "source": "root.img"}],
            "start_timeout_ms": 300000, "soak_ms": soak_ms, "baseline_wait_ms": 0, "triggers": TRIGGERS}))
        os.symlink(os.path.abspath(image), self.path("release", name, "root.img"))
        self.cli("release", "create", template, "--out", self.path("packed", name))
        ways = [w for other in self.ways_back() for w in ("--rollback-to", other)]
        self.cli("release", "sign", self.path("packed", name), "--keys", self.path("keys"), "--hardware", "edge-x86", "--counter",
                 self.counter, *ways)
        self.cli("release", "publish", self.path("packed", name), "--keys", self.path("keys"))

    def ways_back(self):
        """Eight at most, what the device runs among them: after many updates that failed, that one is old."""
        names = self.names()
        runs = [d["running"] for d in self.ask("device", "list")["devices"] if d["running"] in names]
        return ([n for n in names if n not in runs] + runs)[-8:]

    def names(self):
        d = self.path("packed")
        return sorted((n for n in os.listdir(d)), key=lambda n: os.path.getmtime(os.path.join(d, n)))[:-1] if os.path.isdir(d) else []

    def order(self, name, campaign=None):
        campaign = campaign or f"to-{name}"
        self.cli("campaign", "create", campaign, "--release", name, "--policy", self.path("policy.json"))
        self.cli("campaign", "start", campaign)
        return campaign

    def phase(self, campaign):
        return self.ask("campaign", "status", campaign)["phase"]

    def reports(self):
        """What the device reported, newest first."""
        return self.ask("device", "history", DEVICE, "--last", "50")["reports"]
