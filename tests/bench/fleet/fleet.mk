# make bench-fleet N=10000 RUNS=3: a whole campaign over real sockets against one server, signer and broker.
FLEET_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/fleet/*.c))

$(B)/tests/bench/fleet/bench_fleet: $(FLEET_OBJ) $(ARCHIVE)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $(FLEET_OBJ) $(ARCHIVE) $(PKG_LIBS) $(EXTRA_LIBS) -lmosquitto -o $@
-include $(FLEET_OBJ:.o=.d)

.PHONY: bench-fleet
bench-fleet: ## measure: a campaign over real sockets: make bench-fleet N=10000 RUNS=3
	@packaging/install-deps
	@packaging/install-deps fleet
	@$(MAKE) --no-print-directory -j2 MODE=release all build/$(notdir $(CC))-release/tests/bench/fleet/bench_fleet
	@rm -rf build/bench/fleet && mkdir -p build/bench/fleet
	@cd build/bench/fleet && BACKSTAY_SRC=$(CURDIR) BACKSTAY_BIN=$(CURDIR)/build/$(notdir $(CC))-release/bin \
		FLEET=$(CURDIR)/build/$(notdir $(CC))-release/tests/bench/fleet/bench_fleet N=$(or $(N),10000) RUNS=$(or $(RUNS),3) sh $(CURDIR)/tests/bench/fleet.sh

.PHONY: check-fleet-kill
check-fleet-kill: ## kill -9 server, signer, broker and devices throughout a campaign: make check-fleet-kill N=1000 SEED=1 (minutes)
	@packaging/install-deps
	@packaging/install-deps fleet
	@$(MAKE) --no-print-directory -j2 all $(B)/tests/bench/fleet/bench_fleet
	@rm -rf build/fleet-kill && mkdir -p build/fleet-kill
	@cd build/fleet-kill && BACKSTAY_SRC=$(CURDIR) BACKSTAY_BIN=$(CURDIR)/$(B)/bin FLEET=$(CURDIR)/$(B)/tests/bench/fleet/bench_fleet \
		N=$(or $(N),1000) SEED=$(or $(SEED),1) sh $(CURDIR)/tests/bench/fleet_kill.sh
