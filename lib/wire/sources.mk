# lib/wire: Kafka's protocol and record format
wire_SRCS := \
	lib/wire/batch_builder.c \
	lib/wire/batch_old.c \
	lib/wire/batch_records.c \
	lib/wire/batch_rewrite.c \
	lib/wire/batch_validate.c \
	lib/wire/batch_view.c \
	lib/wire/codec.c \
	lib/wire/codec_bytes.c \
	lib/wire/codec_decode.c \
	lib/wire/codec_diff.c \
	lib/wire/codec_encode.c \
	lib/wire/codec_random.c \
	lib/wire/codec_tree.c \
	lib/wire/codec_value.c \
	lib/wire/compress.c \
	lib/wire/compress_gzip.c \
	lib/wire/compress_lz4.c \
	lib/wire/compress_snappy.c \
	lib/wire/compress_zstd.c \
	lib/wire/crc32c.c \
	lib/wire/frame.c \
	lib/wire/kerr.c \
	lib/wire/varint.c
kgen_SRCS := \
	lib/wire/gen/kgen.c \
	lib/wire/gen/kgen_check.c \
	lib/wire/gen/kgen_emit.c \
	lib/wire/gen/kgen_parse.c
