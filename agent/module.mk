MODULES += agent
