# make demo [BAG=path]   set up .venv, run the whole graph over a bag, draw what it sees
# make test              set up .venv, run the tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/demo
# names are quoted in the recipe, where the shell does not put the home folder for ~
at_home = $(patsubst ~/%,$(HOME)/%,$(1))
DEMO = $(call at_home,$(OUT))
DEMO_BAG = $(call at_home,$(BAG))
SECONDS_SIMULATED ?= 6
SEED ?= 7
EXTRAS_DEMO := cpu,simulation
EXTRAS_TEST := cpu,simulation,training,precision,dds,argoverse,scan-matching,test
EXTRAS_CHECK := $(EXTRAS_TEST),check

.PHONY: demo test check bench clean setup-demo setup-test setup-check

demo: setup-demo
ifdef BAG
	@if [ "$(DEMO_BAG)" -ef "$(DEMO)/bag" ] || [ "$$(dirname "$(DEMO_BAG)")" -ef "$(DEMO)/bag" ]; then \
	  echo "$(DEMO_BAG): the demo writes there; move the bag or choose another OUT" >&2; exit 2; fi
else
	@rm -rf "$(DEMO)/drive"
endif
	@rm -rf "$(DEMO)/bag" "$(DEMO)/view" "$(DEMO)/replay.json"
ifdef BAG
	$(BIN)/spatial-perception replay "$(DEMO_BAG)" --output "$(DEMO)/bag" --include-input --json "$(DEMO)/replay.json"
else
	$(BIN)/spatial-perception simulate "$(DEMO)/drive" --seconds $(SECONDS_SIMULATED) --seed $(SEED)
	$(BIN)/spatial-perception replay "$(DEMO)/drive" --output "$(DEMO)/bag" --include-input --json "$(DEMO)/replay.json"
endif
	$(BIN)/spatial-perception view "$(DEMO)/bag" --output "$(DEMO)/view"
	@echo
	@echo "Demo finished. Look at:"
	@echo "  $(DEMO)/view/report.html   pictures, counts and latencies in one page"
	@echo "  $(DEMO)/view/video.mp4     camera, bird's-eye view and occupancy grid"
	@echo "  $(DEMO)/bag                every result, for RViz, Foxglove and ros2 bag"

test: setup-test
	$(BIN)/python -m pytest -n 2 -q test

check: setup-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q test/test_layers.py

bench: setup-test
	$(BIN)/spatial-perception bench --json out/bench.json

clean:
	rm -rf out build install log $(VENV) *.egg-info

setup-demo: $(VENV)/.demo
setup-test: $(VENV)/.test
setup-check: $(VENV)/.check

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# open3d needs a few system libraries; where they cannot be installed the torch ray caster serves
$(VENV)/.system: $(BIN)/python
	@$(PYTHON) scripts/system_libraries.py
	@touch $@

$(VENV)/.demo: setup.py $(VENV)/.system
	$(BIN)/python -m pip install --quiet --editable ".[$(EXTRAS_DEMO)]"
	@$(BIN)/python -c "import open3d" 2>/dev/null \
	  || $(BIN)/python -m pip install --quiet --editable ".[training]"
	@touch $@

$(VENV)/.test: setup.py $(VENV)/.system
	$(BIN)/python -m pip install --quiet --editable ".[$(EXTRAS_TEST)]"
	@touch $@ $(VENV)/.demo

$(VENV)/.check: setup.py $(VENV)/.test
	$(BIN)/python -m pip install --quiet --editable ".[$(EXTRAS_CHECK)]"
	@touch $@
