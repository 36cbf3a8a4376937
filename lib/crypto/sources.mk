# lib/crypto: hashes, the computations of SCRAM, the lines that configure logins
crypto_SRCS := \
	lib/crypto/digest.c \
	lib/crypto/jaas.c \
	lib/crypto/scram.c
