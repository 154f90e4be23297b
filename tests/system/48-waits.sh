# What updates wait for: battery, a file that says parked, temperature, a window of local time, a person's consent, the
# server's lease, a link that is not metered. Each unmet: the agent says so, with what it saw and what is wanted; met: it goes on.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
service_command=code/bin/run watch_interval=100ms poll_interval=200ms toy_soak=300

says() { # says NAME TEXT, for wait_until
	on_device "$1" explain | grep -qF "$2"
}
waits_for() { # waits_for NAME STATE TEXT
	wait_until 30 "$1 to wait: $3" says "$1" "$3"
	is "$1" .state "$2" || fail "$1 is $(ask "$1" .state), expected $2"
}
says_no_more() {
	! says "$@"
}
battery() { # battery PERCENT STATUS
	mkdir -p "$W/sys/class/power_supply/BAT0"
	echo Battery >"$W/sys/class/power_supply/BAT0/type"
	echo "$1" >"$W/sys/class/power_supply/BAT0/capacity"
	echo "$2" >"$W/sys/class/power_supply/BAT0/status"
}
zone_has() { # zone_has MILLIDEGREES
	mkdir -p "$W/sys/class/thermal/thermal_zone0"
	echo cpu >"$W/sys/class/thermal/thermal_zone0/type"
	echo "$1" >"$W/sys/class/thermal/thermal_zone0/temp"
}

# ---- the device's own configuration, and what the release states ---------------------------------------------------
battery 34 Discharging
zone_has 81000
echo D >parked
echo free >link
server_start
precond="[precond]
sys = $W/sys
look_interval = 200ms
parked_from = file:$W/parked
parked_when = P
metered_from = file:$W/link
metered_when = free"
device_more="$precond
power = battery_percent=50, before=download
parked = yes
temperature = at_most=70, before=swap"
device_make one 0
sed -i 's/^hardware/labels = line=north\n&/' dev/one.conf
device_start one
wait_until 20 "one to register" "$BACKSTAY_BIN/backstay" device show one

toy_more='"preconditions": [{"type": "consent"}]'
toy 1
toy_publish 1
toy_campaign 1
waits_for one accepted "waits: the battery has 34 %, at least 50 % is wanted (power, asked for by this device)"
[ "$(ask one '.waits.preconditions[0] | "\(.is) \(.value) \(.limit)"')" = "unmet 34 %, on battery mains or at least 50 %" ] ||
	fail "status does not have it: $(ask one .waits)"
wait_until 20 "the server to know" sh -c "'$BACKSTAY_BIN/backstay' device show one --json | grep -q 'the battery has 34 %'"
battery 34 Charging
waits_for one ready "waits: the machine is not parked: its source says 'D' (parked, asked for by this device)"
waits_for one ready "waits: cpu has 81.0 C, at most 70 C is wanted (temperature, asked for by this device)"
waits_for one ready "waits: a person at the device has to agree: backstay consent (consent, asked for by the release)"
echo P >parked
wait_until 10 "parked to hold" says_no_more one "not parked"
zone_has 70000
wait_until 10 "the temperature to hold" says_no_more one "cpu has"
waits_for one ready "waits: a person"
on_device one consent | grep -q "Nobody has answered yet" || fail "consent does not show what waits"
on_device one consent --no --who anna >/dev/null
waits_for one ready "waits: anna has said no to it"
exits 64 "$BACKSTAY_BIN/backstay" consent --later soon --socket "$W/run/one.sock"
let_go one
device_start one
wait_until 20 "one to be back" says one "waits: anna has said no to it"
on_device one consent --yes --who anna >/dev/null
wait_until 30 "one to run toy-1" runs one 1
wait_until 30 "to-1 to end" campaign_is to-1 done
on_device one history | grep -q "consent to toy-1: yes, by anna" || fail "the history does not have it"
wait_until 20 "the audit log to have it" sh -c "'$BACKSTAY_BIN/backstay' audit list --last 200 | grep -q 'consent to toy-1 (.*): yes, by anna'"
exits 73 on_device one consent --yes --who anna
"$BACKSTAY_BIN/backstay" report vehicle one --output one.json
/usr/bin/python3 "$BACKSTAY_SRC/tests/system/check_schema.py" "$BACKSTAY_SRC/manifests/schema/vehicle-record.json" one.json || fail "not what the schema says"
jq -r '.record.updates[0].seen[] | "\(.type) of \(.from): \(.is) \(.value), \(.limit)"' one.json >seen.txt
printf '%s\n' 'consent of release: met yes, by anna, yes' 'parked of device: met P, parked' \
	'temperature of device: met 70.0 C, at most 70 C' | cmp -s - seen.txt || fail "what was seen at the switch is not recorded: $(cat seen.txt)"
jq -e '[.record.requirements[] | select(.at == "updates.*.seen")] | .[0].state == "recorded"' one.json >/dev/null || fail "it is not judged as recorded"
"$BACKSTAY_BIN/backstay" report vehicle one --format html --output one.html
python3 "$BACKSTAY_SRC/tests/system/read_page.py" one.html "What was seen when it decided to switch" "70.0 C" "at most 70 C"
echo "== battery, a file, temperature and consent: each is waited for, explained, over when it holds, and recorded at the switch"

