# The demo: the main job, told line by line. A transcript is left in build/demo.

DEMO := build/demo
.PHONY: demo demo-stop
demo: ## install, build, and play five releases through ten plate readers (KEEP=1, CHAOS=1); SCENARIO=NAME: another story
	@packaging/install-deps
	@$(MAKE) --no-print-directory -j2 all
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	@cd $(DEMO) && { BACKSTAY_SRC=$(CURDIR) BACKSTAY_BIN=$(CURDIR)/$(B)/bin sh $(CURDIR)/tests/demo/demo.sh; \
		echo $$? > exit; } 2>&1 | tee transcript.txt; exit $$(cat exit || echo 1)
demo-stop: ## stop what `make demo KEEP=1` left running
	@cd $(DEMO) && BACKSTAY_SRC=$(CURDIR) BACKSTAY_BIN=$(CURDIR)/$(B)/bin sh -c '. $(CURDIR)/tests/system/lib.sh; stop_all'
