# For the tests of real boot loaders in an emulator. Sourced; BOOTENV names tests/boot/bootenv.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${BOOTENV:?BOOTENV: the program of tests/boot/bootenv.c}"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/backstay-boot.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
cd "$tmp"

fail() {
	echo "FAILED ($(basename "$0")): $*" >&2
	[ ! -s console ] || sed 's/^/  console: /' console >&2
	exit 1
}
need() {
	for c; do command -v "$c" >/dev/null || { echo "$(basename "$0"): $c is missing: packaging/debian-packages-boot.txt"; exit 1; }; done
}
# emulate QEMU ARGS...: one start of a machine, until it wants to restart; what it said is in `console`.
emulate() {
	ended=0
	timeout 120 "$@" -nographic -no-reboot -net none </dev/null >console.raw 2>&1 || ended=1
	tr -d '\r' <console.raw | sed 's/\x1b\[[0-9;?=]*[A-Za-z]//g' >console
	[ $ended = 0 ] || fail "the machine did not end by itself"
}
# said TEXT: the boot loader's line
said() {
	grep -qx "backstay: $1" console || fail "not said: backstay: $1"
	cases=$((cases + 1))
}
# view WANT KIND DIR BOOTED VERB [SLOT]
view() {
	want=$1
	shift
	got=$("$BOOTENV" "$@") || fail "bootenv $*"
	[ "$got" = "$want" ] || fail "bootenv $*: $got, not $want"
	cases=$((cases + 1))
}
cases=0