# ---- a window, in a zone whose clock says 11:59:56 ------------------------------------------------------------------
now=$(date -u +%s)
ahead=$(((43196 - now % 86400 + 86400) % 86400))
let_go one
device_more="$precond
zone = AAA-$((ahead / 3600)):$((ahead / 60 % 60)):$((ahead % 60))
window = windows=daily 12:00-13:00"
device_make one 0
sed -i 's/^hardware/labels = line=north\n&/' dev/one.conf
device_start one
toy_more=
toy 2
toy_publish 2
toy_campaign 2
if [ $(($(date -u +%s) - now)) -lt 3 ]; then
	waits_for one ready "11:59 AAA; the next window opens in 1 min: daily 12:00-13:00 (window, asked for by this device)"
	shown=", and explained"
fi
wait_until 30 "one to run toy-2" runs one 2
wait_until 30 "to-2 to end" campaign_is to-2 done
[ $(($(date -u +%s) - now)) -ge 4 ] || fail "it did not wait for the window"
echo "== a window of local time is waited for to the second${shown:-}"

# ---- a link that becomes metered in the middle ----------------------------------------------------------------------
let_go one
device_more="$precond
metered = before=download
[net]
max_rate = 400000"
device_make one 0
sed -i 's/^hardware/labels = line=north\n&/' dev/one.conf
device_start one
toy 3
head -c 1200000 /dev/urandom >toy/3/data/large
toy_publish 3
toy_campaign 3
moving() {
	[ "$(ask one '.progress.done // 0')" -gt 100000 ]
}
wait_until 30 "the transfer to move" moving
echo wwan >link
waits_for one staging "waits: the link is metered: its source says 'wwan' (metered, asked for by this device)"
wait_until 10 "the transfer to pause" is one .progress null
echo free >link
wait_until 60 "one to run toy-3" runs one 3
wait_until 30 "to-3 to end" campaign_is to-3 done
echo "== a transfer pauses when the link becomes metered, and goes on when it is free"

# ---- one of a line at a time ------------------------------------------------------------------------------------------
let_go one
device_more="$precond"
for d in one two; do
	device_make "$d" 0
	sed -i 's/^hardware/labels = line=north\n&/' "dev/$d.conf"
	device_start "$d"
done
wait_until 20 "two to register" "$BACKSTAY_BIN/backstay" device show two
cat >budget.json <<JSON
{"format": 1, "name": "budget", "first_alone": false, "silence_ms": 60000, "disruption": {"label": "line", "max": 1},
 "waves": [{"name": "all", "share_permille": 1000, "soak_ms": 0}]}
JSON
exits 73 "$BACKSTAY_BIN/backstay" campaign create early --release toy-3 --policy budget.json
grep -q 'does not state the precondition' err.txt || fail "a budget for a release that does not ask: $(cat err.txt)"
sed 's/"max": 1/"max": 0/' budget.json >nobody.json
exits 65 "$BACKSTAY_BIN/backstay" campaign create never --release toy-3 --policy nobody.json
toy_soak=300000 toy_more='"preconditions": [{"type": "lease"}]'
toy 4
toy_publish 4
"$BACKSTAY_BIN/backstay" campaign create to-4 --release toy-4 --policy budget.json >/dev/null
"$BACKSTAY_BIN/backstay" campaign start to-4 >/dev/null
one_soaks() {
	for d in one two; do
		is "$d" .state soaking && echo "$d" >holder && return 0
	done
	return 1
}
# The soak is long: it ends when a person vouches for the release, and not before everything has been looked at.
wait_until 90 "one of the two to soak" one_soaks
first=$(cat holder) second=one
[ "$first" = two ] || second=two
wait_until 60 "$second to wait for a lease" says "$second" "of at most 1 of line=north are disrupted (lease, asked for by the release)"
"$BACKSTAY_BIN/backstay" device show "$first" --json | grep -q '"group":"line=north"' || fail "the server does not show who holds the lease"
server_again
on_device "$second" check >/dev/null
wait_until 60 "$second to wait on, behind a server that was started anew" says "$second" "of at most 1 of line=north are disrupted"
is "$second" .state ready || fail "$second went on without a lease: it is $(ask "$second" .state)"
on_device "$first" mark-good --reason "looked at it" >/dev/null
wait_until 90 "$second to have its turn" is "$second" .state soaking
is "$first" .state idle || fail "both are disrupted at once: $first is $(ask "$first" .state)"
on_device "$second" mark-good --reason "looked at it" >/dev/null
wait_until 60 "the campaign to end" campaign_is to-4 done
runs one 4 && runs two 4 || fail "the release does not run on both"
"$BACKSTAY_BIN/backstay" audit list --last 200 | grep -q 'may be disrupted for' || fail "the audit log does not tell of leases"
let_go server
[ "$(sqlite3 server/store.db 'SELECT count(*) FROM leases')" = 0 ] || fail "a lease was not given back"
echo "== two devices of a line race for one lease: one waits, over a restart of the server, until the other has ended"
