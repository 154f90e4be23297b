MODULES += agent/net
