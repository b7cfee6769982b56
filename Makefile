# A thin front: everything that builds stands in CMakeLists.txt and CMakePresets.json.
# `make help` lists the targets.

JOBS ?= $(shell nproc)
PYTHON ?= python3
FUZZ_SECONDS ?= 60

# Debian's names. ocl-icd-opencl-dev: Debian's oneDNN asks CMake for OpenCL.
PACKAGES = gcc g++ libc6-dev clang libclang-rt-dev clang-format cmake ninja-build pkgconf \
           libdnnl-dev ocl-icd-opencl-dev libgomp1 libglib2.0-dev libvips-dev libexif-dev libjansson-dev \
           libmatio-dev libproj-dev libgdal-dev libsqlite3-dev libmicrohttpd-dev libjs-leaflet \
           libcmocka-dev python3 curl chromium

all: build

help:
	@echo "make build    the program, build/geoviewmatch"
	@echo "make test     everything: gcc, clang, sanitizers; each layer under each instruction set"
	@echo "make golden   the full-size network against PyTorch, where PyTorch and timm are installed"
	@echo "make demo     a drawn town, a map of it, and where panoramas in it were taken"
	@echo "make nano     the built-in weights, trained again from nothing (hours)"
	@echo "make bench    this machine's speed, the paper's cost table, search, training and ranking"
	@echo "make bench-serve  the service under load, beside locate (needs wrk: apt-get install wrk)"
	@echo "make fuzz     each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)"
	@echo "make install  into PREFIX=/usr/local, under DESTDIR"
	@echo "make deps     install the Debian packages that are missing"
	@echo "make format   clang-format on all sources"
	@echo "make clean    remove what was built"
	@echo "make debug    a build for a debugger, build-debug/"

# Root is asked for only where a package is missing. On a system without dpkg: see PACKAGES.
deps:
	@missing=; command -v dpkg-query > /dev/null || { echo "not a Debian system; needed: $(PACKAGES)"; exit 0; }; \
	for p in $(PACKAGES); do \
	    dpkg-query -W -f '$${db:Status-Status}\n' $$p 2> /dev/null | grep -qx installed || missing="$$missing $$p"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	root=; \
	if [ "$$(id -u)" != 0 ]; then \
	    command -v sudo > /dev/null || { echo "needs root for: apt-get install$$missing"; exit 1; }; \
	    root=sudo; echo "asking for root (sudo) to install:$$missing"; \
	fi; \
	$$root apt-get -q update && \
	$$root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $$missing < /dev/null

build: deps
	cmake --preset release > /dev/null
	cmake --build --preset release -j $(JOBS)

debug: deps
	cmake --preset debug > /dev/null
	cmake --build --preset debug -j $(JOBS)

# Three builds, warnings as errors; the summaries come last. One test more than cores, as some wait.
test: deps
	cmake --preset release -DGVM_WERROR=ON > /dev/null
	cmake --preset release-clang -DGVM_WERROR=ON > /dev/null
	cmake --preset sanitize -DGVM_WERROR=ON > /dev/null
	cmake --build --preset release -j $(JOBS)
	cmake --build --preset release-clang -j $(JOBS)
	cmake --build --preset sanitize -j $(JOBS)
	status=0; for preset in release-clang sanitize release; do \
	    ctest --preset $$preset -j $$(($(JOBS) + 1)) || status=1; \
	done; exit $$status
	@if $(PYTHON) -c 'import timm' 2> /dev/null; then $(MAKE) --no-print-directory golden; \
	else echo "not compared at full size: that needs PyTorch and timm (tools/requirements.txt)"; fi

# The paper's full-size network and timm's weights, about 700 MB that PyTorch computes once.
golden: build
	[ -f build/golden/timm_golden.safetensors ] || $(PYTHON) tools/make_golden.py --full build/golden --timm build/golden
	GVM_GOLDEN_FULL=build/golden build/test_network tests/golden
	$(PYTHON) tools/check_training.py --program build/geoviewmatch

# The built-in weights again, from nothing: hours.
nano: build
	tools/make_nano.sh build/geoviewmatch build/nano

demo: build
	build/geoviewmatch demo --out build/demo

# The other engines are timed beside it where Python has PyTorch.
bench: build
	build/geoviewmatch bench
	build/geoviewmatch bench --search
	build/geoviewmatch bench --learning
	@if $(PYTHON) -c 'import torch' 2> /dev/null; then $(PYTHON) bench/peers.py; \
	else echo "no comparison with other engines: see bench/peers.py"; fi

bench-serve: build
	bench/serve_load.sh build/geoviewmatch

fuzz: deps
	cmake --preset fuzz > /dev/null
	cmake --build --preset fuzz -j $(JOBS)
	cmake/fuzz.sh build-fuzz $(FUZZ_SECONDS)

install: build
	cmake --install build $(if $(PREFIX),--prefix $(PREFIX))

format:
	clang-format -i $$(find src include tests examples -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.cpp')

clean:
	rm -rf build build-*

.PHONY: all help deps build debug test golden nano demo bench bench-serve fuzz install format clean
