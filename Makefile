# Lull's build. A new file needs no line here: sources, tests and migrations are found where they lie.
#
#   make                 ./lull (build/release/lull)
#   make SAN=address     the same with sanitizers (address, which brings undefined; or thread), in build/<SAN>
#   make CC=clang        the same with another compiler, in build/clang-<variant>
#   make test            everything: what is missing is installed, tidy, all tests, all tests under sanitizers
#   make check           all tests once; ONLY=pattern takes those whose path contains it
#   make crash           kills and checks, ROUNDS=n SEED=s
#   make tidy bench demo install deps clean

ifeq ($(origin CC),default)
CC := gcc
endif
VARIANT ?= release
ifdef SAN
VARIANT := $(SAN)
endif
COMPILER := $(if $(filter gcc cc,$(notdir $(CC))),,$(notdir $(CC))-)
BUILD := build/$(COMPILER)$(VARIANT)
PREFIX ?= /usr/local
PYTHON ?= /usr/bin/python3

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
QUIET := $(if $(V),,@)

# What is there. The slot runner is a program of its own, without libraries, which lull carries inside.
SOURCES := $(sort $(shell find src -name '*.c' -not -path 'src/runner/*'))
RUNNER_SOURCES := $(sort $(wildcard src/runner/*.c src/spool/*.c src/base/*.c))
MIGRATIONS := $(sort $(wildcard src/store/schema/*.sql))
# A C file below tests/ or bench/ is a program: a test if it is called test_*, otherwise a helper.
TEST_SOURCES := $(sort $(shell find tests -name '*.c' -not -path 'tests/lib/*' -not -path 'tests/tidy/*'))
BENCH_SOURCES := $(sort $(wildcard bench/*.c))
TEST_LIBRARY_SOURCES := $(sort $(wildcard tests/lib/*.c))

OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
RUNNER_OBJECTS := $(RUNNER_SOURCES:src/%.c=$(BUILD)/runner/%.o)
TESTS := $(TEST_SOURCES:%.c=$(BUILD)/%)
BENCHES := $(BENCH_SOURCES:%.c=$(BUILD)/%)
TEST_LIBRARY_OBJECTS := $(TEST_LIBRARY_SOURCES:%.c=$(BUILD)/%.o)
OUTER_OBJECTS := $(TESTS:=.o) $(BENCHES:=.o) $(TEST_LIBRARY_OBJECTS)
LIBRARY := $(BUILD)/liblull.a
TEST_LIBRARY := $(if $(TEST_LIBRARY_OBJECTS),$(BUILD)/libtest.a)
RUNNER := $(if $(wildcard src/runner/*.c),$(BUILD)/lull-runner)
GENERATED := $(if $(RUNNER),$(BUILD)/gen/runner.o) $(if $(MIGRATIONS),$(BUILD)/gen/schema.o)

# How it is compiled.
PACKAGES := libmicrohttpd sqlite3 libpq jansson yaml-0.1 libsodium libcurl smartcols
PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PACKAGE_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wwrite-strings \
	-Wvla -Werror
# Only "quoted" includes look below src/: its sys/ must not stand before the system's own.
LANGUAGE = -std=gnu11 -D_GNU_SOURCE -iquote src -g $(WARNINGS)

OPTIMIZE_release := -O2
OPTIMIZE_test := -O1 -DLULL_KILL_POINTS
OPTIMIZE_address := -O1 -DLULL_KILL_POINTS
OPTIMIZE_thread := -O1 -DLULL_KILL_POINTS
SANITIZE_address := -fsanitize=address,undefined -fno-omit-frame-pointer
SANITIZE_thread := -fsanitize=thread
# gcc takes the branches that a sanitizer adds for the program's own, and warns of them.
QUIETEN := $(if $(COMPILER),,-Wno-format-truncation -Wno-format-overflow -Wno-maybe-uninitialized)
OPTIMIZE := $(OPTIMIZE_$(VARIANT))
SANITIZE := $(SANITIZE_$(VARIANT))
ifdef SANITIZE
WARNINGS += $(QUIETEN)
endif
ifeq ($(OPTIMIZE),)
$(error there is no variant "$(VARIANT)": release, test, address, thread)
endif

COMPILE = $(CC) $(LANGUAGE) $(OPTIMIZE) -MMD -MP
COMPILE_HERE = $(COMPILE) $(SANITIZE) $(PACKAGE_CFLAGS) -pthread
# A sanitizer cannot live in a static program; the runner goes without.
COMPILE_RUNNER = $(COMPILE) -ffunction-sections -fdata-sections
LINK = $(CC) $(SANITIZE) -pthread -Wl,--as-needed
LIBS := $(PACKAGE_LIBS) -lm

.PHONY: all programs objects test check crash bench demo tidy install deps clean FORCE
all: programs
ifeq ($(BUILD),build/release)
all: $(if $(wildcard src/main.c),lull)

lull: build/release/lull
	@ln -sf build/release/lull $@
endif

programs: $(if $(wildcard src/main.c),$(BUILD)/lull) $(RUNNER)
tests: programs $(TESTS)
# All that a compiler can say without linking.
objects: $(OBJECTS) $(RUNNER_OBJECTS) $(GENERATED) $(OUTER_OBJECTS)

$(BUILD)/lull: $(BUILD)/obj/main.o $(LIBRARY)
	@echo "  link   $@"
	$(QUIET)$(LINK) -o $@ $^ $(LIBS)

$(BUILD)/lull-runner: $(RUNNER_OBJECTS)
	@echo "  link   $@"
	$(QUIET)$(CC) -static -Wl,--gc-sections -pthread -o $@ $^

# The list stands in a file that changes with it, so that a deleted source leaves the library too.
$(BUILD)/objects.list: FORCE
	@mkdir -p $(@D)
	@echo "$(OBJECTS) $(GENERATED)" | cmp -s - $@ || echo "$(OBJECTS) $(GENERATED)" >$@

$(LIBRARY): $(filter-out $(BUILD)/obj/main.o,$(OBJECTS)) $(GENERATED) $(BUILD)/objects.list
	$(QUIET)rm -f $@ && ar rcs $@ $(filter %.o,$^)

$(BUILD)/libtest.a: $(TEST_LIBRARY_OBJECTS)
	$(QUIET)rm -f $@ && ar rcs $@ $^

$(BUILD)/obj/%.o: src/%.c Makefile | packages
	@mkdir -p $(@D)
	@echo "  cc     $<"
	$(QUIET)$(COMPILE_HERE) -c -o $@ $<

$(BUILD)/runner/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(QUIET)$(COMPILE_RUNNER) -c -o $@ $<

$(OUTER_OBJECTS): $(BUILD)/%.o: %.c Makefile | packages
	@mkdir -p $(@D)
	@echo "  cc     $<"
	$(QUIET)$(COMPILE_HERE) -iquote tests -c -o $@ $<

$(TESTS) $(BENCHES): $(BUILD)/%: $(BUILD)/%.o $(TEST_LIBRARY) $(LIBRARY)
	$(QUIET)$(LINK) -o $@ $^ -lcmocka $(LIBS)

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(QUIET)$(COMPILE_HERE) -c -o $@ $<

$(BUILD)/gen/schema.c: $(MIGRATIONS) tools/embed-sql
	@mkdir -p $(@D)
	$(QUIET)tools/embed-sql $(MIGRATIONS) >$@

$(BUILD)/gen/runner.o: tools/runner.S $(RUNNER)
	@mkdir -p $(@D)
	$(QUIET)$(CC) -DRUNNER='"$(RUNNER)"' -c -o $@ $<

.PHONY: packages tests
packages:
ifeq ($(PACKAGE_LIBS),)
	@echo "libraries are missing (one of: $(PACKAGES)); say \`make deps\`" >&2; exit 1
endif

# What is done with it.
test: deps
	@$(PYTHON) tools/test --all

check:
	@$(PYTHON) tools/test --only="$(ONLY)"

crash:
	@$(MAKE) --no-print-directory VARIANT=test programs
	LULL_BINARY=$(CURDIR)/build/test/lull LULL_BUILD=$(CURDIR)/build/test \
		$(PYTHON) tests/crash/crash.py $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED))

bench: all $(BENCHES)
	LULL_BINARY=$(CURDIR)/$(BUILD)/lull LULL_BUILD=$(CURDIR)/$(BUILD) $(PYTHON) bench/run.py

demo: deps
	@$(MAKE) --no-print-directory all
	@$(firstword $(wildcard demo/run tools/demo))

tidy:
	@$(PYTHON) tools/tidy

install: programs
	install -D -m 755 $(BUILD)/lull $(DESTDIR)$(PREFIX)/bin/lull

deps:
	@tools/deps

clean:
	rm -rf build lull

-include $(patsubst %.o,%.d,$(OBJECTS) $(RUNNER_OBJECTS) $(GENERATED) $(OUTER_OBJECTS))
