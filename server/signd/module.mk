MODULES  += server/signd
PROGRAMS += backstay-signer
backstay-signer_MAIN := server/signd/main.c
