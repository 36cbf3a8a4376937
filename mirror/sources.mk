# mirror: copying, and proving that the copy is equal
mirror_SRCS := \
	mirror/difference.c \
	mirror/fetching.c \
	mirror/load.c \
	mirror/pipe.c \
	mirror/prepare.c \
	mirror/recording.c \
	mirror/reread.c \
	mirror/save.c \
	mirror/scan.c \
	mirror/selection.c \
	mirror/topics.c \
	mirror/verify.c
