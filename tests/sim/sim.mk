# The fleet in virtual time: make check-sim RUNS=20 DEVICES=100000 SEED=1 (DEVICES: those of each file unless given).
SCENARIOS := $(sort $(wildcard manifests/scenarios/*.json))
SIM_RUNS  ?= $(or $(RUNS),20)
SIM_SEED  ?= $(or $(SEED),1)

$(B)/tests/sim/scenarios: $(B)/tests/sim/scenarios.o $(ARCHIVE)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $< $(ARCHIVE) $(PKG_LIBS) $(EXTRA_LIBS) -o $@
-include $(B)/tests/sim/scenarios.d

.PHONY: check-sim check-sim-run check-sim-short check-sim-same check-arms check-arms-run
check-sim: ## simulate fleets: every scenario, its laws and its end: make check-sim RUNS=20 DEVICES=100000 SEED=1
	@$(MAKE) --no-print-directory MODE=release check-sim-run
check-sim-run: $(B)/tests/sim/scenarios
	@$< -r $(SIM_RUNS) -s $(SIM_SEED) $(if $(DEVICES),-n $(DEVICES)) $(SCENARIOS)
# Seconds: one seed, few devices. What it prints is the same by every compiler, to the byte.
check-arms: ## simulate campaigns in bad weather: how many are given up for nothing: make check-arms N=2000 SEED=1
	@$(MAKE) --no-print-directory MODE=release check-arms-run
check-arms-run: $(B)/tests/sim/arms
	@$< $(or $(N),2000) $(SIM_SEED) faults
check-sim-short: $(B)/tests/sim/scenarios $(B)/tests/sim/arms
	@$(B)/tests/sim/arms 10 > $(B)/arms.txt || { cat $(B)/arms.txt; exit 1; }
	@$< $(SCENARIOS) > $(B)/sim.txt || { cat $(B)/sim.txt; exit 1; }
	@tail -1 $(B)/sim.txt
check-sim-same:
	@for v in clang-debug-asan clang-debug; do cmp build/gcc-debug/sim.txt build/$$v/sim.txt || exit 1; done
	@echo "sim: gcc, clang and sanitizers agree on every course"
$(B)/tests/sim/arms: $(B)/tests/sim/arms.o $(ARCHIVE)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $< $(ARCHIVE) $(PKG_LIBS) $(EXTRA_LIBS) -o $@
-include $(B)/tests/sim/arms.d
