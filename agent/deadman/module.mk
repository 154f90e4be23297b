MODULES  += agent/deadman
PROGRAMS += backstay-deadman
backstay-deadman_MAIN   := agent/deadman/main.c
backstay-deadman_STATIC := yes
