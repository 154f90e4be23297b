MODULES += agent/shadow
