# A release reaches two devices, the next one too; a bad one takes itself back and the campaign aborts.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
service_command=code/bin/run watch_interval=100ms poll_interval=200ms

server_start
for d in one two; do
	device_make "$d" 0
	device_start "$d"
done
for d in one two; do
	wait_until 20 "$d to register" "$BACKSTAY_BIN/backstay" device show "$d"
done

toy 1
toy_publish 1
toy_campaign 1
wait_until 60 "toy-1 everywhere" campaign_is to-1 done
runs one 1 && runs two 1 || fail "toy-1 does not run on both"
echo "== a first release runs on both devices"

toy 2
toy_publish 2
toy_campaign 2
wait_until 60 "toy-2 everywhere" campaign_is to-2 done
runs one 2 && runs two 2 || fail "toy-2 does not run on both"
[ "$(ask one '[.slots[] | select(.active)][0].release')" = toy-2 ] || fail "the active slot is not toy-2's"
[ "$(stat -c %h "$W/dev/one/current/data/shared")" -ge 1 ] || fail "no shared component"
echo "== an update switches slots and takes the unchanged component over"

toy 3 'exit 3'
toy_publish 3
toy_campaign 3
wait_until 60 "the campaign to abort" campaign_is to-3 halted
wait_until 20 "toy-2 to run everywhere" sh -c ". '$BACKSTAY_SRC/tests/system/lib.sh'; runs one 2 && runs two 2"
bad=$("$BACKSTAY_BIN/backstay" campaign status to-3 --json | jq -r '[.devices[] | select(.state == "reverted" or .state == "failed" or .state == "back")][0].id')
on_device "$bad" explain | tee explain.txt
grep -q start_failed explain.txt || fail "explain does not say why"
ask "$bad" .quarantine | grep -q toy-3 || fail "toy-3 is not in quarantine"
"$BACKSTAY_BIN/backstay" device history "$bad" --json | jq -e '[.reports[] | select(.kind == "outcome" and .cause == "start_failed")][0].dossier' >/dev/null ||
	fail "the server has no dossier"
echo "== a release that ends at once is taken back by the device, quarantined, and stops its campaign"

toy_smoke='exit 7'
toy 4
toy_publish 4
toy_campaign 4
wait_until 60 "the campaign to abort" campaign_is to-4 halted
runs one 2 && runs two 2 || fail "toy-2 does not run any more"
echo "== a release that fails its smoke test is never started"

"$BACKSTAY_BIN/backstay" audit list --last 200 | grep -q 'to-3' || fail "the audit log does not tell of to-3"
