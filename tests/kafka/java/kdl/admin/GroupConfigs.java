package kdl.admin;

/** Configs of share and streams groups with values: some that Kafka takes, then those at the edges of what it takes. */
final class GroupConfigs {
    static final String[][] VALUES = {
        {"share.session.timeout.ms", "50000"}, {"share.heartbeat.interval.ms", "6000"}, {"share.record.lock.duration.ms", "20000"}, {"share.delivery.count.limit", "7"},
        {"share.partition.max.record.locks", "300"}, {"share.auto.offset.reset", "earliest"}, {"share.auto.offset.reset", "by_duration:PT1H"}, {"share.isolation.level", "read_committed"},
        {"share.renew.acknowledge.enable", "false"}, {"streams.session.timeout.ms", "50000"}, {"streams.heartbeat.interval.ms", "6000"}, {"streams.num.standby.replicas", "1"},
        {"streams.initial.rebalance.delay.ms", "5"}, {"streams.assignment.interval.ms", "7"},
        {"streams.heartbeat.interval.ms", "55000"}, {"streams.heartbeat.interval.ms", "50000"}, {"streams.heartbeat.interval.ms", "49999"},
        {"streams.session.timeout.ms", "45000"}, {"streams.heartbeat.interval.ms", "6000"},
        {"share.session.timeout.ms", "0"}, {"share.session.timeout.ms", "5"}, {"share.session.timeout.ms", "70000"}, {"share.delivery.count.limit", "1"},
        {"share.delivery.count.limit", "11"}, {"share.partition.max.record.locks", "99"}, {"share.record.lock.duration.ms", "999"}, {"share.record.lock.duration.ms", "1000"},
        {"share.auto.offset.reset", "Latest"}, {"share.auto.offset.reset", "none"}, {"share.auto.offset.reset", "by_duration:1h"}, {"share.auto.offset.reset", "by_duration:PT"},
        {"share.auto.offset.reset", "by_duration:P1DT2H3M4.5S"}, {"share.auto.offset.reset", "by_duration:PT-1H"}, {"share.auto.offset.reset", "by_duration:P1H"}, {"share.isolation.level", "READ_COMMITTED"},
        {"share.isolation.level", "x"}, {"share.renew.acknowledge.enable", "maybe"}, {"streams.num.standby.replicas", "-1"}, {"streams.num.standby.replicas", "3"},
        {"streams.heartbeat.interval.ms", "x"}, {"streams.initial.rebalance.delay.ms", "-1"}, {"streams.task.offset.interval.ms", "1"},
    };

    private GroupConfigs() {
    }
}
