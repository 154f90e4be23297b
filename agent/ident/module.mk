MODULES += agent/ident
