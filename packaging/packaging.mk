# Debian packages: see packaging/README.md.

.PHONY: deb
deb: ## build the Debian packages into build/deb
	@packaging/install-deps
	@packaging/install-deps deb
	@packaging/make-deb build/deb
