# tests: what several test programs share; linked into each of them
tests_SRCS := \
	tests/bench/bare_file.c \
	tests/bench/raw.c \
	tests/differ/answers.c \
	tests/differ/making.c \
	tests/differ/markers.c \
	tests/differ/memory.c \
	tests/differ/publication.c \
	tests/differ/report.c \
	tests/differ/requests.c \
	tests/differ/requests_groups.c \
	tests/differ/requests_offsets.c \
	tests/differ/requests_transactions.c \
	tests/differ/speaker.c \
	tests/differ/tally.c \
	tests/sim/broker_world.c \
	tests/sim/disk_cut.c \
	tests/sim/disk_cut_node.c \
	tests/sim/disk_cut_place.c \
	tests/sim/txn_client.c \
	tests/unit/audit/log_rig.c \
	tests/unit/lib/base/disk_battery.c \
	tests/unit/lib/kafka/cluster_rig.c \
	tests/unit/lib/store/s3_fake.c \
	tests/unit/lib/store/store_battery.c \
	tests/unit/log_capture.c \
	tests/unit/mirror/group_rig.c \
	tests/unit/refbroker/log/wal_rig.c \
	tests/unit/temp_folder.c
