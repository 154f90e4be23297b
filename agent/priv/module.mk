MODULES += agent/priv
PURE    += agent/priv
