#!/bin/bash
# The real systemd-boot on real UEFI firmware (OVMF), on an EFI system partition whose entries the agent's adapter has written. What
# stands for a slot's kernel is a program that says which one it is, and restarts the machine.
. "$(dirname "$0")/lib.sh"
need qemu-system-x86_64 grub-mkimage mcopy mformat sfdisk
firmware=/usr/share/OVMF/OVMF_CODE_4M.fd
loader=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
for f in "$firmware" "$loader" /usr/lib/grub/x86_64-efi/reboot.mod; do
	[ -f "$f" ] || fail "$f is missing: packaging/debian-packages-boot.txt"
done
offset=$((2048 * 512))

mkdir -p esp/EFI/BOOT esp/loader/backstay esp/loader/entries esp/backstay
cp "$loader" esp/EFI/BOOT/BOOTX64.EFI
printf 'timeout 0\n' >esp/loader/loader.conf
for s in A B; do
	printf 'serial\nterminal_output serial\necho "backstay: slot %s, as it was told"\nreboot\n' $s >kernel.cfg
	grub-mkimage -O x86_64-efi -o esp/backstay/$s.efi -p / -c kernel.cfg serial terminal echo reboot
	printf 'title Slot %s\nefi /backstay/%s.efi\n' $s $s >esp/loader/backstay/$s.conf
done
cp /usr/share/OVMF/OVMF_VARS_4M.fd vars

# The partition is made anew from the folder before each start, and the names that systemd-boot gave to entries are taken over.
start() {
	rm -f disk
	truncate -s 72M disk
	sfdisk -q disk <<-END
		label: gpt
		start=2048, size=141312, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
	END
	mformat -i "disk@@$offset" -F -T 141312 ::
	mcopy -Q -s -i "disk@@$offset" esp/* ::/
	emulate qemu-system-x86_64 -machine q35 -accel tcg -m 192 -drive if=pflash,format=raw,unit=0,readonly=on,file="$firmware" \
		-drive if=pflash,format=raw,unit=1,file=vars -drive file=disk,format=raw,if=virtio
	rm -rf esp/loader/entries
	mcopy -Q -s -i "disk@@$offset" ::/loader/entries esp/loader/
}

view "active=a confirmed=a left=0 fell=0" efi esp a back a
start
said "slot A, as it was told"
view "active=b confirmed=a left=3 fell=0" efi esp a try b
for n in 1 2 3; do
	start
	said "slot B, as it was told"
	view "active=b confirmed=a left=$((3 - n)) fell=0" efi esp b look
done
start
said "slot A, as it was told"
view "active=a confirmed=a left=0 fell=1" efi esp a look
view "active=a confirmed=a left=0 fell=0" efi esp a back a
view "active=b confirmed=a left=3 fell=0" efi esp a try b
start
said "slot B, as it was told"
view "active=b confirmed=b left=0 fell=0" efi esp b confirm b
start
said "slot B, as it was told"

# The power went while the entry of a trial was made: under a name that is no entry's it counts for nothing.
view "active=a confirmed=b left=3 fell=0" efi esp b try a
trial=$(ls esp/loader/entries/*-A-*+3*)
cp "$trial" whole
mv "$trial" "${trial%.conf}.new"
start
said "slot B, as it was told"
rm -f esp/loader/entries/*.new
cp whole "$trial"
start
said "slot A, as it was told"
echo "efi: $cases answers of $(grep -aom1 'systemd-boot [0-9.]*' "$loader") and of the agent, all as they should be"
