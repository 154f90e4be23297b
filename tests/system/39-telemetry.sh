#!/bin/sh
# Telemetry and reports through a real broker: lost, doubled, late, swallowed by another subscriber, with the broker and the server killed
# in between; everything counts, and once. What has been counted goes on to a collector and to Prometheus.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay

broker_port=$(free_ports 1)
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$broker_port" >broker.conf
broker() {
	keep broker mosquitto -c "$W/broker.conf"
	wait_until 10 "the broker to listen" mosquitto_pub -p "$broker_port" -t x -m y
}
killed() { # killed NAME: by SIGKILL; what keeps it starts it again
	was=$(cat "$W/run/$1.pid")
	kill -9 "$was"
	wait_until 10 "$1 to be started again" sh -c "[ \"\$(cat '$W/run/$1.pid')\" != $was ]"
}
mkdir -p otlp
keep otlp python3 "$BACKSTAY_SRC/tests/system/otlp_receiver.py" "$W/otlp"
wait_until 10 "the collector to listen" test -s otlp/port
conf() { # conf TRUST
	server_more="[mqtt]
url = mqtt://127.0.0.1:$broker_port
devices = $1
[telemetry]
stratum = site
[otlp]
url = http://127.0.0.1:$(cat otlp/port)/v1/metrics
token = collector-token
interval = 1s"
}
metric() { # metric NAME: of the page for anybody
	curl -fs "$BACKSTAY_SERVER/metrics" | sed -n "s/^backstay_$1 //p"
}
is_metric() { [ "$(metric "$1")" = "$2" ]; }

broker
conf trusted
server_start
wait_until 20 "the server to reach the broker" is_metric mqtt_connected 1

# ---- a device, as far as the server and the broker can tell -----------------------------------------------------
report() { # report SEQ
	printf '{"format":1,"seq":%s,"kind":"hello","at_ms":1,"hardware":"edge","labels":"site=north","state":"idle","text":"no %s"}' "$1" "$1"
}
batch() { # batch FROM TO: a window for each number, of ten requests that took 5 ms
	n=$1 comma=
	printf '{"format":1,"epoch":"00000000000000aa","items":['
	while [ "$n" -le "$2" ]; do
		printf '%s{"seq":%s,"at_ms":%s000,"span_ms":60000,"kind":"window","layer":"inference",' "$comma" "$n" "$(date +%s)"
		printf '"counters":{"requests_total":10},"hists":{"latency_seconds":{"edges_micro":[1000,10000],"counts":[0,10,0]}}}'
		n=$((n + 1)) comma=,
	done
	printf ']}'
}
say() { # say TOPIC: its standard input, once, with QoS 1
	mosquitto_pub -p "$broker_port" -q 1 -t "$1" -s
}
acked() { grep -q "$1" acks; }
# until_acked TOPIC FILE ACK: as a device does it, the same bytes again and again
until_acked() {
	tries=0
	until acked "$3"; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "no ack of $3"
		say "$1" <"$2" || true
		waits=0
		while [ $waits -lt 10 ] && ! acked "$3"; do sleep 0.05; waits=$((waits + 1)); done
	done
}
hear_acks() { # in the background, for as long as the broker lives
	keep acks sh -c "exec stdbuf -oL mosquitto_sub -p $broker_port -q 1 -t backstay/v1/ack/lane-1 >>'$W/acks'"
}
requests() {
	curl -fs -H "Authorization: Bearer $(cat "$BACKSTAY_TOKEN_FILE")" "$BACKSTAY_SERVER/v1/releases/none/telemetry" |
		jq '[.parts[].counters.requests_total] | add // 0'
}
counts() { [ "$(requests)" = "$1" ] || fail "$(requests) requests are counted, not $1"; }
: >acks
hear_acks
report 1 >r1
until_acked backstay/v1/report/lane-1 r1 '"report":1[,}]'
"$backstay" device show lane-1 | grep -q 'site=north' || fail "the report did not register the device"
batch 1 3 >b1
until_acked backstay/v1/telemetry/lane-1 b1 '"seq":3[,}]'
counts 30
echo "== a report and a batch are taken and acknowledged"

i=0
while [ $i -lt 20 ]; do
	say backstay/v1/telemetry/lane-1 <b1
	say backstay/v1/report/lane-1 <r1
	i=$((i + 1))
done
batch 4 6 >b2
until_acked backstay/v1/telemetry/lane-1 b2 '"seq":6[,}]'
say backstay/v1/telemetry/lane-1 <b1 # late
batch 2 7 >b3                        # what is known and what is not
until_acked backstay/v1/telemetry/lane-1 b3 '"seq":7[,}]'
counts 70
curl -fs -X POST --data-binary @b2 "$BACKSTAY_SERVER/v1/devices/lane-1/telemetry" | grep -q '"seq":7[,}]' || fail "HTTP knows it, too"
counts 70
echo "== doubled, late, by both ways: once"

# Another one shares the subscription and swallows what it gets.
keep thief sh -c "exec stdbuf -oL mosquitto_sub -p $broker_port -q 1 -t '\$share/backstay/backstay/v1/telemetry/+' >>'$W/stolen'"
k=8
while [ $k -le 17 ]; do
	batch $k $k >b
	until_acked backstay/v1/telemetry/lane-1 b "\"seq\":$k[,}]"
	k=$((k + 1))
done
let_go thief
[ -s stolen ] || fail "the subscription is not shared: nothing was swallowed"
counts 170
echo "== $(wc -l <stolen) batches were swallowed by another subscriber, and came again"

