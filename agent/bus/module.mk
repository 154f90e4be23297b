MODULES += agent/bus
