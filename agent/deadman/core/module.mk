MODULES += agent/deadman/core
PURE    += agent/deadman/core
