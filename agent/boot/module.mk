MODULES += agent/boot
