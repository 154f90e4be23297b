# A real workload decides otherwise than the version before it, or its scores drift, or it needs more and more memory: each
# version is taken back for what it does, and explain shows the numbers while it soaks.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
port=$(free_ports 1)
service_command=code/bin/run watch_interval=100ms poll_interval=200ms service_metrics=/metrics toy_soak=30000

# A workload with a page of metrics: 2000 decisions a second, by the clock. KIND says what it does.
cat >"$W/work.py" <<'PY'
import http.server, sys, threading, time
port, kind = int(sys.argv[1]), sys.argv[2]
share = 0.3 if kind == "rejects" else 0.1
scores = (0.4, 0.4, 0.2) if kind == "drifts" else (0.1, 0.3, 0.6)
began, hog = time.monotonic(), []

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        n = int((time.monotonic() - began) * 2000)
        low, middle = int(n * scores[0]), int(n * (scores[0] + scores[1]))
        body = ("parts_total %d\nrejects_total %d\nscore_bucket{le=\"0.5\"} %d\nscore_bucket{le=\"0.9\"} %d\n"
                "score_bucket{le=\"+Inf\"} %d\n" % (n, n * share, low, middle, n)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

def grow():
    while len(hog) < 40:
        hog.append(bytearray(4 << 20))
        time.sleep(0.05)

if kind == "leaks":
    threading.Thread(target=grow, daemon=True).start()
http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(("127.0.0.1", port), Page).serve_forever()
PY

# release N KIND: a toy that does so, watched for all three.
release() {
	toy "$1" "exec python3 $W/work.py $port $2"
	jq '.baseline_wait_ms = 8000 | .triggers += [
		{"type": "quality", "of": "rate", "metric": "rejects_total", "total": "parts_total",
			"window_ms": 1000, "hold": [2, 3]},
		{"type": "drift", "metric": "score", "edges_micro": [500000, 900000], "window_ms": 1000, "hold": [2, 3]},
		{"type": "resource", "of": "memory", "comparator": "baseline", "threshold_milli": 2000,
			"window_ms": 1000, "hold": [2, 3]}]' "$W/toy/$1/release.json" >"$W/toy/$1/r.json"
	mv "$W/toy/$1/r.json" "$W/toy/$1/release.json"
	toy_publish "$1"
	toy_campaign "$1"
}

# What it was taken back for, and that what it saw is kept.
taken_back_for() {
	wait_until 60 "toy-$1 to be taken back" is one .rollback.release "toy-$1"
	is one .rollback.cause "$2" || fail "toy-$1 was taken back for $(ask one .rollback.cause)"
	wait_until 20 "toy-1 to run again" runs one 1
	on_device one explain --json | jq -e --arg t "$2" '[.saw.dossier.triggers[] | select(.type == $t and .value_micro != null
		and .limit_micro != null and .baseline_samples > 0)] | length == 1' >/dev/null || fail "the dossier has no numbers of $2"
}

server_start
device_make one "$port"
device_start one
wait_until 20 "one to register" "$BACKSTAY_BIN/backstay" device show one
toy_soak=3000
release 1 good
wait_until 60 "toy-1 everywhere" campaign_is to-1 done
toy_soak=30000

release 2 rejects
taken_back_for 2 quality
echo "== one that rejects three times as much is taken back: $(ask one .rollback.reason)"
release 3 drifts
taken_back_for 3 drift
echo "== one whose scores drift is taken back: $(ask one .rollback.reason)"
release 4 leaks
taken_back_for 4 resource
echo "== one that needs more and more memory is taken back: $(ask one .rollback.reason)"

toy_soak=8000
release 5 good
wait_until 60 "toy-5 to soak" is one .state soaking
wait_until 10 "numbers of each" sh -c "'$BACKSTAY_BIN/backstay' explain --socket '$W/run/one.sock' --json |
	jq -e '[.triggers[] | select(.baseline_micro != null and .judged > 0) | .type] == [\"quality\", \"drift\", \"resource\"]'"
on_device one explain | grep -q 'drift psi 0.0' || fail "explain does not show the distance: $(on_device one explain)"
wait_until 60 "toy-5 to be accepted" campaign_is to-5 done
echo "== one that does as the version before is accepted, and explain shows the numbers meanwhile"
