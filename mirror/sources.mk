# mirror: copying, and proving that the copy is equal
mirror_SRCS := \
	mirror/cutover.c \
	mirror/cutover_gates.c \
	mirror/cutover_record.c \
	mirror/difference.c \
	mirror/fence.c \
	mirror/fetching.c \
	mirror/group_list.c \
	mirror/group_offsets.c \
	mirror/group_sync.c \
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
