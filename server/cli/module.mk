MODULES  += server/cli
PROGRAMS += backstay
backstay_MAIN := server/cli/main.c
