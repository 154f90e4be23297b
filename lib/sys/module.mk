MODULES += lib/sys
