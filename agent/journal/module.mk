MODULES += agent/journal
