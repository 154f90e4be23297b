# What the agent costs while nothing happens, and how fast the old version answers again when a trigger has fired.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
. "$BACKSTAY_SRC/tests/bench/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
: "${ROUNDS:=5}"
service_command=code/bin/run poll_interval=1s watch_interval=${WATCH:-500ms}

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
# The device's history has the moment the trigger fired and the moment the old version was up again.
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
	back="$back $(on_device one history --last 100 | awk -v r="toy-$n" '
		function ms(stamp) { split(substr(stamp, 12, 12), t, /[:.]/); return ((t[1] * 60 + t[2]) * 60 + t[3]) * 1000 + t[4] }
		index($0, " " r " ") && /soaking -> reverting/ { fired = ms($1) }
		index($0, " " r " ") && /restoring -> reverted/ { up = ms($1) }
		END { print up - fired }')"
done
head_rows "Agent: trigger fired to old version running again (restart of the workload)"
# shellcheck disable=SC2086
row "trip to old version running" ms $back
