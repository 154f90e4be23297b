MODULES += server/pack
