# mirror
mirror_SRCS :=
