# cli
cli_SRCS :=
