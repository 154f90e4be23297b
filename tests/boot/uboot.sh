#!/bin/bash
# The real U-Boot (Debian's qemu_arm64) with packaging/boot/boot.cmd. Its own environment cannot be saved on this board, so
# what the agent's adapter wrote is handed to the script as text and its count is read back as text; how U-Boot keeps two
# copies is the library's part, and tested in tests/unit. There is no kernel: the choice is read from the console.
. "$(dirname "$0")/lib.sh"
need qemu-system-aarch64 sfdisk mkimage mcopy mkfs.vfat fw_printenv fw_setenv
uboot=/usr/lib/u-boot/qemu_arm64/u-boot.bin
[ -f "$uboot" ] || { echo "uboot.sh: $uboot is missing: packaging/debian-packages-boot.txt"; exit 1; }

truncate -s 8192 env-0 env-1
printf '%s 0 0x2000\n' "$tmp/env-0" "$tmp/env-1" >fw_env.config
echo board=qemu >initial
fw_setenv -c fw_env.config -f initial board qemu >/dev/null 2>&1 || fail "no environment"

{
	echo 'setenv at ${kernel_addr_r}'
	echo 'load virtio 0:1 ${at} env.txt && env import -t ${at} ${filesize}'
	echo "setenv backstay_save 'env export -t \${at} BOOT_A_LEFT BOOT_B_LEFT && fatwrite virtio 0:1 \${at} left.txt \${filesize}'"
	echo "setenv backstay_start 'load virtio 0:1 \${at} no-kernel'"
	echo 'setenv backstay_pause 0'
	cat "$top/packaging/boot/boot.cmd"
} >test.cmd
mkimage -A arm64 -O linux -T script -C none -d test.cmd boot.scr >/dev/null

start() {
	rm -f disk left.txt
	truncate -s 9M disk
	echo 'start=2048, type=c, bootable' | sfdisk -q --label dos disk
	mkfs.vfat --offset 2048 disk 8192 >/dev/null
	fw_printenv -c fw_env.config | grep -e ^BOOT_ -e ^BACKSTAY_ >env.txt || true
	mcopy -i disk@@1M boot.scr env.txt ::
	emulate qemu-system-aarch64 -machine virt -cpu cortex-a57 -m 256 -bios "$uboot" \
		-drive file=disk,if=none,id=d,format=raw -device virtio-blk-device,drive=d
	mcopy -n -i disk@@1M ::left.txt left.txt 2>/dev/null || return 0
	tr -d '\0' <left.txt >left
	fw_setenv -c fw_env.config -s left
}

start
said "slot A, confirmed"
view "active=b confirmed=a left=3 fell=0" uboot fw_env.config a try b
for n in 2 1 0; do
	start
	said "slot B, $n left"
	said "slot B cannot be started"
	view "active=b confirmed=a left=$n fell=0" uboot fw_env.config b look
done
start
said "slot A, confirmed"
view "active=a confirmed=a left=0 fell=1" uboot fw_env.config a look
view "active=a confirmed=a left=0 fell=0" uboot fw_env.config a back a
view "active=b confirmed=a left=3 fell=0" uboot fw_env.config a try b
start
said "slot B, 2 left"
view "active=b confirmed=b left=0 fell=0" uboot fw_env.config b confirm b
start
said "slot B, confirmed"
echo "uboot: $cases answers of U-Boot and of the agent, all as they should be"
