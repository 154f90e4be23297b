MODULES += agent/health
