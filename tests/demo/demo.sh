#!/bin/sh
# The main job on real input: five number-plate readers, four releases, nothing scripted but the orders an operator gives.
# Run by `make demo`; KEEP=1 leaves it running, CHAOS=1 kills server, agents and workloads at random meanwhile.
# Exits 0 only if what the readers answer is what the story claims.
set -eu
: "${BACKSTAY_SRC:?run this with: make demo}" "${BACKSTAY_BIN:?run this with: make demo}"
: "${DEVICES:=5}" "${KEEP:=0}" "${CHAOS:=0}" "${RATE:=4}"
. "$BACKSTAY_SRC/tests/system/lib.sh"

ocr=$BACKSTAY_SRC/manifests/examples/ocr
gate=$BACKSTAY_SRC/manifests/gates/ocr-release.json
service_kind=http_reload service_base=exec service_health=/healthz service_reload=/reload-model service_metrics=/metrics

# ---- telling ----------------------------------------------------------------------------------------------------
began=$(date +%s%N)
last=$began
tell() {
	now=$(date +%s%N)
	printf '%6.1f s  (+%4.1f)  %s\n' "$(((now - began) / 1000000))e-3" "$(((now - last) / 1000000))e-3" "$*"
	last=$now
}
chapter() {
	printf '\n--- %s\n' "$*"
}
indent() {
	sed 's/^/                    | /'
}

# ---- the story's claims, checked at the services themselves ------------------------------------------------------
# answers PORT: what the reader says to the first test plate: "TEXT RELEASE".
answers() {
	curl -fsS --data-binary @"$W/plates/$first_plate" "http://127.0.0.1:$1/infer" | jq -r '"\(.text) \(.release)"'
}
# expect_fleet RELEASE: every reader answers the plate right, and from this release.
expect_fleet() {
	n=0
	for port in $ports; do
		n=$((n + 1))
		wait_until 20 "node-$n to answer '$first_text $1'" reader_says "$port" "$first_text $1"
	done
	tell "asked all $n readers: each reads '$first_text' right, with $1"
}
reader_says() {
	answers "$1"
	[ "$(answers "$1")" = "$2" ]
}
campaign_is() {
	[ "$("$BACKSTAY_BIN/backstay" campaign status "$1" --json | jq -r .phase)" = "$2" ]
}
# answered COMMAND...: what the command prints once it succeeds; whom it asks may have been killed a moment ago.
answered() {
	wait_until 20 "$* to succeed" "$@"
	cat "$W/run/wait.out"
}
# expect_outcome DEVICE RELEASE "CODE CAUSE": the device's own outcome of a release, as the server has it.
expect_outcome() {
	got=$(answered "$BACKSTAY_BIN/backstay" device history "$1" --json |
		jq -r --arg r "$2" '[.reports[] | select(.kind == "outcome" and .target == $r)][0] | "\(.code) \(.cause)"')
	[ "$got" = "$3" ] || fail "$1 ended $2 with '$got', expected '$3'"
}

