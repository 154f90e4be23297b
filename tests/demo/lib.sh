#!/bin/sh
# What the stories of the demo share: telling, checking, releases, campaigns, the fleet. Sourced by demo.sh.

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
campaign_over() {
	"$BACKSTAY_BIN/backstay" campaign status "$1" --json | jq -e '.phase == "done" or .phase == "halted"' >/dev/null
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
	for before in ${published:-}; do
		back="$back --rollback-to ocr-$before"
	done
	# shellcheck disable=SC2086
	propose "$1" $back
	for party in engineering safety compliance; do
		approve "$1" "$party" >>"$W/log/create-$1.log"
	done
	wait_until 20 "ocr-$1 to be published" "$BACKSTAY_BIN/backstay" release publish "$W/packed/$1" --keys "$W/keys"
	published="${published:-} $1"
	tell "ocr-$1 is packed ($(du -sh "$W/packed/$1/artifacts" | cut -f1)), passes its gate, is approved by engineering, safety and compliance on their own machines, and published"
}
# begin_campaign N [POLICY]: to-ocr-N is made and started.
begin_campaign() {
	wait_until 20 "to-ocr-$1 to be made" "$BACKSTAY_BIN/backstay" campaign create "to-ocr-$1" --release "ocr-$1" --policy "${2:-$ocr/policy.json}"
	wait_until 20 "to-ocr-$1 to start" "$BACKSTAY_BIN/backstay" campaign start "to-ocr-$1"
	started=$(date +%s%N)
}
# end_campaign N PHASE: waits for it, and shows where everybody is.
end_campaign() {
	wait_until "${PATIENCE:-240}" "campaign to-ocr-$1 to be $2" campaign_over "to-ocr-$1"
	campaign_is "to-ocr-$1" "$2" || {
		"$BACKSTAY_BIN/backstay" campaign status "to-ocr-$1" >&2
		fail "campaign to-ocr-$1 ended otherwise than $2"
	}
	answered "$BACKSTAY_BIN/backstay" campaign status "to-ocr-$1" | indent
	tell "campaign to-ocr-$1 is $2"
}
# roll_out N PHASE: a campaign to its end.
roll_out() {
	begin_campaign "$1"
	tell "campaign to-ocr-$1 has begun: the first device alone"
	wait_until 60 "somebody to be let in" somebody_has "to-ocr-$1"
	tell "woken through the broker, the first device was let in within $((($(date +%s%N) - started) / 1000000)) ms"
	end_campaign "$1" "$2"
}
somebody_has() {
	"$BACKSTAY_BIN/backstay" campaign status "$1" --json | jq -e '.recipients > .counts.waiting' >/dev/null
}
# replay_part N...: every decision of these campaigns made again from what was recorded.
replay_part() {
	for n; do
		tell "campaign to-ocr-$n decided again: $("$BACKSTAY_BIN/backstay" audit replay "to-ocr-$n")"
	done
}
# narrate N: what the judge knows after each device, until the campaign is over.
narrate() {
	said=
	until answered "$BACKSTAY_BIN/backstay" campaign status "to-ocr-$1" --json >"$W/run/status.json" &&
		jq -e '.phase == "halted" or .phase == "done"' "$W/run/status.json" >/dev/null; do
		tell_judged
		sleep 0.3
	done
	tell_judged
}
tell_judged() {
	knows=$(jq -r '.judge.text // ""' "$W/run/status.json")
	[ "$knows" = "$said" ] || [ -z "$knows" ] || tell "the judge: $knows"
	said=$knows
}
# recipient N JQ-CONDITION: the first recipient of a campaign that fits.
recipient() {
	answered "$BACKSTAY_BIN/backstay" campaign status "to-ocr-$1" --json | jq -r "[.devices[] | select($2)][0].id"
}

end() {
	status=$?
	rm -f "$W/run/chaos"
	[ "$KEEP" = 1 ] && [ "$status" = 0 ] && return
	stop_all >/dev/null 2>&1 || true
	[ "$status" = 0 ] || echo "demo: FAILED; logs are in $W/log" >&2
}

# ---- the fleet ------------------------------------------------------------------------------------------------------
# fleet_part: keys with three parties, a broker, a server, $DEVICES readers with their agents.
fleet_part() {
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
}

# cut_off NODE: its agent and its reader end at once and are not started again, as when its power goes.
cut_off() {
	rm -f "$W/run/$1.keep"
	kill -KILL "$(cat "$W/run/$1.pid")"
	for pid in $(workload_pids); do
		case $(readlink "/proc/$pid/cwd") in "$W/dev/$1/slots/"*) kill -KILL "$pid" ;; esac
	done
}
# targets: the options of ocr-load for these ports.
targets() {
	for p; do
		printf -- '--target http://127.0.0.1:%s ' "$p"
	done
}
# stream_part [NODE...]: plates for every reader; the cameras of these nodes are of an older kind, and their images smaller.
stream_part() {
	small=
	for node; do
		small="$small $(port_of "$node")"
	done
	large=$(for p in $ports; do case " $small " in *" $p "*) ;; *) echo "$p" ;; esac; done)
	# shellcheck disable=SC2046,SC2086
	keep load "$BACKSTAY_BIN/ocr-load" $(targets $large) --rate "$RATE" --plates "$W/plates"
	tell "plates are streaming to every reader, $RATE a second each"
	[ $# -gt 0 ] || return 0
	"$BACKSTAY_BIN/ocr-plates" --out "$W/small" --count 40 --seed 77 --height 40 >>"$W/log/mk-releases.log"
	# shellcheck disable=SC2046,SC2086
	keep load-small "$BACKSTAY_BIN/ocr-load" $(targets $small) --rate "$RATE" --plates "$W/small"
	tell "the cameras of $* are of an older kind: 40 pixels of plate where the others have 56"
}
port_of() {
	sed -n "s|^metrics_url = http://127.0.0.1:\([0-9]*\)/.*|\1|p" "$W/dev/$1.conf"
}
