MODULES += agent/probe
