# The private keys are with a signer of its own. Who has the server has not the keys: speaking to the signer's socket as the
# server does, it gets no signature that the approvers, the counters and the budgets do not allow.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
service_command=code/bin/run watch_interval=100ms poll_interval=200ms
sock=$W/run/signer.sock
attack() {
	python3 "$BACKSTAY_SRC/tests/system/ask_signer.py" "$sock" "$@"
}
# expect NAME ERROR: an attack is refused for this reason.
expect() {
	got=$(attack "$1")
	case $got in "$1 $2"*) echo "$got" ;; *) fail "wanted '$1 $2', got '$got'" ;; esac
}

"$BACKSTAY_BIN/backstay" keys init "$W/keys" >/dev/null
"$BACKSTAY_BIN/backstay" keys init "$W/foreign" >/dev/null
mv "$W/keys/online" "$W/hidden"
cat >"$W/signer.conf" <<CONF
[signer]
socket = $sock
data = $W/signer
[trust]
repo = $W/keys/repo
keys = $W/hidden
[budget]
device_burst = 20
device_per_hour = 1
CONF
mkdir -p "$W/server.conf.d"
printf '[signer]\nsocket = %s\n' "$sock" >"$W/server.conf.d/signer.conf"

"$BACKSTAY_BIN/backstay-signer" --help >help.txt
grep -q verify-log help.txt || fail "the help does not teach"
"$BACKSTAY_BIN/backstay-signer" --config "$W/signer.conf" --dump-config >dumped.conf
"$BACKSTAY_BIN/backstay-signer" --config dumped.conf --dump-config >again.conf
[ "$(grep -v '^#' again.conf)" = "$(grep -v '^#' dumped.conf)" ] || fail "a dump is not read back"
grep -qx '# (dumped.conf:[0-9]*)' again.conf || fail "a dump does not say where its values come from"

keep signer "$BACKSTAY_BIN/backstay-signer" --config "$W/signer.conf"
wait_until 10 "the signer to listen" test -S "$sock"
server_start
for d in one two; do
	device_make "$d" 0
	device_start "$d"
done
for d in one two; do
	wait_until 20 "$d to register" "$BACKSTAY_BIN/backstay" device show "$d"
done
toy_back=
for n in 1 2; do
	toy "$n"
	toy_publish "$n"
	sha256sum "$W/packed/$n/toy-$n.json" | cut -d' ' -f1 >"digest-$n"
	[ "$n" = 1 ] || continue
	toy_campaign 1
	wait_until 60 "toy-1 everywhere" campaign_is to-1 done
done
toy_campaign 2
wait_until 60 "toy-2 everywhere" campaign_is to-2 done
runs one 2 && runs two 2 || fail "toy-2 does not run on both"
echo "== a server without a key brings releases to both devices"

before=$("$BACKSTAY_BIN/backstay-signer" --verify-log "$W/signer/signer.log")
expect unknown_release unsigned
expect other_document altered
expect version_of_another_device mixed
expect life_of_a_year denied
expect foreign_snapshot unsigned
expect foreign_role 'signed 0' # an older file than was shown before makes nothing new
expect bytes bad_input
expect no_json bad_input
expect device_that_is_a_path bad_input
expect long_frame hung
echo "== a server that was taken over gets no signature over an unknown release, another device's version, a foreign snapshot"
# toy-2 pre-authorises toy-1, and that is a rollback; as an installation it is refused
expect lower_counter rolled_back
echo "== nor over a lower counter"
expect over_budget busy
[ "$(grep -c '"device":"ghost"' "$W/signer/signer.log")" -le 64 ] || fail "more was signed for one device than its budget"
echo "== nor over more than the budget of a device"
if [ "$(id -u)" = 0 ]; then
	chmod 711 "$W/.." "$W" "$W/run"
	got=$(attack --as-nobody look)
	[ "$got" = "look hung up" ] || fail "another user is answered: $got"
	echo "== another user is hung up on"
fi

# One who is killed at any time has lost nothing.
for k in signer server signer; do
	kill -9 "$(cat "$W/run/$k.pid")"
	wait_until 20 "the signer to be back" sh -c "python3 '$BACKSTAY_SRC/tests/system/ask_signer.py' '$sock' look | grep -q signed"
done
wait_until 20 "the server to be back" curl -fs "$BACKSTAY_SERVER/healthz"
toy 3
toy_back='toy-2'
toy_publish 3
toy_campaign 3
wait_until 60 "toy-3 everywhere" campaign_is to-3 done
runs one 3 && runs two 3 || fail "toy-3 does not run on both"
echo "== signer and server were killed, and the next release reaches both devices"

# Nobody there: the server says so, and when to ask again.
let_go signer
status() {
	curl -s -o /dev/null -D headers.txt -w '%{http_code}' "$@"
}
registered=$(status -X POST -d "@$BACKSTAY_SRC/manifests/vectors/good/report.hello.json" "$BACKSTAY_SERVER/v1/devices/three/reports")
[ "$registered" = 200 ] || fail "a device cannot register: $registered"
got=$(status "$BACKSTAY_SERVER/director/three/timestamp.json")
[ "$got" = 503 ] || fail "without a signer the answer is $got"
grep -qi '^retry-after:' headers.txt || fail "nobody says when to ask again"
echo "== without a signer the answer is 503, with Retry-After"
keep signer "$BACKSTAY_BIN/backstay-signer" --config "$W/signer.conf"
wait_until 20 "the new device's files" curl -fs -o /dev/null "$BACKSTAY_SERVER/director/three/timestamp.json"

let_go server
let_go signer
"$BACKSTAY_BIN/backstay-signer" --verify-log "$W/signer/signer.log" >verified.txt || fail "the log does not verify"
[ "$(sed -n 's/ lines.*//p' verified.txt)" = "$(wc -l <"$W/signer/signer.log")" ] || fail "lines were left out"
[ "$(cat verified.txt)" != "$before" ] || fail "the log did not grow"
python3 - "$W/signer/signer.log" <<'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[len(b) // 2] ^= 1
open("flipped.log", "wb").write(b)
PY
status=0
"$BACKSTAY_BIN/backstay-signer" --verify-log flipped.log >/dev/null 2>flipped.txt || status=$?
[ "$status" = 65 ] || fail "a flipped bit: exit status $status"
line=$(($(head -c "$(($(stat -c %s flipped.log) / 2))" flipped.log | wc -l) + 1))
grep -q "line $line:" flipped.txt || { cat flipped.txt; fail "line $line is not named"; }
echo "== the log verifies, and a flipped bit is found in its line"
