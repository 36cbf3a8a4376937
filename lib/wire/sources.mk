# lib/wire: Kafka's protocol and record format
wire_SRCS := \
	lib/wire/codec.c \
	lib/wire/codec_bytes.c \
	lib/wire/codec_decode.c \
	lib/wire/codec_encode.c \
	lib/wire/frame.c \
	lib/wire/kerr.c
kgen_SRCS := \
	lib/wire/gen/kgen.c \
	lib/wire/gen/kgen_check.c \
	lib/wire/gen/kgen_emit.c \
	lib/wire/gen/kgen_parse.c
