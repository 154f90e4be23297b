MODULES += server/core
PURE    += server/core
