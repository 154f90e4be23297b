#!/bin/sh
# An agent is lost in the middle of a trial, and nobody can start it again: `backstay-agent --rescue`, which a timer of the
# service manager runs, brings the old version back without it. Once it hangs, once it is dead. An agent that does its
# work is left alone.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
agent=
end() {
	[ -z "$agent" ] || kill -KILL "$agent" 2>/dev/null || true
	stop_all >/dev/null 2>&1
}
trap end EXIT
trap 'exit 1' INT TERM
service_command=code/bin/run watch_interval=100ms poll_interval=200ms

# The device's agent is a program of its own, so that it can be taken away.
start_agent() {
	mkdir -p "$W/bin"
	cp "$BACKSTAY_BIN/backstay-agent" "$W/bin/"
	"$W/bin/backstay-agent" --config "$W/dev/one.conf" >>"$W/log/one.log" 2>&1 &
	agent=$!
}
rescue() { "$BACKSTAY_BIN/backstay-agent" --config "$W/dev/one.conf" --rescue >>"$W/log/rescue.log" 2>&1; }
rescued() {
	rescue && runs one 1
}

server_start
device_more="[agent]
lost = 6s"
device_make one 0
exits 0 rescue
start_agent
wait_until 20 "one to register" "$BACKSTAY_BIN/backstay" device show one
toy 1
toy_publish 1
toy_campaign 1
wait_until 60 "to-1 to end" campaign_is to-1 done
exits 0 rescue
runs one 1 || fail "a device at rest was rescued"

n=2
for sig in STOP KILL; do
	toy_soak=600000
	toy $n
	toy_back=toy-1 toy_publish $n
	toy_back=
	toy_campaign $n
	wait_until 60 "one to soak toy-$n" is one .state soaking
	runs one $n || fail "toy-$n does not run"
	# It renews its promise for as long as it lives.
	before=$(cut -d' ' -f4 "$W/run/one/promise")
	renewed() { [ "$(cut -d' ' -f4 "$W/run/one/promise")" -gt $((before + 3000)) ]; }
	wait_until 20 "the promise to be renewed" renewed
	exits 0 rescue
	runs one $n || fail "a trial that goes well was taken back"

	rm "$W/bin/backstay-agent"
	kill -$sig "$agent"
	# As after a restart of the machine, at which no agent came up: then there is no note.
	[ $sig = STOP ] || rm "$W/run/one/promise"
	wait_until 30 "the old version to serve again" rescued
	[ $sig = KILL ] || ! kill -0 "$agent" 2>/dev/null || [ "$(cut -d' ' -f3 "/proc/$agent/stat")" = Z ] || fail "the hung agent still lives"
	wait "$agent" 2>/dev/null || true
	agent=
	[ ! -e "$W/run/one/promise" ] || fail "the promise is still there"
	[ "$(readlink "$W/dev/one/confirmed")" = "$(readlink "$W/dev/one/current")" ] || fail "the boot links are not both the old one's"
	exits 0 rescue
	runs one 1 || fail "a rescue too many changed something"

	# The next agent finds it done, and tells the server.
	start_agent
	wait_until 20 "the agent to answer" is one .state idle
	[ "$(ask one '"\(.last.state) \(.last.code) \(.last.cause)"')" = "reverted triggered undecided" ] ||
		fail "the outcome is $(ask one .last)"
	[ "$(ask one ".quarantine[] | select(.release == \"toy-$n\") | .release")" = "toy-$n" ] || fail "toy-$n is not in quarantine"
	told() { "$BACKSTAY_BIN/backstay" device history one --last 100 --json | jq -e ".reports[] | select(.target == \"toy-$n\" and .cause == \"undecided\")"; }
	wait_until 20 "the server to know" told
	echo "== SIG$sig in the soak, and its program gone: toy-1 serves again, and the server knows why"
	n=$((n + 1))
done
