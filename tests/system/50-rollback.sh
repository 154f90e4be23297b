# A person rolls a finished campaign back: every device returns to what it ran before. Then one release goes bad on the
# second device: the first, which had accepted it, is ordered back. The server is killed on the way, more than once.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
service_command=code/bin/run watch_interval=100ms poll_interval=200ms

kill_server() {
	old=$(cat "$W/run/server.pid")
	kill -KILL "$old"
	wait_until 20 "another server" sh -c "[ \"\$(cat '$W/run/server.pid')\" != $old ] && curl -fs $BACKSTAY_SERVER/healthz"
}
all_run() {
	for dev in one two three; do runs $dev "$1" || return 1; done
}

server_start
for d in one two three; do
	device_make "$d" 0
	device_start "$d"
done
for d in one two three; do
	wait_until 20 "$d to register" "$BACKSTAY_BIN/backstay" device show "$d"
done
for r in 1 2; do
	toy $r
	toy_publish $r
	toy_campaign $r
	kill_server
	wait_until 90 "toy-$r everywhere" campaign_is to-$r done
done
wait_until 20 "toy-2 to run everywhere" all_run 2
echo "== two releases went through a fleet whose server was killed"

"$BACKSTAY_BIN/backstay" campaign rollback to-2 --reason "it drifts in the cold" --json >rollback.json
kill_server
wait_until 90 "everybody to be back" campaign_is to-2 halted
wait_until 20 "toy-1 to run everywhere" all_run 1
[ "$("$BACKSTAY_BIN/backstay" campaign status to-2 --json | jq .counts.back)" = 3 ] || fail "not all three are back"
"$BACKSTAY_BIN/backstay" audit list | grep -q "it drifts in the cold" || fail "the reason is not in the audit log"
echo "== a person's order brought all three back, though the server was killed after taking it"

# A release that does not allow the way back to what runs is not begun with.
toy 3
toy_back=toy-2
toy_publish 3
toy_back=
toy_campaign 3 2>refused.txt && fail "a campaign without a way back was started"
grep -q 'does not pre-authorise toy-1' refused.txt || fail "the refusal does not say why: $(cat refused.txt)"
echo "== a release that does not allow the way back is not rolled out"

# The device that starts it first owns it; on any other it ends at once.
toy 4 "me=\$(pwd -P | sed 's|/slots/.*||'); [ -e $W/owner ] || echo \$me >$W/owner; [ \"\$(cat $W/owner)\" = \"\$me\" ] || exit 3; exec sleep 1000000"
toy_publish 4
toy_campaign 4
wait_until 90 "the campaign to be rolled back" campaign_is to-4 halted
wait_until 20 "toy-1 to run everywhere" all_run 1
"$BACKSTAY_BIN/backstay" campaign status to-4 --json | jq -e '.counts.back >= 1 and .counts.reverted >= 1' >/dev/null ||
	fail "the one that had accepted it was not ordered back"
echo "== what is bad on the second device is taken back from the first"

for d in one two three; do
	"$BACKSTAY_BIN/backstay" device history $d --last 1000 --json |
		jq -e '[.reports[] | "\(.epoch) \(.seq)"] | length == (unique | length)' >/dev/null || fail "a report of $d was counted twice"
	"$BACKSTAY_BIN/backstay" device show $d --json | jq -e '.desired.path == "toy/toy-1.json" and .running == "toy-1"' >/dev/null ||
		fail "$d is not told what it runs"
done
echo "== what the devices are told is what they run, and no report was counted twice"
