#!/bin/sh
# What devices measure reaches the server and is counted there once: while the server is away, after the agent was killed, and by a
# real broker when there is one.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay

page_port=$(free_ports 1)
mkdir -p page
cat >page/metrics <<'PAGE'
# TYPE requests_total counter
requests_total 7
# TYPE score histogram
score_bucket{le="0.5"} 3
score_bucket{le="+Inf"} 4
score_sum 1
score_count 4
PAGE
keep page python3 -m http.server -d "$W/page" --bind 127.0.0.1 "$page_port"

service_command=code/bin/run watch_interval=100ms poll_interval=300ms toy_soak=300 service_metrics=/metrics
device_more="[telemetry]
interval = 1s
batch_interval = 1s
look_interval = 200ms"
server_start
device_make one "$page_port"
device_start one
toy 1
toy_publish 1
wait_until 20 "one to register" "$backstay" device show one
toy_campaign 1
wait_until 30 "toy-1 to be on one" campaign_is to-1 done

api() { # api PATH FILTER
	curl -fsS -H "Authorization: Bearer $(cat "$BACKSTAY_TOKEN_FILE")" "$BACKSTAY_SERVER$1" | jq -r "$2"
}
events() { # events KIND: how many of them the server has of device one
	api "/v1/devices/one/telemetry?last=1000" "[(.windows + .events)[] | select(.kind == \"$1\")] | length"
}
more() { [ "$(events "$1")" -gt "$2" ]; }
wait_until 30 "windows to arrive" more window 2
wait_until 30 "a watch to end" more watch 0
is one .telemetry.code ok || fail "the agent is not content: $(ask one .telemetry)"
api "/v1/devices/one/telemetry?last=1000" '.windows[].layer' | sort -u >layers
printf 'device\nmodel\n' | grep -qvxFf layers && fail "layers are missing: $(cat layers)"
echo "== windows and watches of what runs are with the server"

# The server is away for a while: nothing is lost, and nothing comes twice.
let_go server
wait_until 20 "the agent to notice" sh -c "[ \"\$('$backstay' status --json --socket '$W/run/one.sock' | jq -r .telemetry.code)\" != ok ]"
kill -9 "$(cat "$W/run/one.pid")"
wait_until 20 "the agent to be back" is one .state idle
keep server "$BACKSTAY_BIN/backstay-server" --config "$W/server.conf"
wait_until 20 "the server to answer" curl -fs "$BACKSTAY_SERVER/healthz"
was=$(events watch)
wait_until 60 "more watches" more watch $((was + 1))
api "/v1/devices/one/telemetry?last=1000" '(.windows + .events)[].seq' | sort -n | uniq -d >twice
[ ! -s twice ] || fail "numbers came twice: $(cat twice)"
echo "== a server that was away, and an agent that was killed, lose nothing"

# By a broker. First nobody listens there: HTTP carries on. Then somebody passes on what comes, and acknowledges it.
broker_port=$(free_ports 1)
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$broker_port" >broker.conf
keep broker mosquitto -c "$W/broker.conf"
wait_until 5 "the broker to listen" mosquitto_pub -p "$broker_port" -t x -m y
let_go one
printf '[mqtt]\nurl = mqtt://127.0.0.1:%s\n' "$broker_port" >>"$W/dev/one.conf"
device_start one
wait_until 30 "one to listen" is one .push.connected true
was=$(events watch)
wait_until 60 "a watch, by HTTP" more watch $((was + 1))
[ "$(ask one .push.acks)" = 0 ] || fail "who has acknowledged anything?"
echo "== where the broker brings no acks, HTTP carries on"

# A server that takes what devices say from this broker acknowledges it there, and HTTP carries none of it any more.
let_go server
let_go one
cat >>"$W/server.conf" <<CONF
[mqtt]
url = mqtt://127.0.0.1:$broker_port
devices = trusted
CONF
keep server "$BACKSTAY_BIN/backstay-server" --config "$W/server.conf"
wait_until 20 "the server to answer" curl -fs "$BACKSTAY_SERVER/healthz"
device_start one
acked() { [ "$(ask one .push.acks)" -gt "$1" ]; }
wait_until 90 "the server's word by the broker" acked 3
was=$(events watch)
wait_until 60 "a watch, by the broker" more watch $((was + 1))
api "/v1/devices/one/telemetry?last=1000" '(.windows + .events)[].seq' | sort -n | uniq -d >twice
[ ! -s twice ] || fail "numbers came twice: $(cat twice)"
echo "== where the server listens, the broker carries it"

# A broker of before MQTT 5: spoken to in 3.1.1.
let_go one
keep old python3 "$BACKSTAY_SRC/tests/system/old_broker.py" "$broker_port" "$W/old"
wait_until 10 "the old broker to listen" test -s old
sed -i "s|^url = mqtt://.*|url = mqtt://127.0.0.1:$(head -1 old)|" "$W/dev/one.conf"
device_start one
wait_until 90 "acks in 3.1.1" acked 3
grep -q 'refused 5' old && grep -q 'passed 4' old || fail "which protocol was spoken? $(cat old)"
echo "== a broker that only knows MQTT 3.1.1 will do"
