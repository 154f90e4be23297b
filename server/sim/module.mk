MODULES += server/sim
PURE    += server/sim
