# lib/db
db_SRCS :=
