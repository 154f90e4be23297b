PROGRAMS           += print-machine
print-machine_MAIN := docs/print_machine.c

.PHONY: docs
docs: $(B)/bin/print-machine ## print the documents that are made from tables
	$(Q)$(B)/bin/print-machine >docs/update-machine.md
