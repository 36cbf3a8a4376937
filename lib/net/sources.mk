# lib/net
net_SRCS :=
