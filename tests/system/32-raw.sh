#!/bin/sh
# Images of real file systems in slots that are real block devices (loop devices): written, mounted afterwards and compared;
# a device that is mounted, or too small, is refused and stays as it was; one that rots is found out. Needs root and loop
# devices.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
skip() {
	echo "== skipped: $*"
	exit 0
}
[ "$(id -u)" = 0 ] || skip "not root"
for t in losetup mkfs.ext4 mksquashfs mkfs.erofs; do
	command -v "$t" >/dev/null || skip "no $t"
done
loops=
end() {
	stop_all >/dev/null 2>&1 || true
	umount "$W/mnt" 2>/dev/null || true
	for l in $loops; do
		losetup -d "$l" 2>/dev/null || true
	done
}
trap end EXIT
trap 'exit 1' INT TERM
mkdir "$W/mnt"
for s in a b; do
	truncate -s 12M "$W/disk-$s"
	l=$(losetup --find --show "$W/disk-$s" 2>/dev/null) || skip "no loop devices"
	loops="$loops $l"
done
dev_a=${loops% *} dev_b=${loops##* }
dev_a=${dev_a# }

# image N KIND BYTES: an image with a file that says N and a ballast, and the release os-N of it.
image() {
	mkdir -p "$W/os/$1/root/etc"
	echo "os-$1" >"$W/os/$1/root/etc/release"
	head -c "$3" /dev/urandom >"$W/os/$1/root/ballast"
	soak_ms=300 smoke='[{"name": "looks", "kind": "exec", "argv": ["/bin/sh", "-c", "grep -qx os-'$1' etc/release && ! touch x"]}]' \
		"$BACKSTAY_SRC/manifests/examples/image/mk-image" "$1" "$2" "$W/os/$1/root" "$W/os/$1" >"$W/log/image-$1.log" 2>&1
	"$BACKSTAY_BIN/backstay" release create "$W/os/$1/release.json" --out "$W/packed/$1" >/dev/null
	back=
	for i in $(seq 1 $(($1 - 1))); do
		back="$back --rollback-to os-$i"
	done
	# shellcheck disable=SC2086
	"$BACKSTAY_BIN/backstay" release sign "$W/packed/$1" --keys "$W/keys" --hardware edge-x86 --counter "$1" $back >/dev/null
	"$BACKSTAY_BIN/backstay" release publish "$W/packed/$1" --keys "$W/keys" >/dev/null
}
campaign() {
	echo '{"format": 1, "name": "test", "first_alone": true, "max_failures": 0, "silence_ms": 60000, "roll_back_on_abort": true,
	 "waves": [{"name": "all", "share_permille": 1000, "parallel": 0, "soak_ms": 0}]}' >"$W/policy.json"
	"$BACKSTAY_BIN/backstay" campaign create "to-$1" --release "os-$1" --policy "$W/policy.json" >/dev/null
	"$BACKSTAY_BIN/backstay" campaign start "to-$1" >/dev/null
}
# holds N DEVICE: does the device hold image N? Asked of the kernel, which mounts it.
holds() {
	cmp -n "$(stat -c %s "$W/os/$1/root.img")" "$W/os/$1/root.img" "$2" || fail "$2 does not hold image $1"
	mount -o ro "$2" "$W/mnt" || fail "$2 cannot be mounted"
	[ "$(cat "$W/mnt/etc/release")" = "os-$1" ] && cmp "$W/os/$1/root/ballast" "$W/mnt/ballast" || fail "$2: other files"
	umount "$W/mnt"
}
installed() { # installed N SLOT
	[ "$(ask node '[.slots[] | select(.active and .confirmed and .mark == "valid")][0] | "\(.release) \(.name)"')" = "os-$1 $2" ]
}

service_kind=none watch_interval=100ms poll_interval=200ms
device_more="[agent]
slots = raw
scrub_interval = 1s
[slot]
a = $dev_a
b = $W/by-label-b"
ln -s "$dev_b" "$W/by-label-b"
server_start
device_make node 0
device_start node
wait_until 20 "node to register" "$BACKSTAY_BIN/backstay" device show node

image 1 ext4 1500000
sed 's/ext4/erofs/; s/os-1/os-9/' "$W/os/1/release.json" >"$W/os/1/wrong.json"
exits 65 "$BACKSTAY_BIN/backstay" release create "$W/os/1/wrong.json" --out "$W/packed/wrong"
grep -q 'is no erofs file system' err.txt || fail "a wrong file system is packed"
campaign 1
wait_until 30 "os-1 in slot a" installed 1 a
holds 1 "$dev_a"
image 2 squashfs 2000001
campaign 2
wait_until 30 "os-2 in slot b" installed 2 b
holds 2 "$dev_b"
holds 1 "$dev_a"
image 3 erofs 2000003
campaign 3
wait_until 30 "os-3 in slot a" installed 3 a
holds 3 "$dev_a"
holds 2 "$dev_b"
echo "== ext4, squashfs and erofs images were written to block devices, tested there and mounted"

mount -o ro "$dev_b" "$W/mnt"
image 4 ext4 1500000
campaign 4
wait_until 30 "the refusal of a mounted device" sh -c ". '$BACKSTAY_SRC/tests/system/lib.sh'; on_device node explain | grep -q '(busy)'"
umount "$W/mnt"
holds 2 "$dev_b"
wait_until 60 "os-4 in slot b" installed 4 b
holds 4 "$dev_b"
echo "== a device that is mounted was refused, and written once it was free"

image 5 squashfs 13000000
campaign 5
wait_until 30 "the refusal of an image that is too large" sh -c ". '$BACKSTAY_SRC/tests/system/lib.sh'; on_device node explain | grep -q '(no_space)'"
holds 3 "$dev_a"
echo "== an image larger than its device was refused before its first byte"

# The way back (slot a, os-3) rots. An update that lacks room goes on asking, so it is given up first.
on_device node rollback >/dev/null
wait_until 20 "the device to be at rest" is node .state idle
on_device node slots | grep -q '^a .*valid .*os-3' || fail "slots: $(on_device node slots)"
on_device node boot | grep -q 'symlink: slot b starts next, and is good' || fail "boot: $(on_device node boot)"
wait_until 30 "the way back to be read" is node '.slots[0].scrub.code' ok
printf R | dd of="$dev_a" bs=1 seek=700000 conv=notrunc,fsync status=none
wait_until 30 "rot to be found" is node '.slots[0].scrub.code' altered
is node '.slots[0].mark' invalid || fail "a rotten slot is valid"
is node '.slots[1].mark' valid || fail "slot b has lost its mark"
on_device node explain | grep -q 'slot a is no way back' || fail "explain does not say so"
wait_until 10 "the server to hear of it" sh -c '"$BACKSTAY_BIN/backstay" audit list --last 50 | grep -q "slot a: .*altered"'
exits 73 "$BACKSTAY_BIN/backstay" mark-active a --socket "$W/run/node.sock"
grep -q 'nothing to go back to' err.txt || fail "$(cat err.txt)"
holds 4 "$dev_b"
echo "== a way back that had rotted was found, marked, explained and told"
