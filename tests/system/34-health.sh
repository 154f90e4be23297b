# Checks of the machine's owner decide what the release's own triggers do not see: real programs in required.d and wanted.d.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
service_command=code/bin/run watch_interval=100ms poll_interval=200ms
mkdir -p health/required.d health/wanted.d vendor/required.d
device_more="[health]
dirs = $W/vendor:$W/health
interval = 200ms
retry = 100ms"

check() { # check PATH SCRIPT
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod 755 "$1"
}
check health/required.d/10-version 'echo "sees $BACKSTAY_RELEASE"; ! grep -qx toy-2 "$BACKSTAY_SLOT_DIR/code/version"'
check health/wanted.d/50-spare 'echo no spare disk; exit 1'
check vendor/required.d/20-board 'exit 1'
ln -s /dev/null health/required.d/20-board

server_start
device_make one 0
device_start one
wait_until 20 "the device to register" "$BACKSTAY_BIN/backstay" device show one
toy 1
toy_publish 1
toy_campaign 1
wait_until 60 "toy-1 to be accepted" campaign_is to-1 done
runs one 1 || fail "toy-1 does not run"
on_device one history >history.txt
grep -q 'wanted check wanted.d/50-spare failed (exit 1: no spare disk)' history.txt || fail "the history does not warn"
"$BACKSTAY_BIN/backstay" device history one --json | jq -e '[.reports[] | select(.text == "wanted.d/50-spare: exit 1: no spare disk")] | length > 0' >/dev/null ||
	fail "the server was not warned"
echo "== a release that passes what is required stays; what is only wanted is a warning; a link to /dev/null masks the vendor's"

toy 2
toy_publish 2
toy_campaign 2
wait_until 60 "the campaign to abort" campaign_is to-2 halted
wait_until 20 "toy-1 to run again" runs one 1
on_device one explain >explain.txt
grep -q 'required.d/10-version failed 3 times: exit 1: sees toy-2' explain.txt || { cat explain.txt; fail "explain does not say why"; }
"$BACKSTAY_BIN/backstay" device history one --json | jq -e '[.reports[] | select(.kind == "outcome" and .cause == "health_failed")][0].dossier.health.checks[] |
	select(.name == "required.d/10-version").output == "sees toy-2\n"' >/dev/null || fail "the server's dossier has not what the check said"
ask one .quarantine | grep -q toy-2 || fail "toy-2 is not in quarantine"
echo "== one that a required check refuses is taken back, with what the check said in the dossier"
