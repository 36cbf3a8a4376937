# lib/net: the loop, connections, TLS, a small HTTP server
net_SRCS := \
	lib/net/dial.c \
	lib/net/http.c \
	lib/net/listener.c \
	lib/net/loop.c \
	lib/net/resolve.c \
	lib/net/tcp.c \
	lib/net/tcp_queue.c \
	lib/net/tls.c \
	lib/net/tls_context.c
