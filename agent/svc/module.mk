MODULES += agent/svc
