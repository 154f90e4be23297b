#!/bin/bash
# The real GRUB (BIOS) with packaging/boot/grub.cfg, on a disk whose environment the agent's adapter has written. There is
# no kernel: what GRUB would start is read from its console, and it restarts the machine.
. "$(dirname "$0")/lib.sh"
need qemu-system-x86_64 grub-mkimage sfdisk mke2fs debugfs
grub=/usr/lib/grub/i386-pc

put() { printf "$3" | dd of="$1" bs=1 seek=$(($2)) conv=notrunc status=none; }

# boot.img reads core.img from the sector that stands at 0x5c; core.img's first sector reads the rest by the list at 0x1f4.
mkdir -p root/grub/i386-pc && cp "$grub"/*.mod "$grub"/*.lst root/grub/i386-pc/
cp "$top/packaging/boot/grub.cfg" root/grub/
printf 'serial\nterminal_output serial\nset backstay_pause=0\n' >root/grub/custom.cfg
grub-mkimage -O i386-pc -o core.img -p '(hd0,gpt2)/grub' biosdisk part_gpt ext2 serial terminal
sectors=$((($(stat -c %s core.img) + 511) / 512 - 1))
put core.img 0x1f4 "\x01\x08\x00\x00\x00\x00\x00\x00$(printf '\\x%02x\\x%02x' $((sectors & 255)) $((sectors >> 8)))\x20\x08"
cp "$grub/boot.img" boot.img
put boot.img 0x5c '\x00\x08\x00\x00\x00\x00\x00\x00'
put boot.img 0x66 '\x90\x90'

# The boot partition is made anew from the folder before each start, and what GRUB wrote is taken out of it again.
start() {
	rm -f disk boot.fs
	truncate -s 48M disk
	sfdisk -q disk <<-END
		label: gpt
		start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649
		start=4096, size=65536
	END
	truncate -s 32M boot.fs
	mke2fs -q -t ext4 -d root boot.fs
	dd if=boot.fs of=disk bs=512 seek=4096 conv=notrunc status=none
	dd if=boot.img of=disk bs=440 count=1 conv=notrunc status=none
	dd if=core.img of=disk bs=512 seek=2048 conv=notrunc status=none
	emulate qemu-system-x86_64 -accel tcg -m 64 -drive file=disk,format=raw,if=virtio
	dd if=disk of=boot.fs bs=512 skip=4096 count=65536 status=none
	for f in backstay-0.env backstay-1.env backstay-try.env; do
		[ ! -f "root/grub/$f" ] || debugfs -R "dump /grub/$f root/grub/$f" boot.fs 2>/dev/null
	done
}

start
said "slot A, confirmed"
view "active=b confirmed=a left=3 fell=0" grub root/grub a try b
for n in 1 2 3; do
	start
	said "slot B, try $n"
	said "slot B cannot be started"
	view "active=b confirmed=a left=$((3 - n)) fell=0" grub root/grub b look
done
start
said "slot A, confirmed"
view "active=a confirmed=a left=0 fell=1" grub root/grub a look
view "active=a confirmed=a left=0 fell=0" grub root/grub a back a
view "active=b confirmed=a left=3 fell=0" grub root/grub a try b
start
said "slot B, try 1"
view "active=b confirmed=b left=0 fell=0" grub root/grub b confirm b
start
said "slot B, confirmed"

# The newest copy is torn, in its middle: the one before counts, by which B is on trial and was started once.
newest=$(grep -l "$(grep -h BACKSTAY_BEGIN root/grub/backstay-[01].env | sort | tail -1)" root/grub/backstay-[01].env)
cp "$newest" whole
dd if=/dev/zero of="$newest" bs=1 seek=80 count=944 conv=notrunc status=none
start
said "slot B, try 2"
cp whole "$newest"
start
said "slot B, confirmed"

# GRUB's own block is torn: a slot on trial that cannot be counted is not started.
view "active=a confirmed=b left=3 fell=0" grub root/grub b try a
dd if=/dev/zero of=root/grub/backstay-try.env bs=1 count=512 conv=notrunc status=none
start
said "slot B, confirmed"
view "active=a confirmed=b left=3 fell=0" grub root/grub b try a
start
said "slot A, try 1"
[ ! -f root/grub/backstay-deadman.cpio ] || fail "a dead-man that nobody has put there"
echo "grub: $cases answers of GRUB $(grub-mkimage --version | sed 's/.* //') and of the agent, all as they should be"
