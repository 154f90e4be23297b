MODULES += server/web
