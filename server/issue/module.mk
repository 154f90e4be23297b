MODULES += server/issue
