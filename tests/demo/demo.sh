#!/bin/sh
# The demo. `make demo` plays the main story (main.sh): ten number-plate readers, five releases, nothing scripted but the orders
# an operator gives. SCENARIO=NAME plays another one, NAME.sh. KEEP=1 leaves it running, CHAOS=1 kills server, agents and
# workloads at random in the main story. Exits 0 only if what the readers answer is what the story claims.
set -eu
: "${BACKSTAY_SRC:?run this with: make demo}" "${BACKSTAY_BIN:?run this with: make demo}"
: "${KEEP:=0}" "${CHAOS:=0}" "${RATE:=3}" "${SCENARIO:=main}"
stories=$BACKSTAY_SRC/tests/demo
[ -r "$stories/$SCENARIO.sh" ] && case $SCENARIO in demo | lib | chaos) false ;; esac || {
	echo "demo: no story is called $SCENARIO; there are:" >&2
	for story in "$stories"/*.sh; do
		case $(basename "$story" .sh) in demo | lib | chaos) continue ;; esac
		sed -n "2s|^# |  SCENARIO=$(basename "$story" .sh)  |p" "$story" >&2
	done
	exit 64
}
. "$BACKSTAY_SRC/tests/system/lib.sh"
. "$stories/lib.sh"
trap end EXIT
trap 'exit 130' INT TERM
. "$stories/$SCENARIO.sh"
