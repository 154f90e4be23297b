# Benchmarks: printed, never asserted. The data stays in BENCH_DIR for the next time.

BENCH_DIR   ?= build/bench
BENCH_N     ?= 5
BENCH_OBJ   := $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/*.c))

$(B)/tests/bench/bench_install: $(BENCH_OBJ) $(B)/tests/lib/httpd.o $(ARCHIVE)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $(filter %.o,$^) $(ARCHIVE) $(PKG_LIBS) $(EXTRA_LIBS) -o $@
-include $(BENCH_OBJ:.o=.d)

.PHONY: bench bench-install bench-install-run
bench: bench-install ## measure, and print tables
bench-install: ## an installation beside the limits of this machine (BENCH_DIR, BENCH_N rounds)
	@$(MAKE) --no-print-directory MODE=release bench-install-run
bench-install-run: $(B)/tests/bench/bench_install
	@mkdir -p $(BENCH_DIR)
	@$< $(BENCH_DIR) $(BENCH_N)

.PHONY: bench-metrics
bench-metrics: ## measure: what a scrape of the server costs: make bench-metrics N=10000
	@$(MAKE) --no-print-directory -j2 MODE=release all
	@rm -rf build/bench/metrics && mkdir -p build/bench/metrics
	@cd build/bench/metrics && BACKSTAY_SRC=$(CURDIR) BACKSTAY_BIN=$(CURDIR)/build/$(notdir $(CC))-release/bin \
		N=$(or $(N),10000) sh $(CURDIR)/tests/bench/metrics.sh
