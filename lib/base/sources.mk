# lib/base: what everything stands on
base_SRCS := \
	lib/base/arena.c \
	lib/base/blob.c \
	lib/base/buf.c \
	lib/base/disk.c \
	lib/base/env.c \
	lib/base/err.c \
	lib/base/hash64.c \
	lib/base/heap.c \
	lib/base/jdoc.c \
	lib/base/lines.c \
	lib/base/list.c \
	lib/base/log.c \
	lib/base/map.c \
	lib/base/pieces.c \
	lib/base/text_file.c \
	lib/base/work.c \
	lib/base/xalloc.c
