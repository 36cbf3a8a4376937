package kdl.streamsgroups;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.TaskIds;
import org.apache.kafka.common.message.StreamsGroupHeartbeatResponseData;

/** A member of a streams group that does what it is told at once, as Kafka's client would. */
final class StreamsMember {
    private static final int ROUNDS = 12;

    private final StreamsBroker broker;
    private final String group;
    private final String id;
    private int epoch;
    private int endpointEpoch;
    private List<TaskIds> active = List.of();
    private List<TaskIds> standby = List.of();
    private List<TaskIds> warmup = List.of();

    StreamsMember(StreamsBroker broker, String group, String id) {
        this.broker = broker;
        this.group = group;
        this.id = id;
    }

    int epoch() {
        return epoch;
    }

    /** The heartbeat that it would send now. */
    StreamsGroupHeartbeatRequestData beat() {
        return StreamsRequests.beat(group, id, epoch).setActiveTasks(active).setStandbyTasks(standby).setWarmupTasks(warmup)
            .setEndpointInformationEpoch(endpointEpoch);
    }

    /** Takes an answer in, and tells whether it says something new. */
    boolean take(StreamsGroupHeartbeatResponseData answer) {
        boolean news = answer.errorCode() != 0 || answer.memberEpoch() != epoch || answer.endpointInformationEpoch() != endpointEpoch
            || answer.activeTasks() != null;
        epoch = answer.memberEpoch();
        endpointEpoch = answer.endpointInformationEpoch();
        if (answer.activeTasks() != null) {
            active = taken(answer.activeTasks());
            standby = taken(answer.standbyTasks());
            warmup = taken(answer.warmupTasks());
        }
        return news;
    }

    private static List<TaskIds> taken(List<StreamsGroupHeartbeatResponseData.TaskIds> told) {
        List<TaskIds> tasks = new ArrayList<>();
        told.forEach(one -> tasks.add(new TaskIds().setSubtopologyId(one.subtopologyId()).setPartitions(one.partitions())));
        return tasks;
    }

    StreamsMember joins(String what, StreamsGroupHeartbeatRequestData request) throws Exception {
        take(broker.beats(what, request));
        return this;
    }

    StreamsMember beats(String what) throws Exception {
        take(broker.beats(what, beat()));
        return this;
    }

    /**
     * Beats until nothing is wrong with the topics any more. Those that the broker makes it waits for before it beats: a coordinator that hears of
     * one after the other in between goes through more epochs.
     */
    StreamsMember awaitsTopics(String what, String... made) throws Exception {
        for (String topic : made) {
            broker.awaitTopic("probe", topic);
        }
        take(broker.until(what, beat(), StreamsBroker::isReady));
        return this;
    }

    /** All beat in turn until a round tells nobody anything new. */
    static void settle(String what, StreamsMember... members) throws Exception {
        boolean news = true;
        for (int round = 1; news && round <= ROUNDS; round++) {
            news = false;
            for (StreamsMember member : members) {
                news |= member.take(member.broker.beats(what + " " + round + " " + member.id, member.beat()));
            }
        }
    }
}
