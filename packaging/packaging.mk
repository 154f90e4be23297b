# Debian packages: see packaging/README.md.

# Pages of the manual, made from the tables; the packages install them.
MANUAL_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard packaging/manual/*.c))
$(B)/manual: $(MANUAL_OBJ) $(ARCHIVE)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $(MANUAL_OBJ) $(ARCHIVE) $(PKG_LIBS) $(EXTRA_LIBS) -o $@
-include $(MANUAL_OBJ:.o=.d)

.PHONY: check-manual
check-manual: $(B)/manual ## are the pages of the manual good mdoc, and do bash and zsh complete?
	@packaging/check-manual $<
	@packaging/check-completion $<

.PHONY: deb check-deb
deb: ## build the Debian packages into build/deb
	@packaging/install-deps
	@packaging/install-deps deb
	@packaging/make-deb build/deb
check-deb: deb ## lintian; the packages' services in a booted container: exposure, start, upgrade, remove, purge
	@packaging/make-deb --next build/deb >/dev/null
	@packaging/check-deb build/deb

# A minute, and promtool out of Debian's prometheus, which is fetched and not installed.
.PHONY: check-monitoring
check-monitoring: $(BINS) ## has promtool read and try the alert rules, and read the metrics of a real server
	@packaging/check-monitoring $(B)/bin
