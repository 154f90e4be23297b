# The proof on a machine that boots: see tests/vm/README.md. Minutes, so not a part of `make check`.
VM   := build/vm
CUTS ?= 10
SEED ?=
ONLY ?=

.PHONY: check-vm vm-image
vm-image: deb ## make the machine that check-vm boots, in build/vm
	@[ "$$(id -u)" = 0 ] || { echo "check-vm makes a Debian root, and must be root for that" >&2; exit 1; }
	@packaging/install-deps vm
	@mkdir -p $(VM)
	@tests/vm/make-base $(VM)/base.tar build/deb/backstay-agent_*.deb build/deb/backstay-tools_*.deb
	@$(CC) -std=gnu17 -D_GNU_SOURCE -O2 -static -o $(VM)/workload tests/vm/guest/workload.c
	@tests/vm/make-slot $(VM)/base.tar $(VM)/workload $(VM)/tree $(VM)/slot.img build/deb/backstay-agent_*.deb build/deb/backstay-tools_*.deb
check-vm: vm-image ## boot, update, break and cut a real machine in qemu: make check-vm CUTS=100 SEED=1 ONLY=good,panic
	@echo 'check-vm: not a part of make check: one start of an emulated machine takes as long as most of its tests'
	@PYTHONDONTWRITEBYTECODE=1 tests/vm/run-vm $(VM) $$(ls -td build/deb/backstay-*/build/gcc-release/bin | head -1) --cuts $(CUTS) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))
