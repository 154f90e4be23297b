# Polls per second of the server for devices that have nothing to do: each asks for its timestamp.json with the ETag it has
# and gets 304. Beside it, in the same run and by the same client, what the server answers without looking into its store.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
. "$BACKSTAY_SRC/tests/bench/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
: "${ROUNDS:=5}" "${CLIENTS:=64}" "${SPAN:=3}"

service_kind=none
server_more="[limits]
peer_rate = 0
device_rate = 0"
server_start
device_make one 0
device_start one
wait_until 20 "the device to register" "$BACKSTAY_BIN/backstay" device show one
timestamp=$BACKSTAY_SERVER/director/one/timestamp.json
wait_until 10 "its desired state" curl -fs "$timestamp"
let_go one
etag=$(curl -fsi "$timestamp" | tr -d '\r' | awk 'tolower($1) == "etag:" { print $2 }')
[ -n "$etag" ] || fail "no ETag"
[ "$(curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $etag" "$timestamp")" = 304 ] || fail "no 304"

rate() {
	wrk -t1 -c"$CLIENTS" -d"${SPAN}s" "$@" | awk '/^Requests\/sec/ { print $2 }'
}
rate -H "If-None-Match: $etag" "$timestamp" >/dev/null
idle= full= none=
for _ in $(seq "$ROUNDS"); do
	idle="$idle $(rate -H "If-None-Match: $etag" "$timestamp")"
	full="$full $(rate "$timestamp")"
	none="$none $(rate "$BACKSTAY_SERVER/nothing-of-the-kind")"
done
head_rows "Server: polls of a device with nothing to do; $CLIENTS keep-alive connections, $ROUNDS rounds of $SPAN s, one server thread"
# shellcheck disable=SC2086
{
	row "poll, nothing new (304)" "requests/s" $idle
	row "poll, whole timestamp.json (200)" "requests/s" $full
	row "no such path (404): HTTP alone" "requests/s" $none
}
row "server, resident" "KiB" "$(awk '/^VmRSS/ { print $2 }' "/proc/$(cat "$W/run/server.pid")/status")"
