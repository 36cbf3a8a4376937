# conformance
conformance_SRCS := \
	conformance/c_access.c \
	conformance/c_admin.c \
	conformance/c_cg848.c \
	conformance/c_compact.c \
	conformance/c_connect.c \
	conformance/c_fetch.c \
	conformance/c_fetch_session.c \
	conformance/c_fetch_txn.c \
	conformance/c_group.c \
	conformance/c_group_offsets.c \
	conformance/c_idem.c \
	conformance/c_meta.c \
	conformance/c_meta_cluster.c \
	conformance/c_offsets.c \
	conformance/c_produce.c \
	conformance/c_produce_batches.c \
	conformance/c_produce_content.c \
	conformance/c_quota.c \
	conformance/c_sasl.c \
	conformance/c_share.c \
	conformance/c_share_acks.c \
	conformance/c_streams.c \
	conformance/c_streams_groups.c \
	conformance/c_streams_loop.c \
	conformance/c_streams_tasks.c \
	conformance/c_txn.c \
	conformance/c_txn_v2.c \
	conformance/c_wire.c \
	conformance/c_wire_frames.c \
	conformance/catalog.c \
	conformance/control.c \
	conformance/exchange.c \
	conformance/kc.c \
	conformance/kc_ask.c \
	conformance/kc_batch.c \
	conformance/kc_compact.c \
	conformance/kc_fetch.c \
	conformance/kc_group.c \
	conformance/kc_login.c \
	conformance/kc_offsets.c \
	conformance/kc_produce.c \
	conformance/kc_share.c \
	conformance/kc_streams.c \
	conformance/kc_topic.c \
	conformance/kc_txn.c \
	conformance/link.c \
	conformance/minimal.c \
	conformance/mutants.c \
	conformance/mutants_admin.c \
	conformance/mutants_cg848.c \
	conformance/mutants_compact.c \
	conformance/mutants_fetch.c \
	conformance/mutants_group.c \
	conformance/mutants_meta.c \
	conformance/mutants_null.c \
	conformance/mutants_offsets.c \
	conformance/mutants_produce.c \
	conformance/mutants_sec.c \
	conformance/mutants_sgroup.c \
	conformance/mutants_share.c \
	conformance/mutants_streams.c \
	conformance/mutants_txn.c \
	conformance/mutants_wire.c \
	conformance/profile.c \
	conformance/prove.c \
	conformance/proxy.c \
	conformance/report.c \
	conformance/report_junit.c \
	conformance/result.c \
	conformance/runner.c \
	conformance/sweep.c \
	conformance/target.c \
	conformance/wire_client.c

# The profiles, as C strings. This file is read before the Makefile's own first target.
.DEFAULT_GOAL := all
conformance_PROFILES := $(sort $(wildcard conformance/profiles/*.profile))
$(BUILD)/gen/conformance_profiles.h: conformance/profiles.awk $(conformance_PROFILES)
	$(Q)mkdir -p $(@D)
	$(Q)awk -f conformance/profiles.awk $(conformance_PROFILES) > $@
$(BUILD)/gen/stamp: $(BUILD)/gen/conformance_profiles.h
