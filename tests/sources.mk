# tests: what several test programs share; linked into each of them
tests_SRCS := \
	tests/sim/disk_cut.c \
	tests/sim/disk_cut_node.c \
	tests/unit/lib/base/disk_battery.c \
	tests/unit/temp_folder.c
