# mirror: copying, and proving that the copy is equal
mirror_SRCS := \
	mirror/fetching.c \
	mirror/pipe.c \
	mirror/prepare.c \
	mirror/scan.c \
	mirror/selection.c \
	mirror/verify.c
