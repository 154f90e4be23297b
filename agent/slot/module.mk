MODULES += agent/slot
