# Tests. tests/unit, tests/machine and tests/fault hold one program per test_*.c.

TEST_KINDS := unit machine fault
TEST_SRC   := $(foreach k,$(TEST_KINDS),$(wildcard tests/$(k)/test_*.c))
SYSTEM_SRC := $(wildcard tests/system/test_*.c)
TEST_BIN   := $(patsubst %.c,$(B)/%,$(TEST_SRC) $(SYSTEM_SRC))
TEST_LIB   := $(B)/libtest.a
TEST_LIB_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
FUZZ_SRC   := $(wildcard tests/fuzz/fz_*.c)

# An archive, so that a program gets what it uses and not all of it; a thin one, for it never leaves this tree.
$(TEST_LIB): $(TEST_LIB_O)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsT $@ $^

# What has verified once in a test program is not computed again there, but where signatures are what is tested.
SIG_ONCE  := $(B)/tests/lib/wrap/sig_verify.o
SIG_TESTS := $(patsubst %,$(B)/tests/unit/test_%,sig vectors verify)
once       = $(if $(filter $(filter-out $(SIG_TESTS),$(TEST_BIN)),$@),-Wl$(comma)--wrap=sig_verify $(SIG_ONCE))
comma     := ,

$(B)/tests/%: $(B)/tests/%.o $(SIG_ONCE) $(TEST_LIB) $(ARCHIVE)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $< $(once) $(TEST_LIB) $(ARCHIVE) -lcmocka $(PKG_LIBS) $(EXTRA_LIBS) -o $@

-include $(TEST_BIN:=.d) $(TEST_LIB_O:.o=.d) $(SIG_ONCE:.o=.d)
-include $(patsubst %.c,$(B)/%.d,$(wildcard tests/tools/*.c))

.PHONY: tests $(addprefix check-,$(TEST_KINDS))
tests: $(TEST_BIN) ## build the test programs

define run_kind
check-$(1): ## run tests/$(1)
check-$(1): $(filter $(B)/tests/$(1)/%,$(TEST_BIN)) $(BINS)
	@tests/tools/run-tests $(1) $$(filter $(B)/tests/$(1)/%,$$^)
endef
$(foreach k,$(TEST_KINDS),$(eval $(call run_kind,$(k))))

.PHONY: check-power
check-power: SHELL := bash
check-power: .SHELLFLAGS := -o pipefail -c
check-power: $(filter $(B)/tests/fault/%,$(TEST_BIN)) $(BINS) ## cut the power, break the disk, damage files; LONG=1: everywhere, and twice
	@{ $(if $(LONG),BACKSTAY_LONG=1 BACKSTAY_PROGRESS=3 LIMIT=7200) tests/tools/run-tests fault $(filter $(B)/tests/%,$^) | \
		tests/tools/count-cuts; } 3>&1

.PHONY: check-system
check-system: all $(patsubst %.c,$(B)/%,$(SYSTEM_SRC)) ## run tests/system: the real programs on loopback
	@tests/tools/run-system $(B)/bin

# Real boot loaders in an emulator: a minute or two, and packages of its own (packaging/debian-packages-boot.txt).
.PHONY: check-boot
check-boot: $(B)/tests/boot/bootenv ## start GRUB and others with what the agent writes for them, and see what they choose
	@packaging/install-deps boot
	@for t in tests/boot/*.sh; do case $$t in */lib.sh) ;; *) BOOTENV=$(CURDIR)/$< $$t || exit 1 ;; esac; done
.PHONY: check-net
check-net: $(BINS) ## install over networks that lose, cut, reset, delay and move: as root, in namespaces, minutes
	@packaging/install-deps net
	@tests/net/run $(B)/bin

