MODULES += agent/ctl
