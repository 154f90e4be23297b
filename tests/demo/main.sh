#!/bin/sh
# The main job: five releases through ten plate readers: one is better, one wrong, one slow, one wrong on every fifth; and a thief
. "$stories/chaos.sh"

# ---- a thief ---------------------------------------------------------------------------------------------------------
# steal NODE ATTEMPT CODE: whoever has stolen the server answers NODE in its place, with all of its keys; NODE refuses with CODE.
steal() {
	rm -f "$W/run/go" && mkfifo "$W/run/go"
	python3 "$BACKSTAY_SRC/tests/demo/thief.py" --keys "$W/thief/online" --server "$BACKSTAY_SERVER" --device "$1" --release ocr/ocr-2.json \
		--port "${BACKSTAY_SERVER##*:}" --attempt "$2" --go "$W/run/go" >"$W/log/thief.log" 2>&1 &
	thief=$!
	wait_until 20 "the thief to be ready" grep -q '^offers' "$W/log/thief.log"
	let_go server
	: >"$W/run/go"
	wait_until 20 "the thief to answer" grep -q '^answers' "$W/log/thief.log"
	on_device "$1" check >/dev/null
	wait_until 60 "$1 to refuse" is "$1" '.server.code // ""' "$3"
	tell "$(sed -n 's/^offers //p' "$W/log/thief.log"): $1 says $(ask "$1" '"\(.server.code): \(.server.reason)"')"
	kill "$thief" && wait "$thief" 2>/dev/null || true
	server_start
	on_device "$1" check >/dev/null
	wait_until 60 "$1 to hear from its server again" is "$1" '.server.code // ""' "ok"
}

: "${DEVICES:=10}"
fleet_part

chapter "Release 1: the English model"
publish 1
roll_out 1 done
expect_fleet ocr-1
stream_part node-3 node-6
if [ "$CHAOS" = 1 ]; then
	: >"$W/run/chaos"
	chaos &
	tell "CHAOS: from now on something is killed every one to three seconds"
fi

chapter "Release 2: the same model, better served"
pack 2
gate 2 47 >"$W/log/gate-2.log" 2>&1 && fail "a report of 47 ms passed a gate of 45"
grep missing "$W/log/gate-2.log" | indent
propose 2
approve 2 safety >"$W/log/sign-2.log" 2>&1 && fail "a party signed what did not pass"
tell "the bench says 47 ms, the gate wants 45: refused, and no party signs it"
publish 2
roll_out 2 done
expect_fleet ocr-2

chapter "Release 3: the Greek model; it loads, it answers, its letters look the same"
publish 3
roll_out 3 halted
bad=$(recipient 3 '.state == "failed"')
expect_outcome "$bad" ocr-3 "smoke_failed smoke_failed"
[ "$CHAOS" = 1 ] || on_device "$bad" explain | indent
tell "$bad refused it on the golden set, in the inactive slot; no reader ever served with it"
expect_fleet ocr-2

chapter "Release 4: English and Latin together; accurate, and slower by a multiple"
publish 4
roll_out 4 halted
bad=$(recipient 4 '.state == "reverted"')
expect_outcome "$bad" ocr-4 "triggered latency"
[ "$CHAOS" = 1 ] || on_device "$bad" explain | indent
took=$(answered on_device "$bad" history --last 100 | awk '
	function ms(stamp) { split(substr(stamp, 12, 12), t, /[:.]/); return ((t[1] * 60 + t[2]) * 60 + t[3]) * 1000 + t[4] }
	/soaking -> reverting ocr-4/ { fired = ms($1) }
	/restoring -> reverted ocr-4/ { up = ms($1) }
	END { print up - fired }')
tell "$bad took itself back: the old model answered again $took ms after the trigger fired; the campaign aborted"
expect_fleet ocr-2

. "$stories/fifth.sh"

rm -f "$W/run/chaos"
chapter "The server is stolen, with every key that it has"
for n in $(seq "$DEVICES"); do
	wait_until 20 "node-$n to answer" ask "node-$n" .state
	[ "$(ask "node-$n" .last.release)" = ocr-2 ] && victim=node-$n
done
mkdir -p "$W/thief" && cp -r "$W/keys/online" "$W/thief/online"
steal "$victim" new unsigned
steal "$victim" same mixed
expect_fleet ocr-2
tell "the thief can sign as the director; what engineering, safety and compliance did not approve runs nowhere"

chapter "Where the fleet stands"
wait_until 20 "the server to answer" "$BACKSTAY_BIN/backstay" device list
"$BACKSTAY_BIN/backstay" device list | indent
for n in $(seq "$DEVICES"); do
	wait_until 20 "node-$n to answer" ask "node-$n" .state
	echo "node-$n: $(ask "node-$n" '"runs \(.running.release); last: \(.last.release) \(.last.state) \(if .last.cause != "" then "(" + .last.cause + ": " + .last.reason + ")" else "" end)"')"
done
[ "$CHAOS" = 1 ] && tell "killed meanwhile: $(sort "$W/log/chaos.log" | uniq -c | tr -s ' \n' ' ')"
"$BACKSTAY_BIN/backstay" report release ocr-5 --output "$W/ocr-5.json" >/dev/null
"$BACKSTAY_BIN/backstay" report vehicle "$bad" --format html --output "$W/$bad.html" >/dev/null
"$BACKSTAY_BIN/backstay" audit export "$W/audit.jsonl" >/dev/null
tell "records for the authority: of ocr-5, and a page of $bad to print ($W/$bad.html)"
"$BACKSTAY_BIN/backstay" report verify "$W/ocr-5.json" "$W/audit.jsonl" --repo "$W/keys/repo/director" | indent
tell "audit log, $("$BACKSTAY_BIN/backstay" audit verify "$W/audit.jsonl" --repo "$W/keys/repo/director")"
replay_part 1 2 3 4 5
sed '/"row":{"n":7,/s/"who":"./"who":"?/' "$W/audit.jsonl" >"$W/forged.jsonl"
if "$BACKSTAY_BIN/backstay" audit verify "$W/forged.jsonl" --repo "$W/keys/repo/director" 2>"$W/log/forged.log"; then
	fail "a byte of row 7 was altered, and nobody noticed"
fi
grep -q 'row 7 was altered' "$W/log/forged.log" || fail "the altered row is not named: $(cat "$W/log/forged.log")"
tell "one byte of it altered: $(sed 's/^backstay: //' "$W/log/forged.log")"
let_go load
let_go load-small
tail -qn1 "$W/log/load.log" "$W/log/load-small.log" | jq -r '.targets[] | "\(.url): \(.requests) plates, \(.failed) failed, longest gap \(.longest_gap_ms) ms; " + ([.releases | to_entries[] | "\(.key) \(.value.wrong) of \(.value.requests) wrong, p99 \(.value.p99_us / 1000 | round) ms"] | join("; "))' | indent
tell "All that is claimed above was asked of the services themselves. Done."
if [ "$KEEP" = 1 ]; then
	cat <<TXT

Everything is still running. Look around:
  export BACKSTAY_SERVER=$BACKSTAY_SERVER BACKSTAY_TOKEN_FILE=$BACKSTAY_TOKEN_FILE PATH=$BACKSTAY_BIN:\$PATH
  backstay device list
  backstay campaign status to-ocr-4
  backstay device history $bad
  backstay explain --socket $W/run/$bad.sock
  backstay rollback --socket $W/run/node-1.sock --reason 'trying it out'
Stop it with:  make demo-stop
TXT
fi
