MODULES += proto/wire
PURE    += proto/wire
