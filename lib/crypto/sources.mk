# lib/crypto: hashes and the computations of SCRAM
crypto_SRCS := \
	lib/crypto/digest.c \
	lib/crypto/scram.c
