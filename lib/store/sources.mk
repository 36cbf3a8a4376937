# lib/store: objects
store_SRCS := \
	lib/store/s3_client.c \
	lib/store/s3_credentials.c \
	lib/store/s3_http.c \
	lib/store/s3_sign.c \
	lib/store/s3_url.c \
	lib/store/s3_xml.c \
	lib/store/store.c \
	lib/store/store_folder.c \
	lib/store/store_s3.c
