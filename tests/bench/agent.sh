# What the agent costs while nothing happens, how fast the old version answers again when a trigger has fired, and how soon a device
# that polls every ten minutes begins what a broker has woken it for.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
. "$BACKSTAY_SRC/tests/bench/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
: "${ROUNDS:=5}"
service_command=code/bin/run poll_interval=1s watch_interval=${WATCH:-500ms}

# between RELEASE FROM TO: milliseconds between two lines of the device's history that have the release and such a text; FROM may be a
# moment of today, in milliseconds, instead.
between() {
	on_device one history --last 100 | awk -v r="$1" -v from="$2" -v to="$3" '
		function ms(stamp) { split(substr(stamp, 12, 12), t, /[:.]/); return ((t[1] * 60 + t[2]) * 60 + t[3]) * 1000 + t[4] }
		BEGIN { if (from ~ /^[0-9]+$/) began = from }
		index($0 " ", " " r " ") && index($0, from) { began = ms($1) }
		index($0 " ", " " r " ") && index($0, to) { ended = ms($1) }
		END { print ended - began }'
}

# ---- idle ----------------------------------------------------------------------------------------------------------
server_start
device_make one 0
now=$(date +%s%N)
device_start one
wait_until 20 "the agent to answer" ask one .state
started=$((($(date +%s%N) - now) / 1000000))
wait_until 20 "the device to register" "$BACKSTAY_BIN/backstay" device show one
toy 1
toy_publish 1
toy_campaign 1
wait_until 60 "toy-1" campaign_is to-1 done
agent=$(cat "$W/run/one.pid")
pss= rss= cpu=
for _ in $(seq "$ROUNDS"); do
	before=$(awk '{ print $14 + $15 }' "/proc/$agent/stat")
	sleep 2
	pss="$pss $(awk '/^Pss:/ { print $2 }' "/proc/$agent/smaps_rollup")"
	rss="$rss $(awk '/^Rss:/ { print $2 }' "/proc/$agent/smaps_rollup")"
	cpu="$cpu $((($(awk '{ print $14 + $15 }' "/proc/$agent/stat") - before) * 5))"
done
head_rows "Agent: idle, polling once a second, watching its workload every $watch_interval"
# shellcheck disable=SC2086
{
	row "PSS" KiB $pss
	row "RSS" KiB $rss
	row "CPU" "ms per s" $cpu
}
row "start to first answer on its socket" ms "$started"
row "size of the program, stripped" KiB "$(strip -o "$W/agent.stripped" "$BACKSTAY_BIN/backstay-agent" && du -k "$W/agent.stripped" | cut -f1)"

# ---- trip to old version running --------------------------------------------------------------------------------------
back=
toy_soak=600000
for n in $(seq 2 $((ROUNDS + 1))); do
	rm -f "$W/end-now"
	toy "$n" "while [ ! -e '$W/end-now' ]; do sleep 0.05; done; exit 1"
	toy_publish "$n"
	toy_campaign "$n"
	wait_until 60 "the soak of toy-$n" is one .state soaking
	: >"$W/end-now"
	wait_until 60 "toy-$n to be taken back" campaign_is "to-$n" halted
	back="$back $(between "toy-$n" "soaking -> reverting" "restoring -> reverted")"
done
head_rows "Agent: trigger fired to old version running again (restart of the workload)"
# shellcheck disable=SC2086
row "trip to old version running" ms $back

# ---- campaign start to the agent's beginning ----------------------------------------------------------------------------
# The same device on the same server, now both with a broker between them.
let_go one
broker_port=$(free_ports 1)
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$broker_port" >broker.conf
keep broker mosquitto -c "$W/broker.conf"
wait_until 5 "the broker to listen" mosquitto_pub -p "$broker_port" -t x -m y
server_more="[mqtt]
url = mqtt://127.0.0.1:$broker_port"
printf '%s\n' "$server_more" >>"$W/dev/one.conf"
sed -i 's/^poll_interval = .*/poll_interval = 10min/' "$W/dev/one.conf"
server_again
device_start one
wait_until 20 "the device to listen" is one .push.connected true
begun= toy_soak=300
for n in $(seq $((ROUNDS + 2)) $((2 * ROUNDS + 1))); do
	toy "$n"
	toy_publish "$n"
	printf '{"format": 1, "name": "all", "waves": [{"name": "all", "count": 1, "soak_ms": 0}]}' >policy.json
	"$BACKSTAY_BIN/backstay" campaign create "to-$n" --release "toy-$n" --policy policy.json >/dev/null
	sleep 3 # it was woken for the last one, and is woken once a second at most
	now=$(($(date +%s%3N) % 86400000))
	"$BACKSTAY_BIN/backstay" campaign start "to-$n" >/dev/null
	wait_until 60 "toy-$n" campaign_is "to-$n" done
	begun="$begun $(between "toy-$n" "$now" "idle -> accepted")"
done
head_rows "Agent: campaign start (the command begins) to the device's beginning, woken over MQTT, polling every ten minutes"
# shellcheck disable=SC2086
row "start to accepted: signed, woken, fetched, verified" ms $begun
