# U-Boot's half of Backstay: which slot starts, and how often it may try. The other half is agent/boot/boot_uboot.c.
#
#   mkimage -A arm64 -O linux -T script -C none -d boot.cmd boot.scr
#
# U-Boot must keep its environment twice (CONFIG_SYS_REDUNDAND_ENVIRONMENT); /etc/fw_env.config names both places. What is
# different on your board is set in that environment (setenv, saveenv), or here:
#
#   backstay_dev      interface and device of the slots                               mmc 0
#   backstay_part_A   their partitions                                                 2
#   backstay_part_B                                                                    3
#   backstay_root_A   and as the kernel sees them                                      PARTLABEL=root-a
#   backstay_root_B                                                                    PARTLABEL=root-b
#   backstay_args     panic= must stay: a kernel that hangs after a panic is not counted  ro quiet panic=10
#   backstay_pause    seconds before the next start, when a slot has no kernel          3
#   backstay_save     how the count is written                                         saveenv
#   backstay_part_boot  partition with backstay-deadman.cpio (docs/adr/0015); empty: no dead-man   (empty)
#   backstay_deadline  seconds until the agent of a slot on trial must have spoken     300
#   backstay_start    how a kernel is started; backstay_slot, backstay_part, bootargs are set
#
# Bootnames are A and B; for others, replace these two letters.

test -n "${backstay_dev}" || setenv backstay_dev mmc 0
test -n "${backstay_part_A}" || setenv backstay_part_A 2
test -n "${backstay_part_B}" || setenv backstay_part_B 3
test -n "${backstay_root_A}" || setenv backstay_root_A PARTLABEL=root-a
test -n "${backstay_root_B}" || setenv backstay_root_B PARTLABEL=root-b
test -n "${backstay_args}" || setenv backstay_args ro quiet panic=10
test -n "${backstay_pause}" || setenv backstay_pause 3
test -n "${backstay_save}" || setenv backstay_save saveenv
test -n "${backstay_deadline}" || setenv backstay_deadline 300
# The dead-man is a second archive behind the slot's initrd: from the next multiple of four on, with zeros before it.
test -n "${backstay_more}" || setenv backstay_more 'setexpr backstay_end ${ramdisk_addr_r} + ${backstay_size} && mw.b ${backstay_end} 0 4 && setexpr backstay_end ${backstay_end} + 3 && setexpr backstay_end ${backstay_end} / 4 && setexpr backstay_end ${backstay_end} * 4 && load ${backstay_dev}:${backstay_part_boot} ${backstay_end} /backstay-deadman.cpio && setexpr backstay_size ${backstay_end} + ${filesize} && setexpr backstay_size ${backstay_size} - ${ramdisk_addr_r} && setenv bootargs ${bootargs} rdinit=/backstay-deadman ${backstay_trial}'
test -n "${backstay_start}" || setenv backstay_start 'if load ${backstay_dev}:${backstay_part} ${kernel_addr_r} /vmlinuz && load ${backstay_dev}:${backstay_part} ${ramdisk_addr_r} /initrd.img; then setenv backstay_size ${filesize}; if test -n "${backstay_part_boot}"; then run backstay_more; fi; booti ${kernel_addr_r} ${ramdisk_addr_r}:${backstay_size} ${fdtcontroladdr}; fi'

# Before there was ever an update: the first slot.
test -n "${BOOT_ORDER}" || setenv BOOT_ORDER A B
test -n "${BACKSTAY_GOOD}" || setenv BACKSTAY_GOOD A
test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3
test -n "${BOOT_B_LEFT}" || setenv BOOT_B_LEFT 0

# A slot on trial is counted before it is started; what cannot be counted is not started.
setenv backstay_slot
setenv backstay_try
for next in ${BOOT_ORDER}; do
	if test -n "${backstay_slot}"; then
		true
	elif test "${next}" = "${BACKSTAY_GOOD}"; then
		setenv backstay_slot ${next}
	elif test "${next}" = A && test "${BOOT_A_LEFT}" -gt 0; then
		setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1
		setenv backstay_left ${BOOT_A_LEFT}
		if run backstay_save; then
			setenv backstay_slot A
			setenv backstay_try 1
		fi
	elif test "${next}" = B && test "${BOOT_B_LEFT}" -gt 0; then
		setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1
		setenv backstay_left ${BOOT_B_LEFT}
		if run backstay_save; then
			setenv backstay_slot B
			setenv backstay_try 1
		fi
	fi
done
test -n "${backstay_slot}" || setenv backstay_slot ${BACKSTAY_GOOD}

if test "${backstay_slot}" = B; then
	setenv backstay_part ${backstay_part_B}
	setenv backstay_root ${backstay_root_B}
else
	setenv backstay_part ${backstay_part_A}
	setenv backstay_root ${backstay_root_A}
fi
if test -n "${backstay_try}"; then
	echo "backstay: slot ${backstay_slot}, ${backstay_left} left"
else
	echo "backstay: slot ${backstay_slot}, confirmed"
fi
setenv backstay_trial
test -z "${backstay_try}" || setenv backstay_trial backstay.trial=1 backstay.deadline=${backstay_deadline}
setenv bootargs root=${backstay_root} backstay.slot=${backstay_slot} ${backstay_args}
run backstay_start

# No kernel, no system: the next start is counted, too.
echo "backstay: slot ${backstay_slot} cannot be started"
sleep ${backstay_pause}
reset
