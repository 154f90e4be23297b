# Debian packages: see packaging/README.md.

.PHONY: deb check-deb
deb: ## build the Debian packages into build/deb
	@packaging/install-deps
	@packaging/install-deps deb
	@packaging/make-deb build/deb
check-deb: deb ## lintian; the packages' services in a booted container: exposure, start, upgrade, remove, purge
	@packaging/check-deb build/deb
