MODULES += server/export
