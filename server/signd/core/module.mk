MODULES += server/signd/core
PURE    += server/signd/core
