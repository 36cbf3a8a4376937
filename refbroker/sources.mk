# refbroker
refbroker_SRCS :=
