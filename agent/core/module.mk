MODULES += agent/core
PURE    += agent/core
