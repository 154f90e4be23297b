#!/bin/sh
# The dead-man as the first program of a machine: here a process, network and time name space of its own, so that reboot(2)
# ends the whole of it and its clock begins at zero. Needs root.
set -eu
if [ "${1:-}" != inside ]; then
	[ "$(id -u)" = 0 ] && unshare -n -T --boottime 0 -p -f true 2>/dev/null || { echo "== skipped: no name spaces here"; exit 0; }
	exec unshare -n sh "$0" inside
fi
. "$BACKSTAY_SRC/tests/system/lib.sh"
box= reader=
trap '[ -z "$box$reader" ] || kill -KILL $box $reader 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM

# A machine: a shell, and what the shell needs. /init is the initramfs's, real/ the root that it changes to.
put() {
	for f; do
		for need in "$f" $(ldd "$f" | grep -o '/[^ ]*'); do
			mkdir -p "tree$(dirname "$need")"
			[ -e "tree$need" ] || cp -L "$need" "tree$need"
		done
	done
}
put /bin/sh /bin/sleep /usr/sbin/chroot
mkdir -p tree/proc tree/dev
: >tree/dev/kmsg
cp -a tree real && mv real tree/real
# It comes there as a boot loader brings it: out of the archive that it writes itself.
exits 64 "$BACKSTAY_BIN/backstay-deadman"
exits 66 "$BACKSTAY_BIN/backstay-deadman" --install nowhere
mkdir boot
exits 0 "$BACKSTAY_BIN/backstay-deadman" --install boot
(cd tree && cpio -id --quiet) <boot/backstay-deadman.cpio
cmp tree/backstay-deadman "$BACKSTAY_BIN/backstay-deadman" || fail "the archive holds something else"
# inits TEXT: what the machine does after the dead-man.
inits() {
	printf '#!/bin/sh\n%s\n' "$1" | tee tree/real/init >tree/init
	chmod +x tree/init tree/real/init
}
# boot WORDS: starts the machine with this command line.
boot() {
	echo "ro quiet $*" >tree/proc/cmdline
	up=$(cut -d. -f1 /proc/uptime)
	# shellcheck disable=SC2016
	unshare -T --boottime "-$up" --monotonic "-$up" -p -f --kill-child sh -c 'exec chroot tree /backstay-deadman splash' >box.log 2>&1 &
	box=$!
}
# The kernel tells who waits for a machine that was restarted by SIGHUP.
restarted() {
	status=0
	wait "$box" || status=$?
	box=
	[ "$status" = 129 ] || { cat box.log; fail "the machine ended with $status"; }
	grep -q "$1" "${2:-tree}/dev/kmsg" || { cat "${2:-tree}/dev/kmsg"; fail "the kernel's log does not say: $1"; }
}
off() {
	kill -KILL "$box"
	wait "$box" 2>/dev/null || true
	box=
}
ask() { python3 "$BACKSTAY_SRC/tests/system/ask_deadman.py" "$@"; }
answers() {
	want=$1
	shift
	ask "$@" >answer.txt
	grep -qE "$want" answer.txt || { cat answer.txt; fail "the dead-man answers \"$*\" like that, expected $want"; }
}
listens() { ask stand-down | grep -q ^ok; }
greets() { ask alive 60 | grep -q ^ok; }

inits 'echo init $$ "$0" "$@"; exec sleep 60'
boot backstay.trial=1 backstay.deadline=1
restarted "did not speak in time"
echo "== nobody speaks: restarted"

boot backstay.trial=1 backstay.deadline=60
wait_until 10 "the dead-man listens" greets
wait_until 10 "init in the dead-man's place" grep -qx "init 1 /init splash" box.log
grep -lsz '^@backstay-deadman' /proc/[0-9]*/cmdline >child.txt || true # processes end while it looks
[ -s child.txt ] || fail "the service manager would kill it"
answers '^ok trial=1 message_due_s=(59|60) decision_due_s=-1 ' alive 60
answers '^ok trial=1 .* decision_due_s=(59|60) ' decide 60
answers '^ok trial=1 .* decision_due_s=(59|60|5.) ' decide 900
for bad in "" alive "alive 0" "alive -1" "alive 99999999" "stand-down 1" "shutdown" "alive 1 2"; do
	answers '^[^o][^k]' "$bad"
done
AS_UID=65534 ask stand-down >answer.txt
grep -qx nothing answer.txt || fail "a stranger was listened to"
answers '^ok trial=1 .* decision_due_s=[0-9]' alive 60
answers '^ok' decide 1
restarted "neither accepted nor taken back"
echo "== undecided: restarted; strangers and nonsense changed nothing"

boot backstay.trial=1 backstay.deadline=60
wait_until 10 "the dead-man listens" greets
answers '^ok' alive 1
restarted "did not speak in time"
echo "== spoke once and died: restarted"

boot backstay.trial=1 backstay.deadline=60
wait_until 10 "the dead-man listens" listens
answers '^ok trial=0 message_due_s=-1 decision_due_s=-1 ' stand-down
off
boot backstay.lost=1
restarted "silent for too long"
echo "== confirmed: left alone, unless it was asked to watch"

# The real root: what init changes to is where the dead-man looks from then on.
inits '[ -d /real ] || exec sleep 60; cd /real; exec chroot . /init'
mkfifo tree/real/dev/watchdog0
head -c 3 tree/real/dev/watchdog0 >fed.bin &
reader=$!
boot backstay.trial=1 backstay.deadline=60 backstay.watchdog=30
# Whoever speaks to it has it look around as well.
fed() { greets && ! kill -0 "$reader" 2>/dev/null; }
wait_until 20 "the watchdog is fed" fed
reader=
grep -q "bites after 30 s" tree/real/dev/kmsg || fail "the watchdog's time was not set"
answers '^ok .* watchdog_s=30$' alive 1
restarted "did not speak in time" tree/real
echo "== in the real root: the watchdog is fed until it must bite"
