# Offered again, or never again: a real agent that gave up for a reason that is not the release's is admitted anew by the policy
# and commits, whatever its own quarantine is for; one whose smoke test failed is neither offered the release again nor takes it.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
service_command=code/bin/run watch_interval=100ms poll_interval=100ms toy_soak=300

campaign() { # campaign NAME RELEASE: every class may be tried again, often
	cat >retried.json <<'JSON'
{"format": 1, "name": "retried", "max_failures": 0, "silence_ms": 60000,
 "retry": {"network": 50, "disk": 50, "unmet": 50, "worker": 50},
 "waves": [{"name": "all", "share_permille": 1000, "soak_ms": 0}]}
JSON
	"$backstay" campaign create "$1" --release "$2" --policy retried.json >/dev/null
	"$backstay" campaign start "$1" >/dev/null
}
outcomes() { # outcomes RELEASE STATE CODE: how many of these the server has from device one
	"$backstay" device history one --last 1000 --json |
		jq "[.reports[] | select(.kind == \"outcome\" and .target == \"$1\" and .state == \"$2\" and .code == \"$3\")] | length"
}
has_outcomes() { # has_outcomes N RELEASE STATE CODE
	[ "$(outcomes "$2" "$3" "$4")" -ge "$1" ]
}

echo D >parked
server_start
device_more="[precond]
look_interval = 100ms
parked_from = file:$W/parked
parked_when = P"
device_make one 0
device_start one
wait_until 20 "one to register" "$backstay" device show one
toy 1
toy_publish 1
toy_campaign 1
wait_until 60 "toy-1 to run" campaign_is to-1 done

toy_more='"preconditions": [{"type": "parked", "before": ["swap"]}], "precondition_wait_ms": 400'
toy 2
toy_publish 2
campaign to-2 toy-2
wait_until 30 "one to wait in vain, twice" has_outcomes 2 toy-2 failed expired
campaign_is to-2 first || fail "what is nobody's fault counts against the campaign"
[ "$(ask one '.quarantine | length')" = 0 ] || fail "it is held against the release: $(ask one .quarantine)"
echo P >parked
wait_until 30 "the campaign to end" campaign_is to-2 done
runs one 2 || fail "toy-2 does not run"
[ "$(outcomes toy-2 committed ok)" = 1 ] || fail "the server was not told once that it is accepted"
"$backstay" audit replay to-2 >out.txt || { cat out.txt; fail "replay found a difference"; }
echo "== who waited in vain is offered the release again, takes it, and commits"

toy_more='' toy_smoke="test ! -e $W/broken"
toy 3
toy_publish 3
: >broken
campaign to-3 toy-3
wait_until 30 "the campaign to give up" campaign_is to-3 halted
[ "$(outcomes toy-3 failed smoke_failed)" = 1 ] || fail "a release that failed was offered again"
[ "$(ask one '.quarantine[0] | "\(.release) \(.code)"')" = "toy-3 smoke_failed" ] || fail "it is not in quarantine: $(ask one .quarantine)"
rm broken
campaign again toy-3
wait_until 30 "the campaign to give up" campaign_is again halted
"$backstay" device history one --last 1000 --json | grep -q 'quarantined' || fail "the server was not told of the quarantine"
runs one 2 || fail "toy-2 does not run any more"
echo "== what failed of itself stays in quarantine, whoever offers it"

on_device one clear toy-3 >/dev/null
campaign at-last toy-3
wait_until 30 "the campaign to end" campaign_is at-last done
runs one 3 || fail "toy-3 does not run"
echo "== until a person clears it"
