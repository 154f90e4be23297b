MODULES += agent/push
