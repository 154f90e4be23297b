MODULES += server/db
