# Tests. tests/unit, tests/machine and tests/fault hold one program per test_*.c.

TEST_KINDS := unit machine fault
TEST_SRC   := $(foreach k,$(TEST_KINDS),$(wildcard tests/$(k)/test_*.c))
TEST_BIN   := $(patsubst %.c,$(B)/%,$(TEST_SRC))
TEST_LIB   := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
FUZZ_SRC   := $(wildcard tests/fuzz/fz_*.c)

$(B)/tests/%: $(B)/tests/%.o $(TEST_LIB) $(ARCHIVE)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $< $(TEST_LIB) $(ARCHIVE) -lcmocka $(PKG_LIBS) $(EXTRA_LIBS) -o $@
.PRECIOUS: $(B)/tests/%.o

-include $(TEST_BIN:=.d) $(TEST_LIB:.o=.d)

.PHONY: tests $(addprefix check-,$(TEST_KINDS))
tests: $(TEST_BIN) ## build the test programs

define run_kind
check-$(1): $(filter $(B)/tests/$(1)/%,$(TEST_BIN)) $(BINS)
	@tests/tools/run-tests $(1) $$(filter $(B)/tests/$(1)/%,$$^)
endef
$(foreach k,$(TEST_KINDS),$(eval $(call run_kind,$(k))))

.PHONY: check-layers check-pure
check-layers: ## prove that every include respects the layers
	@tests/tools/check-layers
check-pure: $(LIB_OBJ) ## prove by the symbol table that the pure directories do no I/O
	@tests/tools/check-pure $(B) $(PURE)

# ---- fuzzing: clang, libFuzzer, one target per parser -------------------------
FB := build/fuzz
T  ?= $(patsubst tests/fuzz/fz_%.c,%,$(FUZZ_SRC))
S  ?= 60
.PHONY: fuzz fuzz-build
fuzz-build: ## build every fuzz target with clang
	@$(MAKE) --no-print-directory CC=clang SAN=fuzz fuzz-bins
fuzz: fuzz-build ## fuzz: make fuzz T=json S=60 (T: one or more names, S: seconds each)
	@tests/tools/run-fuzz $(S) $(T)
SAN_fuzz := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ifeq ($(SAN),fuzz)
FORTIFY :=
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(FB)/%,$(FUZZ_SRC))
.PHONY: fuzz-bins
fuzz-bins: $(FUZZ_BIN)
$(FB)/%: $(B)/tests/fuzz/%.o $(TEST_LIB) $(ARCHIVE)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer $< $(TEST_LIB) $(ARCHIVE) -lcmocka $(PKG_LIBS) $(EXTRA_LIBS) -o $@
endif
