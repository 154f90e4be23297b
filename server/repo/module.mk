MODULES += server/repo
