# Updates that are carried to devices: written by the operator, read without a server, by an agent that runs and by one
# that does not; and what a medium can do wrong.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
service_command=code/bin/run watch_interval=100ms poll_interval=500ms

# from NAME DIR: as a person at the device does it; the exit status is the answer.
from() {
	status=0
	"$BACKSTAY_BIN/backstay-agent" --config "$W/dev/$1.conf" --from "$2" >"$W/from.txt" 2>&1 || status=$?
}

# refused NAME DIR STATUS TEXT: it was, and what stands in the slots and is active is the same as before.
refused() {
	(cd "$W/dev/$1" && find slots current confirmed trust/director/*.json trust/image/*.json | sort | xargs ls -ld --time-style=full-iso) >"$W/before.txt"
	from "$1" "$2"
	[ "$status" = "$3" ] || { cat "$W/from.txt"; fail "$4: exit status $status, not $3"; }
	grep -q "$4" "$W/from.txt" || { cat "$W/from.txt"; fail "it does not say: $4"; }
	(cd "$W/dev/$1" && find slots current confirmed trust/director/*.json trust/image/*.json | sort | xargs ls -ld --time-style=full-iso) >"$W/after.txt"
	cmp -s "$W/before.txt" "$W/after.txt" || { diff "$W/before.txt" "$W/after.txt"; fail "$4: something has changed"; }
}

server_start
device_make one 0
device_start one
wait_until 20 "the device to register" "$BACKSTAY_BIN/backstay" device show one
let_go one
toy 1
toy_publish 1
toy_campaign 1
code=0
"$BACKSTAY_BIN/backstay" device export one "$W/never" --days 91 2>"$W/long.txt" || code=$?
[ "$code" = 77 ] || fail "an export for 91 days exits with $code, not 77"
grep -q 'at most 2160 h are signed for (\[trust\] offline_expiry' "$W/long.txt" || fail "it does not say who decides: $(cat "$W/long.txt")"
code=0
"$BACKSTAY_BIN/backstay" device export one "$W/never" --days 367 2>"$W/long.txt" || code=$?
[ "$code" = 64 ] || fail "an export for 367 days exits with $code, not 64"
[ -z "$(ls "$W/never" 2>/dev/null)" ] || fail "it wrote something"
echo "== longer than the signer allows is refused, and the setting named"
"$BACKSTAY_BIN/backstay" device export one "$W/usb" --days 7
let_go server
from one "$W/usb"
[ "$status" = 0 ] || { cat "$W/from.txt"; fail "--from exits with $status"; }
runs one 1 || fail "toy-1 does not run"
echo "== without agent and server, a folder is installed to the end"

from one "$W/usb"
[ "$status" = 0 ] || { cat "$W/from.txt"; fail "the second time it exits with $status"; }
echo "== the same folder again is no harm"

server_start
device_start one
wait_until 30 "the server to hear of it" sh -c "'$BACKSTAY_BIN/backstay' device show one | grep -q 'running  *toy-1'"
wait_until 30 "the server's answer" is one .server.fails 0
wait_until 30 "the campaign to end" campaign_is to-1 done
echo "== what the server signs afterwards is newer than what was carried"

let_go one
toy 2
toy_publish 2
toy_campaign 2
"$BACKSTAY_BIN/backstay" device export one "$W/usb2"
sed -i "s,^url = .*,url = http://127.0.0.1:1," "$W/dev/one.conf"
device_start one
wait_until 10 "the agent" on_device one status

# What a medium can do wrong.
cp -r "$W/usb2" "$W/bad"
big=$(ls -S "$W/bad/artifacts" | head -1)
printf 'x' | dd of="$W/bad/artifacts/$big" bs=1 seek=30 conv=notrunc 2>/dev/null
mkdir -p "$W/served/director/one"
curl -fs "$BACKSTAY_SERVER/director/one/timestamp.json" >"$W/served/director/one/timestamp.json"
s=$(jq -r '.signed.meta["snapshot.json"].version' "$W/served/director/one/timestamp.json")
curl -fs "$BACKSTAY_SERVER/director/one/$s.snapshot.json" >"$W/served/director/one/$s.snapshot.json"
t=$(jq -r '.signed.meta["targets.json"].version' "$W/served/director/one/$s.snapshot.json")
curl -fs "$BACKSTAY_SERVER/director/one/$t.targets.json" >"$W/served/director/one/$t.targets.json"
cp -r "$W/usb2/image" "$W/usb2/artifacts" "$W/served/"
refused one "$W/served" 77 "made to be served, not carried"
mkdir "$W/empty"
refused one "$W/empty" 66 "timestamp.json"
refused one "$W/usb" 65 "is trusted already"
device_make two 0
mkdir -p "$W/other/director"
cp -r "$W/usb2/director/one" "$W/other/director/two"
cp -r "$W/usb2/image" "$W/usb2/artifacts" "$W/other/"
from two "$W/other"
[ "$status" = 65 ] && grep -q "made for device one" "$W/from.txt" || { cat "$W/from.txt"; fail "another device's folder"; }
echo "== served files, an empty folder, an older one and another device's are refused, and nothing changes"

# The metadata is good, the artifact is not: the update fails before anything of it is taken apart.
from one "$W/bad"
[ "$status" = 65 ] || { cat "$W/from.txt"; fail "a changed artifact: exit status $status, not 65"; }
grep -q "not what was signed" "$W/from.txt" || { cat "$W/from.txt"; fail "a changed artifact is not named"; }
runs one 1 || fail "toy-1 no longer runs"
echo "== a changed artifact is refused, and the old release goes on"

"$BACKSTAY_BIN/backstay" device export one "$W/usb2"
from one "$W/usb2"
[ "$status" = 0 ] || { cat "$W/from.txt"; fail "handed over to the running agent: $status"; }
runs one 2 || fail "toy-2 does not run"
on_device one status --json | jq -e '.carried.over and .carried.release == "toy-2"' >/dev/null || fail "status does not tell of the folder"
echo "== a running agent is handed the folder, and the next good one works"