# gate N P99: builder, lab and counsel state what they know of ocr-N, with P99 ms from the bench; does that pass the gate?
gate() {
	sh "$ocr/evidence/give" "$W/packed/$1" "$W/keys" "$2" "$BACKSTAY_BIN/backstay"
	"$BACKSTAY_BIN/backstay" release gate "$W/packed/$1" --gate "$gate" --keys "$W/keys"
}
pack() {
	"$BACKSTAY_BIN/backstay" release create "$W/releases/release-$1.json" --level 3 --out "$W/packed/$1" >"$W/log/create-$1.log"
}
# propose N [TERMS...]: the creator asks; approve N PARTY: one party, on its own machine, looks and signs.
propose() {
	release=$1
	shift
	"$BACKSTAY_BIN/backstay" release propose "$W/packed/$release" --keys "$W/keys" --hardware edge-x86 --counter "$release" "$@" >>"$W/log/create-$release.log"
}
approve() {
	"$BACKSTAY_BIN/backstay" release approve "$W/packed/$1" --role "$2" --keys "$W/party/$2" --yes
}
# publish N: pack, pass the gate, ask, let each party approve, upload.
publish() {
	[ -d "$W/packed/$1" ] || pack "$1"
	gate "$1" 44.2 >>"$W/log/create-$1.log"
	back=
	[ "$1" -gt 1 ] && back="--rollback-to ocr-$(($1 - 1))"
	[ "$1" -gt 3 ] && back="$back --rollback-to ocr-2"
	# shellcheck disable=SC2086
	propose "$1" $back
	for party in engineering safety compliance; do
		approve "$1" "$party" >>"$W/log/create-$1.log"
	done
	wait_until 20 "ocr-$1 to be published" "$BACKSTAY_BIN/backstay" release publish "$W/packed/$1" --keys "$W/keys"
	tell "ocr-$1 is packed ($(du -sh "$W/packed/$1/artifacts" | cut -f1)), passes its gate, is approved by engineering, safety and compliance on their own machines, and published"
}
# roll_out N PHASE: a campaign to its end.
roll_out() {
	wait_until 20 "to-ocr-$1 to be made" "$BACKSTAY_BIN/backstay" campaign create "to-ocr-$1" --release "ocr-$1" --policy "$ocr/policy.json"
	wait_until 20 "to-ocr-$1 to start" "$BACKSTAY_BIN/backstay" campaign start "to-ocr-$1"
	started=$(date +%s%N)
	tell "campaign to-ocr-$1 has begun: the first device alone"
	wait_until 60 "somebody to be let in" somebody_has "to-ocr-$1"
	tell "woken through the broker, the first device was let in within $((($(date +%s%N) - started) / 1000000)) ms"
	wait_until "${PATIENCE:-240}" "campaign to-ocr-$1 to be $2" campaign_is "to-ocr-$1" "$2"
	answered "$BACKSTAY_BIN/backstay" campaign status "to-ocr-$1" | indent
	tell "campaign to-ocr-$1 is $2"
}
somebody_has() {
	"$BACKSTAY_BIN/backstay" campaign status "$1" --json | jq -e '.recipients > .counts.waiting' >/dev/null
}
# recipient N JQ-CONDITION: the first recipient of a campaign that fits.
recipient() {
	answered "$BACKSTAY_BIN/backstay" campaign status "to-ocr-$1" --json | jq -r "[.devices[] | select($2)][0].id"
}

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

# ---- chaos: whatever is running is killed, as long as the story lasts ----------------------------------------------
# The readers themselves; a smoke test that is killed has failed, and would rightly stop its release.
reader_pids() {
	for pid in $(workload_pids); do
		tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q 'ocr-serve --port ' && echo "$pid"
	done
}
# Two ends within 30 s are a crash loop by the releases' own rule, and would rightly be taken back: a reader that was killed
# is left alone for longer than that.
may_be_killed() {
	owner=$(readlink "/proc/$1/cwd" | sed -n "s|^$W/dev/\([^/]*\)/.*|\1|p")
	[ -n "$owner" ] || return 1
	stamp=$W/run/killed-$owner
	[ -z "$(find "$stamp" -newermt '-40 seconds' 2>/dev/null)" ] && : >"$stamp"
}
chaos() {
	seed=${SEED:-1}
	while [ -e "$W/run/chaos" ]; do
		seed=$(((seed * 1103515245 + 12345) % 2147483648))
		sleep "$((seed / 65536 % 3 + 1))"
		case $((seed / 4096 % 5)) in
		0)
			name=server
			[ $((seed / 131072 % 3)) = 0 ] && name=broker
			pid=$(cat "$W/run/$name.pid")
			;;
		1 | 2) name=node-$((seed / 256 % DEVICES + 1)) && pid=$(cat "$W/run/$name.pid") ;;
		*)
			pids=$(reader_pids)
			[ -n "$pids" ] || continue
			name=workload pid=$(echo "$pids" | awk -v k="$((seed / 256))" '{ p[NR] = $1 } END { print p[k % NR + 1] }')
			may_be_killed "$pid" || continue
			;;
		esac
		kill -KILL "$pid" 2>/dev/null && echo "$name" >>"$W/log/chaos.log"
	done
}

