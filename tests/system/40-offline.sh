# The server goes away in the middle of a soak: the device decides alone, and tells what it saw when the server is back.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
service_command=code/bin/run watch_interval=100ms poll_interval=200ms

server_start
device_make one 0
device_start one
wait_until 20 "the device to register" "$BACKSTAY_BIN/backstay" device show one
toy 1
toy_publish 1
toy_campaign 1
wait_until 60 "toy-1" campaign_is to-1 done

# toy-2 runs until it is told to end, so that it is sure to be in its soak when the server is gone.
toy_soak=600000
toy 2 "while [ ! -e '$W/end-now' ]; do sleep 0.1; done; exit 1"
toy_publish 2
toy_campaign 2
wait_until 60 "the soak to begin" is one .state soaking
on_device one explain | tee explain-soak.txt
grep -q crash_loop explain-soak.txt || fail "explain in the soak does not name what is watched"
let_go server
: >"$W/end-now"
wait_until 60 "the device to go back" is one .state idle
runs one 1 || fail "toy-1 does not run again"
echo "== without a server, the device takes the bad release back"

server_start
wait_until 60 "the outcome to arrive" sh -c "'$BACKSTAY_BIN/backstay' device history one --json | jq -e '[.reports[] | select(.kind == \"outcome\" and .cause == \"crash_loop\")][0].dossier'"
wait_until 60 "the campaign to abort" campaign_is to-2 halted
echo "== when the server is back it is told, with the dossier, and aborts"

# A person at the device.
toy_soak=1500
rm "$W/end-now"
toy 3
toy_publish 3
toy_campaign 3
wait_until 60 "toy-3" campaign_is to-3 done
on_device one rollback --reason "the display is dark"
wait_until 60 "toy-1 to run again" runs one 1
echo "== a person at the device can go back after the commit"

on_device one history | tail -5
status=0
on_device one clear nothing-of-the-kind 2>err.txt || status=$?
[ "$status" = 66 ] || fail "clear of an unknown release exits with $status, not 66"
