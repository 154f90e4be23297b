MODULES += proto/trust
PURE    += proto/trust
