# cli: kdl. main.c is linked apart.
cli_SRCS := \
	cli/c_topic.c \
	cli/command.c \
	cli/options.c \
	cli/session.c
