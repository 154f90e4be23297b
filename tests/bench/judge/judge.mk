# make bench-judge N=4000 SEED=1: the judge's operating characteristics, simulated, beside the published ones.
JUDGE_N    ?= $(or $(N),4000)
JUDGE_SEED ?= $(or $(SEED),1)

$(B)/tests/bench/judge/bench_judge: $(B)/tests/bench/judge/bench_judge.o $(ARCHIVE)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $< $(ARCHIVE) $(PKG_LIBS) $(EXTRA_LIBS) -o $@
-include $(B)/tests/bench/judge/bench_judge.d

.PHONY: bench-judge bench-judge-run
bench-judge: ## simulate the judge: make bench-judge N=4000 SEED=1
	@$(MAKE) --no-print-directory MODE=release bench-judge-run
bench-judge-run: $(B)/tests/bench/judge/bench_judge
	@$< $(JUDGE_N) $(JUDGE_SEED)
