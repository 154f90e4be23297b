#!/bin/sh
# A challenger runs beside the champion on the same inputs: who agrees is promoted, who disagrees, crashes or takes everything
# is refused, and the champion goes on as the process that it was.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'kill -CONT "$(cat "$W/run/load.pid" 2>/dev/null)" 2>/dev/null || true; stop_all >/dev/null 2>&1' EXIT
trap 'exit 1' INT TERM

# challenger N MANNER [PAIRS]: the release toy-N, which is compared with what runs before it may take its place.
challenger() {
	toy_more='"strategy": "shadow", "shadow": {"argv": ["/usr/bin/env", "python3", "code/plant.py", "serve", "0"], "path": "/infer",
		"answer": "answer", "min_pairs": '${3:-200}', "agreement_permille": 980, "errors_permille": 50, "latency_ratio_milli": 0,
		"timeout_ms": 30000, "deadline_ms": 300000, "max_memory": 600000000}'
	toy_soak=300 toy "$1" "exec python3 code/plant.py serve $port"
	cp "$BACKSTAY_SRC/tests/system/plant.py" "$W/toy/$1/code/plant.py"
	echo "$2" >"$W/toy/$1/code/manner"
	sed -i 's/"start_timeout_ms": 5000/"start_timeout_ms": 60000/' "$W/toy/$1/release.json"
	toy_publish "$1"
	toy_campaign "$1"
}
none() {
	[ -z "$("$@")" ]
}
pairs_at_least() {
	[ "$(ask one '.shadow.pairs // 0')" -ge "$1" ]
}
remembered() {
	[ "$(sed -n 's/^pairs //p' "$W/dev/one/shadow.txt")" = "$(ask one .shadow.pairs)" ]
}
# refused N CAUSE: it was, for this, and the champion is who it was.
refused() {
	wait_until 200 "toy-$1 to be refused" is one .last.release "toy-$1"
	wait_until 20 "the end of it" is one .state idle
	[ "$(ask one '"\(.last.state) \(.last.code)"')" = "failed shadow_failed" ] || fail "toy-$1 ended as $(ask one .last)"
	ask one .last.reason | grep -q "$2" || fail "toy-$1 was refused for: $(ask one .last.reason)"
	none challenger_of one || fail "a challenger is left behind"
	[ "$(champion_of one)" = "$before" ] || fail "the champion was $before, and is $(champion_of one)"
	runs one 2 || fail "toy-2 does not run"
	on_device one explain --json | jq -e ".saw.dossier.shadow.verdict == \"refused\" and .saw.dossier.shadow.pairs >= 0" >/dev/null ||
		fail "no dossier of toy-$1"
	ask one "[.quarantine[].release] | index(\"toy-$1\")" | grep -qv null || fail "toy-$1 is not remembered"
	[ ! -e "$W/run/one/shadow.sock" ] || fail "the inlet is left behind"
	echo "== refused: $(ask one .last.reason)"
}

port=$(free_ports 1)
service_command=code/bin/run service_health=/ watch_interval=100ms poll_interval=200ms
server_start
device_make one "$port"
device_start one
wait_until 20 "one to register" "$BACKSTAY_BIN/backstay" device show one

# Without a champion there is nothing to be compared with.
challenger 1 good
wait_until 60 "one to run toy-1" runs one 1
wait_until 60 "to-1 to end" campaign_is to-1 done
keep load python3 "$BACKSTAY_SRC/tests/system/plant.py" load "$port" "$W/run/load.txt"

# Who agrees is promoted; a killed agent goes on where it was. While no inputs come, nothing is decided.
before=$(champion_of one)
challenger 2 good 700
wait_until 100 "some pairs" pairs_at_least 20
kill -STOP "$(cat "$W/run/load.pid")"
wait_until 60 "all pairs to be remembered" remembered
pairs=$(ask one .shadow.pairs)
first=$(challenger_of one)
[ "$(challenger_of one | wc -l)" = 1 ] || fail "challengers: $first"
on_device one explain | grep -q 'toy-2 beside toy-1: .* inputs are compared' || fail "explain says nothing: $(on_device one explain)"
kill -KILL "$(cat "$W/run/one.pid")"
wait_until 100 "another challenger to be up" is one .shadow.runs true
[ "$(ask one .shadow.pairs)" = "$pairs" ] || fail "$(ask one .shadow.pairs) pairs are left of $pairs"
[ "$(champion_of one)" = "$before" ] || fail "the champion was $before, and is $(champion_of one)"
[ "$(challenger_of one | wc -l)" = 1 ] && [ "$(challenger_of one)" != "$first" ] || fail "challengers: $(challenger_of one)"
kill -CONT "$(cat "$W/run/load.pid")"
wait_until 300 "one to run toy-2" is one .running.release toy-2
wait_until 300 "to-2 to end" campaign_is to-2 done
none challenger_of one || fail "a challenger is left behind"
grep -q 'toy-2 beside toy-1: promoted' "$W/dev/one/history.log" || fail "the history does not say so"
echo "== promoted: $(sed -n 's/.*toy-2 beside toy-1: //p' "$W/dev/one/history.log")"

before=$(champion_of one)
read -r _ failed wrong <"$W/run/load.txt"
challenger 3 other
refused 3 disagrees
challenger 4 crash
refused 4 crashed
challenger 5 hog
refused 5 'errs\|crashed'
read -r asked failed_now wrong_now <"$W/run/load.txt"
[ "$failed_now $wrong_now" = "$failed $wrong" ] || fail "the champion failed meanwhile: $failed_now times, $wrong_now wrong"
echo "== $asked inputs, none of them failed while challengers were refused"
