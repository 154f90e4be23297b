MODULES += agent/precond