# One program of many files: see tests/attack/attack.h. make check-attack A=json runs those with this in their names.
ATTACK_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/attack/*.c))
$(B)/tests/attack/test_attack: $(ATTACK_OBJ) $(TEST_LIB) $(ARCHIVE)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $(ATTACK_OBJ) $(TEST_LIB) $(ARCHIVE) -lcmocka $(PKG_LIBS) $(EXTRA_LIBS) -o $@
$(B)/tests/attack/shim/%.so: tests/attack/shim/%.c $(B)/.build-flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -fPIC -shared $< -o $@
ATTACK_SHIM := $(patsubst %.c,$(B)/%.so,$(wildcard tests/attack/shim/*.c))
-include $(ATTACK_OBJ:.o=.d)
.PHONY: check-attack
check-attack: $(B)/tests/attack/test_attack $(ATTACK_SHIM) $(BINS) ## try every attack of docs/attacks.md on the real programs
	@tests/tools/run-attack $(B) $(A)

.PHONY: check-tuf
check-tuf: $(BINS) ## the TUF community's client tests: make check-tuf SUITE=DIR (docs/conformance.md)
	@tests/conformance/run-suite '$(SUITE)' $(B)/bin/backstay $(PYTEST)
	@tests/conformance/our-server '$(SUITE)' $(B)/bin

# ---- what is checked without running anything ----------------------------------
C_FILES = $(shell git ls-files '*.c' '*.h' | grep -v '\.tbl\.h$$')
.PHONY: check-format fmt tidy cppcheck lint
check-format: ## is everything formatted?
	@clang-format --dry-run -Werror $(C_FILES) 2>&1 | grep -o '^[^:]*:[0-9]*' | sort -u | grep . && exit 1 || echo "format: $(words $(C_FILES)) files"
fmt: ## format everything
	@clang-format -i $(C_FILES)
# One file a run: in the second file of a run clang-tidy 14 no longer knows va_start. A file whose object did not change
# is not read again.
TIDY = $(patsubst %.c,$(B)/%.tidy,$(SRC))
tidy: ## clang-tidy over the product
	@$(MAKE) --no-print-directory -k -j2 $(TIDY)
	@echo "tidy: $(words $(TIDY)) files, no finding"
$(B)/%.tidy: $(B)/%.o .clang-tidy
	$(call say,TIDY,$*.c)
	$(Q)clang-tidy --quiet $*.c -- $(CFLAGS_ALL) $($(patsubst %/,%,$(dir $*))_CFLAGS) 2>$@.log || \
		{ cat $@.log; exit 1; }
	@touch $@
# Cppcheck 2.10 takes an attribute after a pointer to a function for a syntax error, and gives up the file. -D alone
# would be defined again by the header, -U alone leaves the word there.
CPPCHECK_SRC = $(filter %.c,$(C_FILES))
cppcheck: ## cppcheck over every C file
	@cppcheck -q -j2 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 --std=c17 \
		--suppress=missingIncludeSystem --suppressions-list=tests/tools/cppcheck.txt \
		--library=tests/tools/cppcheck.cfg -DMUST_CHECK= -UMUST_CHECK -I. $(CPPCHECK_SRC)
	@echo "cppcheck: $(words $(CPPCHECK_SRC)) files, no finding"
lint: check-format cppcheck tidy ## all of these

# ---- pages made from the tables -----------------------------------------------------
$(B)/reference $(B)/machine: $(B)/%: $(B)/tests/tools/%.o $(ARCHIVE)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $< $(ARCHIVE) $(PKG_LIBS) $(EXTRA_LIBS) -o $@
.PHONY: docs check-docs
docs: $(B)/reference $(B)/machine ## write docs/reference and docs/update-machine.md from the tables
	@$(B)/machine > docs/update-machine.md
	@mkdir -p docs/reference && for p in $$($<); do $< $$p > docs/reference/$$p.md; done
check-docs: $(B)/reference $(B)/machine check-manual ## are these pages what the tables say?
	@$(B)/machine | diff -u docs/update-machine.md - || { echo "run: make docs"; exit 1; }
	@for p in $$($<); do $< $$p | diff -u docs/reference/$$p.md - || { echo "run: make docs"; exit 1; }; done
	@echo "docs: $$($< | wc -l) pages agree with the tables"

# ---- everything -------------------------------------------------------------------
# gcc runs all; clang with ASan and UBSan runs what is in one process, campaigns at each fourth place; clang alone proves that
# it builds, and agrees on the machines. Much of the first is waiting and most of the rest is work, building too, so they run side by side; the lines of the rest say
# which build they are of. The fuzz targets run when both are over, for they get seconds, not turns.
RUN   = @$(MAKE) --no-print-directory
JOBS := $(shell nproc)
NAMED = 2>&1 | sed -u 's/^/$(1): /'
.PHONY: check check-by-gcc check-by-clang
check: ## install what is missing, build with gcc and clang, run all tests (short campaigns)
	@packaging/install-deps
	@date +%s > .check-began
	$(RUN) check-layers check-format
	$(RUN) -j$(JOBS) CC=gcc all tests
	$(RUN) -j2 check-by-gcc check-by-clang
	$(RUN) check-sim-same
	$(RUN) fuzz S=2
	@echo "check: all green in $$(( $$(date +%s) - $$(cat .check-began) )) s"; rm -f .check-began
check-by-gcc:
	$(RUN) -j1 CC=gcc check-pure check-docs check-matrix-short check-system check-attack check-unit check-machine check-sim-short check-fault
check-by-clang: SHELL := bash
check-by-clang: .SHELLFLAGS := -o pipefail -c
check-by-clang:
	$(RUN) -j$(JOBS) CC=clang SAN=asan all tests $(call NAMED,asan)
	@BACKSTAY_EVERY=4 $(MAKE) --no-print-directory -j1 CC=clang SAN=asan check-unit check-machine check-sim-short check-fault $(call NAMED,asan)
	$(RUN) -j$(JOBS) CC=clang all $(call NAMED,clang)
	$(RUN) -j1 CC=clang check-machine check-sim-short $(call NAMED,clang)
	$(RUN) -j1 cppcheck
	$(RUN) -j$(JOBS) fuzz-build $(call NAMED,fuzz)

.PHONY: check-layers check-pure
check-layers: ## prove that every include respects the layers
	@tests/tools/check-layers
check-pure: $(LIB_OBJ) ## prove by the symbol table that the pure directories do no I/O
	@tests/tools/check-pure $(B) $(PURE)
	@twice=$$(nm -g --defined-only $(LIB_OBJ) | awk 'NF == 3 { print $$3 }' | sort | uniq -d); \
		[ -z "$$twice" ] || { echo "defined twice, and the linker takes either:" $$twice; exit 1; }

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

include tests/bench/bench.mk
