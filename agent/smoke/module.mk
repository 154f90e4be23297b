MODULES += agent/smoke
