# kdl and refbroker. `make` builds both, `make check` tests them, `make quickstart` shows them at work; `make help` lists the rest.
#
# Variables: CC=gcc|clang, SAN=1 (ASan and UBSan, built apart in build/san), TSAN=1, WERROR=1, V=1 (print commands), PREFIX, DESTDIR.

VERSION := 0.1.0
PREFIX ?= /usr/local
BUILD := build$(if $(SAN),/san)$(if $(TSAN),/tsan)
comma := ,
Q := $(if $(V),,@)

include $(wildcard lib/*/sources.mk refbroker/sources.mk audit/sources.mk mirror/sources.mk conformance/sources.mk price/sources.mk cli/sources.mk tests/sources.mk)

lib_SRCS := $(base_SRCS) $(crypto_SRCS) $(wire_SRCS) $(net_SRCS) $(db_SRCS) $(kafka_SRCS) $(store_SRCS)
tool_SRCS := $(audit_SRCS) $(mirror_SRCS) $(conformance_SRCS) $(price_SRCS) $(cli_SRCS)
unit_SRCS := $(shell find tests/unit -name '*_test.c' | sort)
fuzz_SRCS := $(shell find tests/fuzz -name 'f_*.c' | sort)

# --- compiler -----------------------------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wwrite-strings -Wundef -Wpointer-arith
# Flags that not every compiler knows are asked for, not assumed.
WARNINGS += $(shell for f in -Wduplicated-cond -Wlogical-op; do \
	echo 'int x;' | $(CC) -Werror $$f -x c -c -o /dev/null - 2>/dev/null && echo $$f; done)
SANITIZE := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer) $(if $(TSAN),-fsanitize=thread)
# Reports of sanitizers need the lines of sources only; the rest would be half of what is compiled and linked.
CFLAGS ?= -O2 $(if $(SAN)$(TSAN),-g1,-g)
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -DKDL_VERSION='"$(VERSION)"' -I. -I$(BUILD) $(CFLAGS) $(WARNINGS) $(if $(WERROR),-Werror) -fstack-protector-strong -fno-common $(SANITIZE)
LIBS := -lrdkafka -levent_core -levent_extra -levent_openssl -levent_pthreads -lssl -lcrypto -lsqlite3 -lzstd -llz4 -lsnappy -lz -lisal -lxxhash \
	-ljansson -lcurl -lexpat -lprotobuf-c -lre2 -lstdc++ -lncursesw -ltinfo -lm -lpthread
# Each program needs a part of them.
LDFLAGS_ALL := $(LDFLAGS) $(SANITIZE) -Wl,--as-needed

objects = $(patsubst %.cc,$(BUILD)/obj/%.o,$(patsubst %.c,$(BUILD)/obj/%.o,$(1)))

.PHONY: all
all: $(BUILD)/bin/kdl $(BUILD)/bin/refbroker

# --- generated code -----------------------------------------------------------------------------------------------------

SCHEMA := $(sort $(wildcard lib/wire/schema/*.msg))
GEN := $(BUILD)/gen/messages.h $(BUILD)/gen/messages.c

$(BUILD)/bin/kgen: $(call objects,$(kgen_SRCS) lib/base/xalloc.c)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^

# SQL schemas, one file per version, as C strings.
SQL := $(sort $(wildcard refbroker/meta/sql/*.sql))

$(BUILD)/gen/refbroker_sql.h: refbroker/meta/sql.awk $(SQL)
	$(Q)mkdir -p $(@D)
	$(Q)awk -v name=refbroker_sql -f refbroker/meta/sql.awk $(SQL) > $@

# The prices that are built in.
$(BUILD)/gen/price_book.h: price/book.awk price/prices.conf
	$(Q)mkdir -p $(@D)
	$(Q)awk -f price/book.awk price/prices.conf > $@

# What clients push as their metrics, for protobuf-c.
$(BUILD)/gen/otlp.pb-c.c $(BUILD)/gen/otlp.pb-c.h &: refbroker/coord/otlp.proto
	$(Q)mkdir -p $(BUILD)/gen
	$(Q)protoc-c --c_out=$(BUILD)/gen --proto_path=$(<D) $(<F)

$(BUILD)/gen/stamp: $(BUILD)/bin/kgen $(SCHEMA) $(BUILD)/gen/refbroker_sql.h $(BUILD)/gen/price_book.h $(BUILD)/gen/otlp.pb-c.h
	$(Q)mkdir -p $(@D)
	$(Q)ASAN_OPTIONS=detect_leaks=0 $< $(GEN) $(SCHEMA)
	$(Q)touch $@

$(GEN): $(BUILD)/gen/stamp ;

$(BUILD)/obj/gen/messages.o: $(BUILD)/gen/stamp
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $(BUILD)/gen/messages.c

$(BUILD)/obj/gen/otlp.pb-c.o: $(BUILD)/gen/otlp.pb-c.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c11 $(CFLAGS) $(SANITIZE) -c -o $@ $<

# --- objects and programs -----------------------------------------------------------------------------------------------

kgen_OBJS := $(call objects,$(kgen_SRCS) lib/base/xalloc.c)
$(kgen_OBJS): $(BUILD)/obj/%.o: %.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/%.o: %.c | $(BUILD)/gen/stamp
	$(if $(V),,@echo "  CC $<")
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The one C++ file: RE2 behind a C header.
$(BUILD)/obj/%.o: %.cc
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) -std=c++17 -I. $(CFLAGS) -Wall -Wextra $(SANITIZE) -MMD -MP -c -o $@ $<

$(BUILD)/libkdl.a: $(call objects,$(lib_SRCS)) $(BUILD)/obj/gen/messages.o
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/librefbroker.a: $(call objects,$(refbroker_SRCS)) $(BUILD)/obj/gen/otlp.pb-c.o
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/libtools.a: $(call objects,$(tool_SRCS))
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/bin/kdl: $(BUILD)/obj/cli/main.o $(BUILD)/libtools.a $(BUILD)/libkdl.a
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/bin/refbroker: $(BUILD)/obj/refbroker/main.o $(BUILD)/librefbroker.a $(BUILD)/libkdl.a
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# --- tests --------------------------------------------------------------------------------------------------------------

TESTLIBS := $(BUILD)/libtests.a $(BUILD)/libtools.a $(BUILD)/librefbroker.a $(BUILD)/libkdl.a

$(BUILD)/libtests.a: $(call objects,$(tests_SRCS))
	$(Q)rm -f $@ && ar rcs $@ $^

unit_PROGS := $(patsubst %.c,$(BUILD)/%,$(unit_SRCS))
$(unit_PROGS): $(BUILD)/%: $(BUILD)/obj/%.o $(TESTLIBS)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) $(WRAPPED) -o $@ $< $(TESTLIBS) $(LIBS) -lcmocka

# Tests that come between the broker and its share coordinator (share_states_wrap.h).
WRAP_SHARE_STATES := $(addprefix -Wl$(comma)--wrap=share_states_,ready initialize delete)
$(addprefix $(BUILD)/tests/unit/refbroker/coord/,share_group_test share_delete_test): WRAPPED := $(WRAP_SHARE_STATES)

# A test that is the broker behind the server.
WRAP_BROKER := $(addprefix -Wl$(comma)--wrap=broker_,connect disconnect drained frame frame_bytes_max tick stop is_idle abandon)
$(BUILD)/tests/unit/refbroker/net/server_test: WRAPPED := $(WRAP_BROKER)

# What stands on our side of a comparison with Kafka's own code, and benchmarks.
helper_SRCS := $(filter-out $(tests_SRCS),$(shell find tests/kafka tests/bench tests/system -name '*.c' | sort))
helper_PROGS := $(patsubst %.c,$(BUILD)/%,$(helper_SRCS))
$(helper_PROGS): $(BUILD)/%: $(BUILD)/obj/%.o $(TESTLIBS)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(TESTLIBS) $(LIBS)

# The README's two commands begin on a machine that has a compiler only: they bring the packages, then build and run in a make of their own, with all cores
# unless the user said how many.
PARALLEL := $(if $(findstring j,$(firstword -$(MAKEFLAGS))),,-j$(shell nproc))

.PHONY: quickstart check check-built check-long unit bench-wire bench-first bench-broker bench-audit
quickstart:
	$(Q).ci/deps build demo
	$(Q)$(MAKE) $(PARALLEL) --no-print-directory all
	$(Q)BUILD=$(BUILD) tests/quickstart/run

# Without JDK and Maven the tests on real Kafka are skipped, and say so; so are clients of other languages, and the report in a browser, without their tools.
check:
	$(Q).ci/deps build test
	$(Q).ci/deps kafka || :
	$(Q).ci/deps clients || :
	$(Q).ci/deps browser || :
	$(Q)$(MAKE) $(PARALLEL) --no-print-directory check-built

# Apache Kafka's own published tests, one fresh broker each, on refbroker and on Kafka behind the same harness; hours for all, goes on where it ended.
.PHONY: check-kafka
check-kafka: all
	$(Q)BUILD=$(BUILD) tests/kafka/published/run refbroker
	$(Q)BUILD=$(BUILD) tests/kafka/published/run kafka
	$(Q)BUILD=$(BUILD) tests/kafka/published/report

# The slow proofs: many more kills, seeds, messages and bent answers than check has, and longer fuzzing. About an hour.
check-long:
	$(Q).ci/deps
	$(Q)tests/check_long

unit: $(unit_PROGS)
	$(Q)BUILD=$(BUILD) tests/run --unit

bench-wire: $(BUILD)/tests/bench/bench_wire
	$(Q)$<

bench-first: all $(addprefix $(BUILD)/tests/bench/,raw_load bare_append start_probe run_measured)
	$(Q)BUILD=$(BUILD) tests/bench/bench_first $(if $(OUTPUT),-o $(OUTPUT))

bench-broker: all $(addprefix $(BUILD)/tests/bench/,raw_load raw_fetch bare_append bare_group bare_write put_loop rdkafka_load audit_estate live_members start_probe)
	$(Q)BUILD=$(BUILD) tests/bench/bench_broker $(if $(OUTPUT),-o $(OUTPUT))

.PHONY: built
built: all $(unit_PROGS) $(helper_PROGS)

bench-audit: all $(addprefix $(BUILD)/tests/bench/,audit_estate run_measured)
	$(Q)BUILD=$(BUILD) tests/bench/bench_audit

check-built: built
	$(Q)BUILD=$(BUILD) tests/run

# --- fuzzers (clang's libFuzzer) ----------------------------------------------------------------------------------------

FUZZ_SECONDS ?= 60
FUZZ_BUILD := build/fuzz
fuzz_PROGS := $(patsubst tests/fuzz/%.c,$(FUZZ_BUILD)/%,$(fuzz_SRCS))
# What is fuzzed besides lib/base and lib/wire.
fuzz_REFBROKER := $(addprefix refbroker/coord/,client_match.c client_samples.c otlp.c)
$(fuzz_PROGS): $(FUZZ_BUILD)/%: tests/fuzz/%.c $(lib_SRCS) $(fuzz_REFBROKER) $(wildcard lib/*/*.h) $(BUILD)/gen/stamp $(BUILD)/obj/refbroker/coord/topic_pattern.o
	$(Q)mkdir -p $(@D)
	$(Q)clang -std=c11 -D_GNU_SOURCE -DKDL_VERSION='"$(VERSION)"' -I. -I$(BUILD) -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-o $@ $< $(base_SRCS) $(wire_SRCS) $(fuzz_REFBROKER) $(BUILD)/gen/messages.c $(BUILD)/gen/otlp.pb-c.c $(BUILD)/obj/refbroker/coord/topic_pattern.o $(LIBS)

.PHONY: fuzz
fuzz: $(fuzz_PROGS)
	$(Q)tests/fuzz/run $(FUZZ_SECONDS) $(fuzz_PROGS)

# --- the rest -----------------------------------------------------------------------------------------------------------

.PHONY: deps format lint install clean help
deps:
	$(Q).ci/deps

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

lint: $(BUILD)/gen/stamp
	$(Q).ci/lint $(BUILD)

install: all
	install -D -m 755 $(BUILD)/bin/kdl $(DESTDIR)$(PREFIX)/bin/kdl
	install -D -m 755 $(BUILD)/bin/refbroker $(DESTDIR)$(PREFIX)/bin/refbroker
	install -D -m 644 price/prices.conf $(DESTDIR)$(PREFIX)/share/kdl/prices.conf

clean:
	rm -rf build

help:
	@sed -n 's/^# \(.*\)/\1/p' Makefile | head -3
	@echo "targets: all quickstart check check-long check-kafka unit fuzz lint format deps install bench-wire bench-first bench-broker bench-audit clean"

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
