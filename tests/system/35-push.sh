#!/bin/sh
# Devices that would poll once in ten minutes, and are woken by a real broker: for an update, for the next wave, for the way back; and
# without the broker they poll.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
service_command=code/bin/run watch_interval=100ms poll_interval=10min toy_soak=300

broker_port=$(free_ports 1)
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$broker_port" >broker.conf
broker() {
	keep broker mosquitto -c "$W/broker.conf"
	wait_until 5 "the broker to listen" mosquitto_pub -p "$broker_port" -t x -m y
}
hears() { # hears TOPIC: its retained message
	mosquitto_sub -p "$broker_port" -t "$1" -C 1 -W 2 2>/dev/null
}
presence() {
	[ "$(hears "backstay/1/$1/presence")" = "$2" ]
}
broker
server_more="[mqtt]
url = mqtt://127.0.0.1:$broker_port"
device_more=$server_more
server_start
for d in one two; do
	device_make "$d" 0
	device_start "$d"
	wait_until 20 "$d to listen" is "$d" .push.connected true
	wait_until 20 "$d to register" "$backstay" device show "$d"
	wait_until 5 "$d to be present" presence "$d" online
done
toy 1
toy_publish 1
begun=$(date +%s%N)
toy_campaign 1
wait_until 30 "toy-1 to be everywhere" campaign_is to-1 done
took=$((($(date +%s%N) - begun) / 1000000))
[ "$took" -lt 60000 ] || fail "a poll was waited for"
runs one 1 && runs two 1 || fail "they do not run toy-1"
echo "== both devices were woken, one after the other, though they poll every ten minutes"

# The broker goes away and comes back: so do the devices.
let_go broker
wait_until 10 "one to notice" is one .push.connected false
broker
wait_until 60 "one to listen again" is one .push.connected true
wait_until 60 "two to listen again" is two .push.connected true
toy 2
toy_publish 2
toy_campaign 2
wait_until 30 "toy-2 to be everywhere" campaign_is to-2 done
echo "== a broker that was away is found again"

"$backstay" campaign rollback to-2 --reason 'a test' >/dev/null
wait_until 30 "toy-2 to be gone" campaign_is to-2 halted
runs one 1 && runs two 1 || fail "they were not taken back"
echo "== the way back is not waited for either"

# Somebody who writes what he likes to the broker makes them ask, and nothing else.
was=$(ask one .push.wakes)
i=0
while [ $i -lt 50 ]; do
	mosquitto_pub -p "$broker_port" -t backstay/1/one/wake -m "$(head -c 2000 /dev/urandom | base64 -w0)"
	i=$((i + 1))
done
woken() { [ "$(ask one .push.wakes)" -gt "$was" ]; }
wait_until 10 "one to hear it" woken
is one .state idle && runs one 1 || fail "a message did something"
let_go one
wait_until 10 "one to be gone" presence one offline
echo "== messages of anybody cost a question, and who is gone is seen to be"

# Without a broker: by polling.
let_go broker
sed -i 's/^poll_interval = .*/poll_interval = 200ms/' "$W/dev/one.conf"
device_start one
toy 3
toy_publish 3
printf '{"format": 1, "name": "test", "silence_ms": 60000, "waves": [{"name": "all", "count": 1, "soak_ms": 0}]}' >"$W/policy.json"
"$backstay" campaign create to-3 --release toy-3 --policy "$W/policy.json" --device one >/dev/null
"$backstay" campaign start to-3 >/dev/null
wait_until 60 "toy-3 to be on one" campaign_is to-3 done
echo "== with no broker at all they poll"
