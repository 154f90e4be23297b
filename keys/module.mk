MODULES += keys
