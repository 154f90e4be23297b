# Kill -9 throughout a campaign over real sockets: the server, the signer, the broker and the devices' processes, at random. The
# same campaign runs once without; both must end alike: every device, every count, and a replay that decides the same.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
. "$BACKSTAY_SRC/tests/bench/fleet/lib.sh"
: "${N:=1000}" "${EACH:=$((N / 20 + 1))}" "${SEED:=1}"
trap 'stop_all >/dev/null 2>&1' EXIT
trap 'exit 1' INT TERM
backstay=$BACKSTAY_BIN/backstay

# One of the processes, each kind as often as any other.
victim() {
	kind=$(shuf -n 1 -e server signer broker devices)
	case $kind in
	server) server_pid ;;
	signer) signer_pid ;;
	broker) broker_pid ;;
	devices) pgrep -P "$fleet_pid" | shuf -n 1 ;;
	esac
	echo "$kind" >"$W/run/kind"
}

# Reports that this life of the server has taken.
taken() {
	curl -fs -m 5 "$BACKSTAY_SERVER/metrics" | awk '$1 == "backstay_reports_total" { print $2 }'
}

# Until some more have been taken: whoever is killed has got somewhere, on a slow machine, too.
let_pass() { # let_pass REPORTS
	from=$(taken) || true
	while [ ! -e "$W/run/enough" ]; do
		sleep 0.0"$(shuf -n 1 -i 10-99)"
		now=$(taken) || continue
		[ "${now:-0}" -ge "${from:-0}" ] || from=0
		[ "${now:-0}" -lt $((${from:-0} + $1)) ] || return 0
	done
}

# Until there is a file "run/enough".
killer() {
	until [ -e "$W/run/enough" ]; do
		let_pass "$(shuf -n 1 -i 1-$((N / 16 + 3)))"
		pid=$(victim) || continue
		[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null && cat "$W/run/kind" >>"$W/kills"
	done
	# Gone, and so seen to be gone by whoever starts it again.
	while [ -n "${pid:-}" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
}

campaign() {
	cat >policy.json <<JSON
{"format": 1, "name": "fleet", "first_alone": true, "max_failures": $N, "silence_ms": 600000, "roll_back_on_abort": false,
 "waves": [{"name": "few", "count": 10, "parallel": 2, "soak_ms": 1000},
  {"name": "tenth", "share_permille": 100, "parallel": $((N / 50 + 1)), "soak_ms": 1000},
  {"name": "rest", "share_permille": 900, "parallel": $((N / 20 + 1)), "soak_ms": 0}]}
JSON
	"$backstay" campaign create to-2 --release toy-2 --policy policy.json >/dev/null
	tell begin
	began=$(date +%s)
	"$backstay" campaign start to-2 >/dev/null
}

# What stands when it is over: the campaign's counts, and each device with what it runs and how its update ended.
final_state() {
	wait_until 60 "the campaign to be done" campaign_is to-2 done
	"$backstay" campaign status to-2 --json >status.json
	jq -S '{phase, why, counts}' status.json
	curl -fs -H "Authorization: Bearer $(cat "$BACKSTAY_TOKEN_FILE")" "$BACKSTAY_SERVER/v1/campaigns/to-2/devices" |
		jq -S '[.devices[] | {device, state}] | sort_by(.device)'
	"$backstay" device list --json | jq -S '[.devices[] | {id, running, state, code, cause}] | sort_by(.id)'
}

# Every report that a device has numbered is in the store once, and one outcome of each.
reports_are_whole() {
	sqlite3 "$W/server/store.db" "SELECT device, count(DISTINCT seq), max(seq), count(*), sum(kind = 'outcome') FROM reports GROUP BY device" |
		awk -F'|' '$2 != $3 || $4 != $3 || $5 != 1 { print; bad++ } END { exit bad > 0 }' >wrong.txt ||
		fail "reports are missing or came twice: $(head -3 wrong.txt)"
	for f in home/*.json; do
		echo "$(basename "$f" .json)|$(jq .seq "$f")"
	done | sort >has.txt
	sqlite3 "$W/server/store.db" "SELECT device, max(seq) FROM reports GROUP BY device" | sort >stored.txt
	cmp -s has.txt stored.txt || fail "the server has not heard of: $(diff has.txt stored.txt | head -3)"
}

one_run() { # one_run NAME
	mkdir -p "$W"
	cd "$W"
	mkdir -p run log
	broker_port= server_port=
	fleet_world "$N"
	fleet_start "$N" --each "$EACH" --poll 3000 --soak 300 --revert 60000 --fail 40000 --seed "$SEED" --artifacts
	tell registered
	tell listening
	campaign
	if [ "$1" = killed ]; then
		killer &
		killing=$!
	fi
	tell ended
	if [ "$1" = killed ]; then
		: >run/enough
		wait $killing || true
		wait_until 20 "the server to answer" curl -fs "$BACKSTAY_SERVER/healthz"
	fi
	# Whoever was killed last says hello yet.
	tell told
	took=$(($(date +%s) - began))
	final_state >final.json
	figures all
	[ "$(of all refused)$(of all early)" = 00 ] || fail "$(of all refused) reports were refused, $(of all early) came too early"
	"$backstay" audit replay to-2 --json >replay.json || fail "the replay differs: $(cat replay.json)"
	"$backstay" audit export audit.jsonl >/dev/null
	"$backstay" audit verify audit.jsonl --repo "$W/keys/repo/director" >/dev/null || fail "the audit log does not hold"
	fleet_stop
	let_go server
	reports_are_whole
	stop_all
	echo "== $1: $N devices in $took s, $(of all reports) reports taken ($(of all duplicates) again), replay: $(jq -r .events replay.json) events, $(jq -r .decisions replay.json) decisions, the same"
}

top=$W
for run in calm killed; do
	(
		W=$top/$run
		trap fleet_end EXIT
		one_run $run
	)
done
cmp calm/final.json killed/final.json || fail "they end differently: $(diff calm/final.json killed/final.json | head -5)"
jq -s -c '.[0].counts' calm/final.json | sed 's/^/== both end with /'
sort killed/kills | uniq -c | awk '{ printf "%s%s %d", n++ ? ", " : "== killed with -9: ", $2, $1 } END { print "" }'
for kind in server signer broker devices; do
	grep -qx $kind killed/kills || fail "no $kind was ever killed: too short"
done
