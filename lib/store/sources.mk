# lib/store: objects
store_SRCS := \
	lib/store/store.c \
	lib/store/store_folder.c
