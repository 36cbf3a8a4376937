# lib/db: SQL
db_SRCS := \
	lib/db/db.c \
	lib/db/sqlite_disk.c
