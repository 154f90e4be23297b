#!/bin/sh
# A campaign with a control group over the real server: who is held back and what is told of it; and a channel that is frozen.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
service_command=code/bin/run watch_interval=100ms poll_interval=200ms

server_start
for d in one two three; do
	device_make $d 0
	device_start $d
	wait_until 20 "$d to register" "$backstay" device show $d
done
toy 1
toy_publish 1
cat >compared.json <<'JSON'
{"format": 1, "name": "compared", "judge": {}, "control": {"share_ppm": 300000, "min": 1}, "ratio_alpha_ppm": 0,
 "waves": [{"name": "a", "count": 1, "soak_ms": 0, "approval": true}, {"name": "b", "share_permille": 999, "soak_ms": 0, "approval": true}]}
JSON
"$backstay" campaign create spring --release toy-1 --policy compared.json >/dev/null

exits 64 "$backstay" channel freeze toy
"$backstay" channel freeze toy --reason 'recall 26-114' >/dev/null
"$backstay" channel list | grep -q '^toy .*recall 26-114' || fail "the list does not tell of the frozen channel"
got=0
"$backstay" campaign start spring >out.txt 2>&1 || got=$?
[ "$got" != 0 ] && grep -q 'the channel toy is frozen by admin: recall 26-114' out.txt || { cat out.txt; fail "it starts all the same"; }
echo "== a frozen channel starts no campaign, and says who froze it and why"

umask 077
"$backstay" user add bob approver --json | jq -r .token >"$W/bob.token"
"$backstay" channel thaw toy --reason 'cause found' --token-file "$W/bob.token" >/dev/null
"$backstay" campaign start spring >/dev/null
"$backstay" campaign explain spring >out.txt
grep -q '^1 devices are the control group and keep what they run' out.txt && grep -q '^Ladder: none' out.txt ||
	{ cat out.txt; fail "explain does not tell of the control group and the ladder"; }
"$backstay" campaign status spring | grep -q '^control group: 1 devices, 0 heard' || fail "status does not show the control group"
"$backstay" campaign revoke spring --reason 'wrong model' >/dev/null
campaign_is spring halted || fail "a revoked campaign is not halted"
"$backstay" audit replay spring >out.txt || { cat out.txt; fail "replay found a difference"; }
echo "== thawed by an approver it starts, tells whom it compares with, is revoked, and replays"

# ---- a recall: from two campaigns, one of which is over ----
toy_all() { for d in one two three; do runs $d "$1" || return 1; done; }
toy_campaign 1
wait_until 60 "toy-1 to be everywhere" campaign_is to-1 done
toy 2
toy_publish 2
jq '{format, name: "quick", first_alone: false, waves: [{name: "all", count: 3, soak_ms: 0}]}' compared.json >quick.json
"$backstay" campaign create north --release toy-2 --policy quick.json --device one --device two >/dev/null
"$backstay" campaign create south --release toy-2 --policy quick.json --device three >/dev/null
"$backstay" campaign start north >/dev/null
wait_until 60 "north to be done" campaign_is north done
"$backstay" campaign start south >/dev/null
wait_until 60 "south to be done" campaign_is south done
toy_all 2 || fail "toy-2 does not run everywhere"
exits 64 "$backstay" campaign recall south
"$backstay" campaign recall south --reason 'recall 26-115' >/dev/null
wait_until 60 "those of the other campaign to be back" campaign_is north halted
wait_until 60 "its own to be back" campaign_is south halted
wait_until 20 "toy-1 to run everywhere" toy_all 1
"$backstay" audit list --last 200 | grep -q 'ordered the release back everywhere: recall 26-115' || fail "the audit log does not tell of the recall"
for c in north south; do "$backstay" audit replay $c >out.txt || { cat out.txt; fail "replay of $c found a difference"; }; done
echo "== a recall takes the release back from every device that has it, from whatever campaign, and replays"
