MODULES += server/sign
