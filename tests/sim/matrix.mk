# make check-matrix HOURS=10000 SEED=1: the false-rollback matrix, by the real trigger core and update machine in virtual time.
MATRIX_HOURS ?= $(or $(HOURS),10000)
MATRIX_SEED  ?= $(or $(SEED),1)
MATRIX_OBJ   := $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/matrix*.c))

$(B)/tests/sim/matrix: $(MATRIX_OBJ) $(ARCHIVE)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $^ $(PKG_LIBS) $(EXTRA_LIBS) -o $@
-include $(MATRIX_OBJ:.o=.d)

.PHONY: check-matrix check-matrix-run check-matrix-short
check-sim: check-matrix
check-matrix: ## no false rollback in 10,000 device-hours of trouble, every true fault found: make check-matrix HOURS=N SEED=N
	@$(MAKE) --no-print-directory MODE=release check-matrix-run
check-matrix-run: $(B)/tests/sim/matrix
	@$< $(MATRIX_HOURS) $(MATRIX_SEED)
# The same in a few seconds.
check-matrix-short: $(B)/tests/sim/matrix
	@$< 66 $(MATRIX_SEED) >$(B)/tests/sim/matrix.log || { cat $(B)/tests/sim/matrix.log; exit 1; }
	@awk '/^in all/ { print "matrix: " $$4 " device-hours of trouble, " $$5 " false rollbacks" }' $(B)/tests/sim/matrix.log
