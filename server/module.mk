MODULES  += server
PROGRAMS += backstay-server
backstay-server_MAIN := server/main.c
