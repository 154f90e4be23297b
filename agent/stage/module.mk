MODULES += agent/stage
