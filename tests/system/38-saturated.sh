#!/bin/sh
# A server that has all the connections it serves: devices are told to come back, and do; nothing that they report is lost.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1; kill $crowd 2>/dev/null || true' EXIT
crowd=
backstay=$BACKSTAY_BIN/backstay
service_command=code/bin/run watch_interval=100ms poll_interval=300ms toy_soak=300
server_more="[http]
max_connections = 8"
server_start

# crowd: takes every connection that is served, and some more, until `disperse`.
crowd() {
	python3 - "$server_port" >crowd.out <<'PY' &
import http.client, sys, time
held = []
while True:
    for _ in range(12 - len(held)):
        c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
        c.connect()
        held.append(c)
    print("here", flush=True)
    # Silent ones are hung up on after a while, and replaced.
    time.sleep(10)
    held.pop(0).close()
PY
	crowd=$!
	wait_until 10 "a crowd" test -s crowd.out
}
disperse() {
	kill "$crowd"
	wait "$crowd" 2>/dev/null || true
	crowd=
}
metric() {
	curl -fs "$BACKSTAY_SERVER/metrics" | awk -v name="backstay_$1" '$1 == name { print $2 }'
}
has_grown() { # has_grown METRIC BEYOND
	[ "$(metric "$1")" -gt "$2" ]
}

crowd
wait_until 10 "the server to be crowded" has_grown http_connections 8
for i in 1 2 3; do
	curl -s -D headers.txt -o answer.txt "$BACKSTAY_SERVER/director/one/timestamp.json"
	grep -q '^HTTP/1.1 503' headers.txt && grep -q '"busy"' answer.txt || fail "$(cat headers.txt answer.txt)"
	after=$(tr -d '\r' <headers.txt | awk 'tolower($1) == "retry-after:" { print $2 }')
	[ "$after" -ge 3 ] && [ "$after" -le 6 ] || fail "Retry-After: $after"
done
"$backstay" device list >/dev/null || fail "people are not let in"
for d in one two; do
	device_make "$d" 0
	device_start "$d"
done
was=$(metric http_busy_total)
wait_until 30 "devices to be put off" has_grown http_busy_total $((was + 3))
disperse
for d in one two; do
	wait_until 30 "$d to register" "$backstay" device show "$d"
done
echo "== a crowded server says 503 with a Retry-After that is spread, lets people in, and is reached by devices later"

toy 1
toy_publish 1
toy_campaign 1
wait_until 30 "one of them to be at it" sh -c "'$backstay' campaign status to-1 | grep -q admitted"
crowd
was=$(metric http_busy_total)
wait_until 60 "devices to be put off" has_grown http_busy_total $((was + 2))
disperse
wait_until 60 "toy-1 to be everywhere" campaign_is to-1 done
runs one 1 && runs two 1 || fail "they do not run toy-1"
for d in one two; do
	wait_until 30 "$d to have told everything" sh -c "[ -z \"\$(ls '$W/dev/$d/reports' | grep json)\" ]"
	"$backstay" device history "$d" --json | jq -e '[.reports[].seq] | sort as $s | $s == [range($s[0]; $s[-1] + 1)] and $s[0] == 1' \
		>/dev/null || fail "reports of $d are missing: $("$backstay" device history "$d" --json | jq -c '[.reports[].seq]')"
	[ -z "$(ls "$W/dev/$d/reports/refused" 2>/dev/null)" ] || fail "reports of $d were refused"
done
echo "== put off in the middle of an update, both end it, and no report is missing or was refused"
