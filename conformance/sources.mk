# conformance
conformance_SRCS :=
