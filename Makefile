# Backstay. One makefile for the whole tree, read once, never recursive.
#
# Every directory with code has a module.mk that adds itself to MODULES and
# says whether it is pure. All objects but the programs' main files go into one
# archive; the linker takes what a program needs, and `make check-layers` keeps
# honest who may include whom.

MODE ?= debug
SAN  ?=
V    ?= 0
ifeq ($(origin CC),default)
CC := gcc
endif

VARIANT := $(notdir $(CC))-$(MODE)$(if $(SAN),-$(SAN))
B       := build/$(VARIANT)
Q       := $(if $(filter 0,$(V)),@)
say      = $(if $(filter 0,$(V)),@printf '  %-7s %s\n' '$(1)' '$(2)')

PKGS := jansson libcurl libarchive libzstd libsystemd libmicrohttpd gnutls sqlite3 libseccomp p11-kit-1
# Asked once, and only when something is to be built: `make deps` must work on
# a machine where none of these exist yet.
PKG_CFLAGS  = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS    = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)
EXTRA_LIBS := -lpaho-mqtt3as -lubootenv -lmbedtls -lmbedx509 -lmbedcrypto -lssl -lcrypto -linih -lpthread -lm

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla \
	-Wformat=2 -Wundef -Wimplicit-fallthrough -Wcast-align -Wwrite-strings \
	-Wpointer-arith -Wdouble-promotion -Werror
HARD := -fstack-protector-strong -fPIE
# What is only tested is linked by the fastest linker there is; what is shipped, by the compiler's own.
LINK_debug  := $(if $(shell command -v ld.lld),-fuse-ld=lld)
LDHARD := -pie -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--gc-sections

OPT_debug   := -O1 -g3
OPT_release := -O2 -g -ffunction-sections -fdata-sections
FORTIFY     := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
SAN_asan  := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_tsan  := -fsanitize=thread
SAN_ubsan := -fsanitize=undefined -fno-sanitize-recover=all
ifneq ($(SAN),)
FORTIFY :=
endif

CFLAGS_ALL  = -std=gnu17 -D_GNU_SOURCE -I. $(WARN) $(HARD) $(FORTIFY) $(OPT_$(MODE)) \
	$(SAN_$(SAN)) $(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = $(LDHARD) $(LINK_$(MODE)) $(SAN_$(SAN)) $(LDFLAGS)
# A program that says p_STATIC needs nothing besides itself; only the sanitizers do.
LDSTATIC     = $(if $(SAN),$(LDFLAGS_ALL),-static-pie $(filter-out -pie,$(LDHARD)) $(LDFLAGS))

.DEFAULT_GOAL := all
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:

# ---- the tree ---------------------------------------------------------------
MODULES  :=
PURE     :=
PROGRAMS :=
include $(sort $(shell find . -name module.mk -not -path './build/*' -printf '%P\n'))

SRC      := $(foreach m,$(MODULES),$(wildcard $(m)/*.c))
MAINS    := $(foreach p,$(PROGRAMS),$($(p)_MAIN))
LIB_OBJ  := $(patsubst %.c,$(B)/%.o,$(filter-out $(MAINS),$(SRC)))
ARCHIVE  := $(B)/libbackstay.a
BINS     := $(addprefix $(B)/bin/,$(PROGRAMS))

.PHONY: all
all: $(ARCHIVE) $(BINS) ## build every program into build/<variant>/bin

$(ARCHIVE): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsT $@ $^

# .build-flags changes only when the flags do, and then everything is rebuilt.
$(B)/.build-flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL)' | cmp -s - $@ || echo '$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL)' > $@
.PHONY: FORCE
FORCE:

$(B)/%.o: %.c $(B)/.build-flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $($(patsubst %/,%,$(dir $<))_CFLAGS) -MMD -MP -c $< -o $@

define program
$(B)/bin/$(1): $$(patsubst %.c,$(B)/%.o,$$($(1)_MAIN)) $(ARCHIVE)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(if $$($(1)_STATIC),$$(LDSTATIC),$$(LDFLAGS_ALL)) $$(filter %.o,$$^) $(ARCHIVE) \
		$$(if $$($(1)_STATIC),,$$(PKG_LIBS) $(EXTRA_LIBS) $$($(1)_LIBS)) -o $$@
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

include tests/tests.mk
include tests/demo/demo.mk
include tests/bench/programs.mk
include tests/bench/judge/judge.mk
include tests/sim/matrix.mk
include tests/bench/fleet/fleet.mk
include tests/sim/sim.mk
include tests/vm/vm.mk
include packaging/packaging.mk

# ---- for editors ---------------------------------------------------------------
.PHONY: compile_commands.json
compile_commands.json: $(B)/.build-flags ## write the compilation database
	$(file >$(B)/commands)$(foreach f,$(SRC) $(TEST_SRC) $(wildcard tests/lib/*.c),$(file \
		>>$(B)/commands,$(CC) $(CFLAGS_ALL) $($(patsubst %/,%,$(dir $(f)))_CFLAGS) -c $(f)))
	@jq -Rn --arg dir '$(CURDIR)' '[inputs | select(. != "") | {directory: $$dir, file: split(" ")[-1], command: .}]' \
		$(B)/commands > $@

.PHONY: deps
deps: ## install what is missing of the Debian packages this tree needs
	@packaging/install-deps

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## list the targets
	@echo 'make [target] [CC=gcc|clang] [MODE=debug|release] [SAN=asan|tsan|ubsan] [V=1]'
	@echo
	@cat $(MAKEFILE_LIST) | sed -n 's/^\([a-zA-Z_.-]*\):.*## \(.*\)$$/  \1|\2/p' | sort -u | \
		awk -F'|' '{ printf "%-24s %s\n", $$1, $$2 }'

-include $(LIB_OBJ:.o=.d) $(patsubst %.c,$(B)/%.d,$(MAINS))
