# lib/crypto
crypto_SRCS :=
