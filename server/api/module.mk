MODULES += server/api
