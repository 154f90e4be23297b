#!/bin/sh
# The systemd driver against a real service manager: a container is booted on a throw-away copy of this machine's own root
# (an overlay in memory), and test_systemd runs in it. Needs root and systemd-nspawn.
set -eu
prog=$BACKSTAY_BIN/../tests/system/test_systemd
skip() {
	echo "== skipped: $*"
	exit 0
}
[ "$(id -u)" = 0 ] || skip "not root"
command -v systemd-nspawn >/dev/null || skip "no systemd-nspawn"
[ -x "$prog" ] || { echo "$prog was not built" >&2; exit 1; }

mkdir box
nspawn= init=
end() {
	[ -z "$init" ] || kill -KILL "$init" 2>/dev/null || true
	[ -z "$nspawn" ] || wait "$nspawn" 2>/dev/null || true
	umount box/root 2>/dev/null || true
	umount box 2>/dev/null || true
}
trap end EXIT
trap 'exit 1' INT TERM
mount -t tmpfs -o size=256m backstay-test box || skip "no mounts"
mkdir box/upper box/work box/root
mount -t overlay -o lowerdir=/,upperdir=box/upper,workdir=box/work backstay-test box/root 2>/dev/null || skip "no overlay"
: >box/root/etc/machine-id
cp "$prog" box/root/root/test_systemd

# Little is started: the bus, the journal and what they need.
systemd-nspawn -q -D box/root --boot --private-network --register=no --keep-unit --resolv-conf=off --console=pipe \
	systemd.unit=basic.target </dev/null >boot.log 2>&1 &
nspawn=$!
inside() {
	nsenter -t "$init" -m -u -i -n -p -- "$@"
}
i=0
until init=$(pgrep -P "$nspawn" -x systemd) && inside busctl --timeout=5 list >busctl.log 2>&1; do
	i=$((i + 1))
	kill -0 "$nspawn" 2>/dev/null || skip "no container on this machine: $(head -n 1 boot.log)"
	[ "$i" -lt 300 ] || { cat boot.log busctl.log; exit 1; }
	sleep 0.1
done
inside env -u DBUS_SYSTEM_BUS_ADDRESS HOME=/root sh -c 'cd /root && timeout 120 ./test_systemd' >out.log 2>&1 || { cat out.log; exit 1; }
grep '^NOT TESTED' out.log | sed 's/^/== /' || true
grep '^\[  PASSED  \]' out.log | sed 's/^\[  PASSED  \]/== a real service manager:/'
