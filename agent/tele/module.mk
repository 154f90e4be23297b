MODULES += agent/tele
