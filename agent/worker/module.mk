MODULES += agent/worker
