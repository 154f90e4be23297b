# What a scrape costs the server, by how many devices it knows: both pages count rows. make bench-metrics N=10000
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
: "${N:=10000}" "${TIMES:=51}"
trap 'stop_all >/dev/null 2>&1' EXIT
trap 'exit 1' INT TERM

# Rows as registration leaves them, in a store that nobody has open.
devices_put() {
	sqlite3 "$W/server/store.db" "
WITH RECURSIVE c (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < $N - 1)
INSERT INTO devices (id, hardware, labels, agent, running, running_digest, slot, state, target, done, total, code, cause, text,
	epoch, seq, registered_ms, reported_ms, desired_order, desired_campaign, director_version, ordered_back, position)
SELECT printf('dev-%05d', i), 'edge-x86', 'line=l' || (i % 10), '0.1.0', 'toy-' || (i % 3), randomblob(32), 'a',
	CASE i % 4 WHEN 0 THEN 'soaking' ELSE 'idle' END, '', 0, 0, 'ok', '', '', 1, 9, 1, 1, 'nothing', '', 1, 0, 0 FROM c;
INSERT INTO presence (device, online, at_ms) SELECT id, 1, 1 FROM devices;"
}

# scraped PATH: median and longest time of an answer, in milliseconds.
scraped() {
	for _ in $(seq "$TIMES"); do
		curl -fs -o "$W/page" -w '%{time_total}\n' -H "Authorization: Bearer $(cat "$BACKSTAY_TOKEN_FILE")" "$BACKSTAY_SERVER$1"
	done | sort -n | awk -v path="$1" -v n="$N" '{ t[NR] = 1000 * $1 }
		END { printf "== %s with %d devices: median %.2f ms, longest %.2f ms of %d\n", path, n, t[int((NR + 1) / 2)], t[NR], NR }'
}

server_start
let_go server
devices_put
keep server "$BACKSTAY_BIN/backstay-server" --config "$W/server.conf"
wait_until 20 "the server to answer" curl -fs "$BACKSTAY_SERVER/healthz"
scraped /v1/metrics
[ "$(awk '/^backstay_devices_by_state/ { n += $2 } END { print n + 0 }' "$W/page")" = "$N" ] || fail "the page does not count $N devices"
scraped /metrics
