MODULES += server/bus
