# lib/store
store_SRCS :=
