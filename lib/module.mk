MODULES += lib
PURE    += lib
