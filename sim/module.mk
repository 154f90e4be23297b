MODULES += sim
PURE    += sim
