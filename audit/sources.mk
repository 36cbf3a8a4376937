# audit
audit_SRCS := \
	audit/audit.c \
	audit/facts.c \
	audit/inventory.c \
	audit/probe.c \
	audit/probe_cluster.c \
	audit/probe_configs.c \
	audit/probe_groups.c \
	audit/probe_members.c \
	audit/probe_offsets.c \
	audit/probe_producers.c \
	audit/probe_samples.c \
	audit/probe_sizes.c \
	audit/probe_topics.c \
	audit/probe_transactions.c \
	audit/audit_report.c \
	audit/audit_report_html.c \
	audit/audit_report_json.c \
	audit/audit_report_table.c \
	audit/rules.c \
	audit/rules_cluster.c \
	audit/rules_config.c \
	audit/rules_name.c \
	audit/rules_shape.c \
	audit/rules_when.c \
	audit/sample.c \
	audit/streams.c
