#!/bin/sh
# The audit log of a real server, as an auditor gets it: exported, verified offline, tampered with in every way, and found out.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
service_command=code/bin/run watch_interval=100ms poll_interval=200ms

server_start
device_make one 0
device_start one
wait_until 20 "one to register" "$backstay" device show one
toy 1
toy_publish 1
toy_campaign 1
wait_until 60 "toy-1 to be everywhere" campaign_is to-1 done

# verify WANTED-EXIT FILE PIECE: the exit status, and what is said.
verify() {
	got=0
	"$backstay" audit verify "$2" --repo "$W/keys/repo/director" >out.txt 2>&1 || got=$?
	[ "$got" = "$1" ] || { cat out.txt; fail "verify exits with $got, expected $1"; }
	grep -q "$3" out.txt || { cat out.txt; fail "verify does not say '$3'"; }
}

"$backstay" audit export log.jsonl >/dev/null
rows=$(grep -c '"row"' log.jsonl)
[ "$rows" -gt 8 ] || fail "only $rows rows"
verify 0 log.jsonl "$rows rows, none altered, missing or moved"
"$backstay" audit show 3 | grep -q '^chain  *[0-9a-f]\{64\}$' || fail "show does not tell the chain"
[ "$("$backstay" audit show 3 --json | jq -r .chain)" = "$(grep '"row":{"n":3,' log.jsonl | jq -r .chain)" ] || fail "show and export differ"
echo "== $rows decisions exported, and verified with nothing but the roots"

# ---- records: for one who must show how updates were done ----
cp log.jsonl before.jsonl
"$backstay" report vehicle one --output one.json
"$backstay" report release toy-1 --output toy-1.json
"$backstay" audit export log.jsonl >/dev/null
rows=$(grep -c '"row"' log.jsonl)
/usr/bin/python3 "$BACKSTAY_SRC/tests/system/check_schema.py" "$BACKSTAY_SRC/manifests/schema/vehicle-record.json" one.json || fail "not what the schema says"
/usr/bin/python3 "$BACKSTAY_SRC/tests/system/check_schema.py" "$BACKSTAY_SRC/manifests/schema/release-record.json" toy-1.json || fail "not what the schema says"
jq -e '.record | .kind == "vehicle" and .vehicle.id == "one" and (.updates | length) == 1
	and (.updates[0] | .compatibility == "compatible" and .before.configuration.release == null and .after.configuration.release == "toy-1"
	and .outcome.state == "committed" and (.execution | length) > 2 and .orders[0].order == "start")
	and ([.configurations[].release] | index("toy-1")) and .software[0].components[0].artifact' one.json >/dev/null || { jq . one.json; fail "the vehicle's record lacks something"; }
jq -e '.record | .software.release == "toy-1" and (.signatures | length) >= 3 and .campaigns[0].recipients[0].state == "committed"
	and ([.requirements[] | select(.paragraph == "7.1.2.3" and .state == "missing")] | length) == 1 and .decisions[0].what == "publish"' toy-1.json >/dev/null ||
	{ jq . toy-1.json; fail "the release's record lacks something"; }
jq -e '.anchor.checkpoint.signed.n == .anchor.row and .anchor.checkpoint.signed.chain == .anchor.chain' one.json >/dev/null || fail "no signed checkpoint covers the record"
for r in one toy-1; do
	exits 0 "$backstay" report verify $r.json log.jsonl --repo "$W/keys/repo/director"
	exits 65 "$backstay" report verify $r.json before.jsonl --repo "$W/keys/repo/director"
	sed 's/committed/reverted/' $r.json >bad.json
	exits 65 "$backstay" report verify bad.json log.jsonl --repo "$W/keys/repo/director"
	grep -q 'the record was altered' err.txt || { cat err.txt; fail "an altered record is not called that"; }
done
"$backstay" report vehicle one --format html --output one.html
"$backstay" report release toy-1 --format html --output toy-1.html
python3 "$BACKSTAY_SRC/tests/system/read_page.py" one.html "Update record of vehicle one" "not recorded" "✓ committed" "Signed checkpoint"
python3 "$BACKSTAY_SRC/tests/system/read_page.py" toy-1.html "Update record of release toy-1" "7.1.2.5 (a)" "✗ missing"
echo "== records of a vehicle and of a release rest on rows of the log, and are verified with nothing but the roots"
# Without the checkpoints in between, which come with time: the last one covers all rows.
"$backstay" audit export all.jsonl >/dev/null
rows=$(grep -c '"row"' all.jsonl)
{
	grep -v '"checkpoint"' all.jsonl
	tail -n 1 all.jsonl
} >log.jsonl
verify 0 log.jsonl "$rows rows, none altered, missing or moved; 1 checkpoints"

# One byte of one row.
sed '/"row":{"n":5,/s/"who":"./"who":"x/' log.jsonl >bad.jsonl
cmp -s log.jsonl bad.jsonl && fail "nothing was altered"
verify 65 bad.jsonl "row 5 was altered"
sed '/"row":{"n":4,/d' log.jsonl >bad.jsonl
verify 65 bad.jsonl "row 4 is missing"
{
	sed '/"row":{"n":4,/d; /"row":{"n":5,/q' log.jsonl
	grep '"row":{"n":4,' log.jsonl
	sed '1,/"row":{"n":5,/d' log.jsonl
} >bad.jsonl
verify 65 bad.jsonl "row 4 is missing: row 5 stands in its place"
sed '$d' log.jsonl >bad.jsonl
verify 65 bad.jsonl "no checkpoint covers rows"
grep -v '"checkpoint"' log.jsonl >bad.jsonl
verify 65 bad.jsonl "no checkpoint covers rows 1 to $rows"
echo "== a row that was altered, removed or put elsewhere is named; a cut end is seen"

# Decided again, from what the wave engine was told.
"$backstay" audit replay to-1 >out.txt || { cat out.txt; fail "replay found a difference"; }
grep -q '^[0-9]* events, [1-9][0-9]* decisions, all identical; done: 1 of 1 recipients run the release$' out.txt ||
	{ cat out.txt; fail "replay does not say what it did"; }
jq '.waves[0].approval = true' "$W/policy.json" >other.json
"$backstay" audit replay to-1 --policy other.json --json >out.txt
jq -e '.phase == "hold" and .impossible > 0' out.txt >/dev/null || { cat out.txt; fail "another policy decides the same"; }
echo "== the recorded events lead to the recorded decisions, another policy would have decided otherwise"

# Whoever has the store can write what he likes into it, and the next export tells of it.
let_go server
sqlite3 "$W/server/store.db" "UPDATE audit SET who = 'nobody' WHERE n = 2"
sqlite3 "$W/server/store.db" "UPDATE events SET now_ms = now_ms + 1, text = 'because' WHERE campaign = 'to-1' AND kind = 'start'"
keep server "$BACKSTAY_BIN/backstay-server" --config "$W/server.conf"
wait_until 10 "the server to answer" curl -fs "$BACKSTAY_SERVER/healthz"
"$backstay" audit export log.jsonl >/dev/null
verify 65 log.jsonl "row 2 was altered"
got=0
"$backstay" audit replay to-1 >out.txt 2>&1 || got=$?
[ "$got" = 65 ] && grep -q 'decided again' out.txt || { cat out.txt; fail "an altered event is not seen ($got)"; }
echo "== a row that was altered in the server's own store is named by the next export"
