# cli: kdl. main.c is linked apart.
cli_SRCS := \
	cli/audit_keep.c \
	cli/audit_output.c \
	cli/c_audit.c \
	cli/c_audit_diff.c \
	cli/c_audit_explain.c \
	cli/c_audit_report.c \
	cli/c_audit_watch.c \
	cli/c_conformance.c \
	cli/c_cutover.c \
	cli/c_mirror.c \
	cli/c_mirror_groups.c \
	cli/c_price.c \
	cli/c_recording.c \
	cli/c_top.c \
	cli/c_topic.c \
	cli/c_verify.c \
	cli/command.c \
	cli/mirror_groups.c \
	cli/options.c \
	cli/pair.c \
	cli/price_probe.c \
	cli/session.c \
	cli/top_audit.c \
	cli/top_choice.c \
	cli/top_grid.c \
	cli/top_lists.c \
	cli/top_model.c \
	cli/top_poll.c \
	cli/top_sizes.c \
	cli/top_term.c \
	cli/top_view.c \
	cli/top_worker.c \
	cli/units.c
