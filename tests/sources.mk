tests_SRCS :=