killed broker
wait_until 10 "the broker to listen" mosquitto_pub -p "$broker_port" -t x -m y
batch 18 18 >b
until_acked backstay/v1/telemetry/lane-1 b '"seq":18[,}]'
say backstay/v1/telemetry/lane-1 <b1 || true
killed server
batch 19 19 >b
until_acked backstay/v1/telemetry/lane-1 b '"seq":19[,}]'
killed server
batch 1 20 >b
until_acked backstay/v1/telemetry/lane-1 b '"seq":20[,}]'
counts 200
echo "== the broker and the server were killed: 200 requests, all once"

# ---- who is here -------------------------------------------------------------------------------------------------
present() { [ "$("$backstay" device show lane-1 --json | jq -r .presence.state)" = "$1" ]; }
mosquitto_pub -p "$broker_port" -q 1 -r -t backstay/1/lane-1/presence -m online
wait_until 20 "lane-1 to be online" present online
killed server # what is retained is heard again
mosquitto_pub -p "$broker_port" -q 1 -r -t backstay/1/lane-1/presence -m offline
mosquitto_pub -p "$broker_port" -q 1 -r -t backstay/1/stranger/presence -m online
mosquitto_pub -p "$broker_port" -q 1 -r -t backstay/1/lane-1/presence/more -m online
wait_until 20 "lane-1 to be offline" present offline
echo "== presence is heard"

# ---- what is shown -----------------------------------------------------------------------------------------------
batch 21 21 >b # the server was started anew, and counts from there
until_acked backstay/v1/telemetry/lane-1 b '"seq":21[,}]'
"$backstay" telemetry release none --by stratum | grep -q 'edge/north.*latency_seconds p99 *0.00991' || fail "p99 is not shown"
"$backstay" telemetry device lane-1 --last 1 | grep -q 'inference: 1 counters' || fail "the window is not shown"
"$backstay" user add prometheus viewer >prom.token
page() { # page PATH
	curl -fs -H "Authorization: Bearer $(cat prom.token)" "$BACKSTAY_SERVER$1"
}
[ "$(curl -s -o out.txt -w '%{http_code}' "$BACKSTAY_SERVER/v1/metrics")" = 403 ] || fail "the fleet's metrics are for anybody"
{ page /metrics && page /v1/metrics; } >metrics.txt
grep -q '^backstay_workload_events_total{release="none",layer="inference",metric="requests_total"} 10$' metrics.txt || fail "events"
grep -q '^backstay_workload_distribution_bucket{release="none",layer="inference",metric="latency_seconds",le="0.01"} 10$' metrics.txt ||
	fail "buckets"
grep -q '^backstay_devices_by_state{state="idle"} 1$' metrics.txt || fail "states"
# Rules and the board ask for nothing that is not there.
sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' metrics.txt >known
grep -oh 'backstay_[a-z_]*' "$BACKSTAY_SRC"/packaging/monitoring/backstay.rules.yml "$BACKSTAY_SRC"/packaging/monitoring/grafana-backstay.json |
	sed 's/_bucket$//; s/_count$//; s/_sum$//' | sort -u >asked
[ "$(wc -l <asked)" -gt 10 ] || fail "nothing is asked for"
while read -r name; do
	grep -qx "$name" known || fail "$name is asked for, and no metric"
done <asked
cp metrics.txt "${BACKSTAY_METRICS:-metrics.txt}" 2>/dev/null || true
echo "== metrics: $(wc -l <known) families, all $(wc -l <asked) that rules and board ask for"

# ---- the collector -----------------------------------------------------------------------------------------------
taken() { [ "$(jq "[.resourceMetrics[0].scopeMetrics[0].metrics[] | select(.name == \"backstay.workload.events\")
	| .sum.dataPoints[0].asInt | tonumber] | add" otlp/last.json)" = "$1" ]; }
wait_until 20 "the collector to have 10 requests" taken 10
touch otlp/busy
busy() { [ "$(jq .busy otlp/counts)" -ge 2 ]; }
batch 22 22 >b
until_acked backstay/v1/telemetry/lane-1 b '"seq":22[,}]'
wait_until 30 "the collector to turn it away twice" busy
is_metric otlp_waiting 1 || fail "nobody is told that the collector is busy"
rm otlp/busy
wait_until 30 "the collector to have 20 requests" taken 20
[ ! -e otlp/refused ] || fail "the collector refused: $(cat otlp/refused)"
wait_until 10 "the server to know" is_metric otlp_waiting 0
echo "== the collector was told, turned it away, and was told again"

# ---- a broker that is not trusted --------------------------------------------------------------------------------
sed -i 's/^devices = trusted/devices = untrusted/' server.conf
killed server
wait_until 20 "the server to reach the broker" is_metric mqtt_connected 1
heard() { [ "$(metric 'mqtt_heard_total{kind="presence"}')" -ge 1 ]; }
batch 23 23 >b
say backstay/v1/telemetry/lane-1 <b
say backstay/v1/report/lane-1 <r1
mosquitto_pub -p "$broker_port" -q 1 -r -t backstay/1/lane-1/presence -m online
wait_until 20 "presence to be heard" heard
wait_until 20 "lane-1 to be online" present online
is_metric 'mqtt_heard_total{kind="telemetry"}' 0 && is_metric 'mqtt_heard_total{kind="report"}' 0 || fail "an untrusted broker is believed"
counts 220
echo "== a broker that is not trusted tells of presence, and of nothing else"
