# Shortcuts only: the build is in CMakeLists.txt and CMakePresets.json.
# `make help` lists the targets.

JOBS ?= $(shell nproc)
PYTHON ?= python3
FUZZ_SECONDS ?= 60
FUZZ_PRESET ?= fuzz

all: build

help:
	@echo "make build    the program and the library, build/; installs nothing"
	@echo "make demo     a drawn town, a map of it, and where panoramas in it were taken; installs what is missing"
	@echo "make check    the quick tests, one build"
	@echo "make test     everything: gcc, clang, sanitizers; each layer under each instruction set"
	@echo "make install  into PREFIX=/usr/local, under DESTDIR"
	@echo "make deps     install the Debian packages that building needs"
	@echo "make deps-test  and those that testing needs, a browser among them"
	@echo "make golden   the full-size networks against PyTorch, where PyTorch and timm are installed"
	@echo "make nano     the built-in weights, trained again from nothing (hours)"
	@echo "make bench    this machine's speed, the paper's cost table, search, training and ranking"
	@echo "make bench-serve  the service under load, beside locate (needs wrk: apt-get install wrk)"
	@echo "make fuzz     each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS), FUZZ_PRESET=fuzz-fast without sanitizers"
	@echo "make faults   each allocation, thread and call on a file of the commands and the service failing in turn (hours)"
	@echo "make coverage  how many of each folder's lines the tests reach (needs gcovr)"
	@echo "make man      the manual page's part on the commands, from the program's own tables"
	@echo "make format   clang-format on all sources"
	@echo "make clean    remove what was built"
	@echo "make debug    a build for a debugger, build-debug/"

deps:
	@cmake/packages.sh --install build

deps-test:
	@cmake/packages.sh --install build test

# Only the shipped targets. A new folder is configured without tests, which need more packages.
build:
	@cmake/packages.sh build
	cmake --preset release $(if $(wildcard build/CMakeCache.txt),,-DBUILD_TESTING=OFF) > /dev/null
	cmake --build --preset release --target shipped -j $(JOBS)

debug:
	@cmake/packages.sh build
	cmake --preset debug $(if $(wildcard build-debug/CMakeCache.txt),,-DBUILD_TESTING=OFF) > /dev/null
	cmake --build --preset debug --target shipped -j $(JOBS)

# WERROR=1: warnings are errors, as in continuous integration.
test: deps-test
	@echo "clang with AddressSanitizer and UndefinedBehaviorSanitizer, ThreadSanitizer, gcc as shipped; ten minutes on two free cores"
	@GVM_WERROR=$(if $(WERROR),ON) PYTHON=$(PYTHON) cmake/test.sh $(JOBS) sanitize-clang tsan release

check:
	@cmake/packages.sh build
	cmake --preset release -DBUILD_TESTING=ON > /dev/null
	cmake --build --preset release --target quick -j $(JOBS)
	ctest --preset release -L quick -j $$(($(JOBS) + 1))

# Which lines the tests reach, a folder; build-coverage/coverage/index.html shows them. TESTS=REGEX: only those tests.
coverage: deps-test
	cmake --preset coverage -DBUILD_TESTING=ON > /dev/null
	cmake --build --preset coverage -j $(JOBS)
	cmake/coverage.sh build-coverage $(JOBS)

# The papers' full-size networks and timm's weights, about 2 GB that PyTorch computes once.
golden:
	cmake --preset release -DBUILD_TESTING=ON > /dev/null
	cmake --build --preset release -j $(JOBS)
	[ -f build/golden/statewide_full_golden.safetensors -a -f build/golden/timm_convnext_base_golden.safetensors ] || \
	    $(PYTHON) tools/make_golden.py --full build/golden --timm build/golden
	GVM_GOLDEN_FULL=build/golden build/test_network tests/golden
	GVM_GOLDEN_FULL=build/golden build/test_sample4geo tests/golden
	GVM_GOLDEN_FULL=build/golden build/test_frgeo tests/golden
	GVM_GOLDEN_FULL=build/golden build/test_statewide tests/golden
	$(PYTHON) tools/check_training.py --program build/geoviewmatch

# Train the built-in weights again from scratch: hours.
nano: build
	tools/make_nano.sh build/geoviewmatch build/nano

demo: deps
	@$(MAKE) --no-print-directory build
	build/geoviewmatch demo --out build/demo

man: build
	tools/man.sh build/geoviewmatch docs/geoviewmatch.1

# Other engines are timed too, if Python has PyTorch.
bench: build
	build/geoviewmatch bench
	build/geoviewmatch bench --search
	build/geoviewmatch bench --learning
	@if $(PYTHON) -c 'import torch' 2> /dev/null; then $(PYTHON) bench/peers.py; \
	else echo "no comparison with other engines: see bench/peers.py"; fi

bench-serve: build
	bench/serve_load.sh build/geoviewmatch

fuzz:
	@cmake/packages.sh build
	cmake --preset $(FUZZ_PRESET) > /dev/null
	cmake --build --preset $(FUZZ_PRESET) -j $(JOBS)
	cmake/fuzz.sh build-$(FUZZ_PRESET) $(FUZZ_SECONDS)

# Every allocation and thread with sanitizers, as a fault is often a leak; every call on a file in the program as shipped.
FAULTS = LSAN_OPTIONS=suppressions=$(CURDIR)/tests/suppressions.txt:print_suppressions=0 \
    ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1 $(PYTHON)

faults:
	@cmake/packages.sh build
	cmake --preset sanitize -DBUILD_TESTING=ON > /dev/null
	cmake --preset release -DBUILD_TESTING=ON > /dev/null
	cmake --build --preset sanitize --target geoviewmatch_faults -j $(JOBS)
	cmake --build --preset release --target geoviewmatch fail_io -j $(JOBS)
	$(FAULTS) tests/faults/sweep.py build-sanitize/geoviewmatch_faults --jobs $(JOBS)
	$(FAULTS) tests/faults/sweep.py build-sanitize/geoviewmatch_faults --jobs $(JOBS) --lasting --short 40
	$(FAULTS) tests/faults/service_sweep.py build-sanitize/geoviewmatch_faults
	$(PYTHON) tests/disk/sweep.py build/geoviewmatch build/libfail_io.so --all
	$(PYTHON) tests/disk/sweep.py build/geoviewmatch build/libfail_io.so --space 100

install: build
	cmake --install build $(if $(PREFIX),--prefix $(PREFIX)) > /dev/null
	@cmake/installed.sh build $(DESTDIR)

format:
	clang-format -i $$(find src program include tests examples -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.cpp')

clean:
	rm -rf build build-*

.PHONY: all help man deps deps-test build debug test check coverage golden nano demo bench bench-serve fuzz faults install format clean
