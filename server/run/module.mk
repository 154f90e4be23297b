MODULES += server/run
