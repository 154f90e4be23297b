# The agent is two processes. The worker has no rights, may die at any time, and may be anybody's: the device stays whole.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
service_command=code/bin/run watch_interval=100ms poll_interval=200ms

in_force() { # in_force PID FIELD: as the kernel says
	awk -v f="$2:" '$1 == f { print $2 }' "/proc/$1/status"
}

server_start
device_make one 0
device_start one
wait_until 20 "the device to register" "$BACKSTAY_BIN/backstay" device show one
toy 1
toy_publish 1
toy_campaign 1
wait_until 60 "toy-1" campaign_is to-1 done

# ---- what the worker is ---------------------------------------------------------------------------------------------
worker=$(ask one .worker.pid)
[ "$(in_force "$worker" PPid)" = "$(cat "$W/run/one.pid")" ] || fail "the worker is not the agent's child"
[ "$(in_force "$worker" NoNewPrivs)" = 1 ] || fail "the worker could gain privileges"
[ "$(in_force "$worker" Seccomp)" = 2 ] || fail "the worker has no system call filter"
[ "$(in_force "$worker" CapEff)" = 0000000000000000 ] || [ "$(id -u)" != 0 ] || fail "the worker has capabilities"
if [ "$(id -u)" = 0 ]; then
	wanted=$(id -u backstay-worker 2>/dev/null || id -u nobody)
	[ "$(in_force "$worker" Uid)" = "$wanted" ] || fail "the worker is user $(in_force "$worker" Uid)"
	[ "$(in_force "$(cat "$W/run/one.pid")" Uid)" = 0 ] || fail "the installer is not root"
fi
[ "$(ask one .worker.seccomp)" = true ] || fail "status does not say so"
ls -l "/proc/$worker/fd" >fds.txt 2>/dev/null || true
! grep -q "$W/dev" fds.txt || fail "the worker has a file of the device open"
ask one .worker
echo "== the worker is another user without privileges, capabilities or files"

# ---- it dies in the middle ---------------------------------------------------------------------------------------------
toy 2
head -c 80000000 /dev/urandom >"$W/toy/2/data/large"
toy_publish 2
toy_campaign 2
in_the_middle() {
	[ "$(ask one 'select(.state == "staging") | .progress.done > 1000000')" = true ]
}
wait_until 60 "staging to have begun" in_the_middle
kill -9 "$(ask one .worker.pid)"
wait_until 90 "toy-2" campaign_is to-2 done
runs one 2 || fail "toy-2 does not run"
[ "$(ask one .worker.starts)" -ge 2 ] || fail "the worker was not started again"
grep -q 'action failed.*error=worker' "$W/log/one.log" || fail "nothing was in the middle of anything"
echo "== a worker that is killed while it stages is started again, and the update goes on"

# ---- it is taken over -----------------------------------------------------------------------------------------------
# Links, marks and all that the active slot holds; what is not: the journal and the history of attempts, which are true.
kept() {
	for l in current confirmed; do
		echo "$l $(readlink "$W/dev/one/$l")"
	done
	[ ! -e "$W/dev/one/quarantine.json" ] || cat "$W/dev/one/quarantine.json"
	active=$(basename "$(readlink "$W/dev/one/current")")
	cat "$W/dev/one/slots/$active.status"
	(cd "$W/dev/one/slots/$active" && find . -type f -exec sha256sum {} + | sort)
}
kept >before.txt
let_go one
keep one "$BACKSTAY_BIN/../tests/system/test_taken_over" --config "$W/dev/one.conf"
toy 3
toy_publish 3
toy_campaign 3
wait_until 90 "the campaign to abort" campaign_is to-3 halted
wait_until 30 "the device to be at rest" is one .state idle
[ "$(wc -c <lives)" -ge 2 ] || fail "the worker that misbehaved was not ended"
runs one 2 || fail "toy-2 does not run any more"
kept >after.txt
diff before.txt after.txt || fail "a worker that was taken over has changed the device"
[ ! -e "$W/dev/one/slots/$([ "$active" = a ] && echo b || echo a).status" ] || fail "the inactive slot is marked valid"
[ "$(ask one '.quarantine | length')" = 0 ] || fail "a release is in quarantine for what the worker did"
echo "== a worker that was taken over breaks an update, and nothing else"

let_go one
device_start one
"$BACKSTAY_BIN/backstay" campaign create again --release toy-3 --policy "$W/policy.json" >/dev/null
"$BACKSTAY_BIN/backstay" campaign start again >/dev/null
wait_until 60 "toy-3" campaign_is again done
runs one 3 || fail "toy-3 does not run"
echo "== with a healthy worker the same release comes"
