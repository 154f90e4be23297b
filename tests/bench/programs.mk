# Benchmarks of the running programs: medians with min and max, as markdown. Nothing here is asserted in a test.

.PHONY: bench bench-server bench-agent
bench: bench-server bench-agent
define run_bench
	@packaging/install-deps
	@$(MAKE) --no-print-directory -j2 MODE=release all
	@rm -rf build/bench/$(1) && mkdir -p build/bench/$(1)
	@cd build/bench/$(1) && BACKSTAY_SRC=$(CURDIR) BACKSTAY_BIN=$(CURDIR)/build/$(notdir $(CC))-release/bin sh $(CURDIR)/tests/bench/$(1).sh
endef
bench-server: ## measure: polls per second of the server
	$(call run_bench,server)
bench-agent: ## measure: idle memory, start, trigger to old version running, campaign start to first step
	$(call run_bench,agent)
