MODULES += server/hook