end() {
	status=$?
	rm -f "$W/run/chaos"
	[ "$KEEP" = 1 ] && [ "$status" = 0 ] && return
	stop_all >/dev/null 2>&1 || true
	[ "$status" = 0 ] || echo "demo: FAILED; logs are in $W/log" >&2
}
trap end EXIT
trap 'exit 130' INT TERM

# ---- the fleet ------------------------------------------------------------------------------------------------------
chapter "A fleet of $DEVICES number-plate readers"
sh "$ocr/mk-releases" "$BACKSTAY_BIN" "$W/releases" >"$W/log/mk-releases.log" 2>&1 || fail "mk-releases: see $W/log/mk-releases.log"
"$BACKSTAY_BIN/ocr-plates" --out "$W/plates" --count 40 --seed 77 >>"$W/log/mk-releases.log"
first_plate=$(head -1 "$W/plates/truth.tsv" | cut -f1)
first_text=$(head -1 "$W/plates/truth.tsv" | cut -f2)
"$BACKSTAY_BIN/backstay" keys init "$W/keys" --gate "$gate" >/dev/null
broker_port=$(free_ports 1)
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$broker_port" >"$W/broker.conf"
keep broker mosquitto -c "$W/broker.conf"
server_more="[mqtt]
url = mqtt://127.0.0.1:$broker_port"
device_more=$server_more poll_interval=5s
server_start
parties_part
tell "keys made off-line, each party took its own away; root demands the gate ocr-release; server answers at $BACKSTAY_SERVER"
ports=$(free_ports "$DEVICES")
n=0
for port in $ports; do
	n=$((n + 1))
	service_command="serve/bin/ocr-serve --port $port"
	device_make "node-$n" "$port"
	device_start "node-$n"
done
for n in $(seq "$DEVICES"); do
	wait_until 20 "node-$n to register" "$BACKSTAY_BIN/backstay" device show "node-$n"
done
tell "$DEVICES agents have registered; none has a release yet"

chapter "Release 1: the English model"
publish 1
roll_out 1 done
expect_fleet ocr-1
# shellcheck disable=SC2046
keep load "$BACKSTAY_BIN/ocr-load" $(for p in $ports; do printf -- '--target http://127.0.0.1:%s ' "$p"; done) --rate "$RATE" --plates "$W/plates"
tell "plates are streaming to every reader, $RATE a second each"
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
"$BACKSTAY_BIN/backstay" audit export "$W/audit.jsonl" >/dev/null
tell "audit log, $("$BACKSTAY_BIN/backstay" audit verify "$W/audit.jsonl" --repo "$W/keys/repo/director")"
for n in 1 2 3 4; do
	tell "campaign to-ocr-$n decided again: $("$BACKSTAY_BIN/backstay" audit replay "to-ocr-$n")"
done
sed '/"row":{"n":7,/s/"who":"./"who":"?/' "$W/audit.jsonl" >"$W/forged.jsonl"
if "$BACKSTAY_BIN/backstay" audit verify "$W/forged.jsonl" --repo "$W/keys/repo/director" 2>"$W/log/forged.log"; then
	fail "a byte of row 7 was altered, and nobody noticed"
fi
grep -q 'row 7 was altered' "$W/log/forged.log" || fail "the altered row is not named: $(cat "$W/log/forged.log")"
tell "one byte of it altered: $(sed 's/^backstay: //' "$W/log/forged.log")"
let_go load
tail -1 "$W/log/load.log" | indent
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
