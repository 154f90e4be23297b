#!/bin/sh
# What the tests and the demo keep running holds nothing of theirs open: who reads their output sees its end.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap stop_all EXIT

keep sleeper sleep 1000000 | cat >"$W/log/read"
kill -0 "$(cat "$W/run/sleeper.pid")" || fail "it was not kept"
first=$(cat "$W/run/sleeper.pid")
kill -KILL "$first"
is_another() { [ "$(cat "$W/run/sleeper.pid")" != "$first" ] && kill -0 "$(cat "$W/run/sleeper.pid")"; }
wait_until 10 "it to be started again" is_another
echo "== a pipe ends with its writer, not with what the writer keeps running"
