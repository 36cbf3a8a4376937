package kdl.streamsgroups;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupDescribeRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.ShareGroupHeartbeatRequestData;
import org.apache.kafka.common.message.StreamsGroupDescribeRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.CopartitionGroup;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.Endpoint;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.KeyValue;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.Subtopology;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.TaskIds;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.TopicInfo;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.Topology;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;

/** Requests about streams groups, as short as the scripts want to say them. */
class StreamsRequests {
    private static final Uuid UNKNOWN = new Uuid(7, 7);
    private static final int REBALANCE_TIMEOUT_MS = 600_000; // nobody is given up for being slow

    final Map<String, Uuid> topics = new LinkedHashMap<>();

    // --- topologies --------------------------------------------------------------------------------

    static Topology topology(int epoch, Subtopology... subtopologies) {
        return new Topology().setEpoch(epoch).setSubtopologies(new ArrayList<>(List.of(subtopologies)));
    }

    static Subtopology reads(String id, String... sources) {
        return new Subtopology().setSubtopologyId(id).setSourceTopics(new ArrayList<>(List.of(sources)));
    }

    /** An internal topic; 0 partitions are for the broker to decide. */
    static TopicInfo internal(String name, int partitions, String... configs) {
        TopicInfo topic = new TopicInfo().setName(name).setPartitions(partitions).setReplicationFactor((short) 0);
        for (int i = 0; i < configs.length; i += 2) {
            topic.topicConfigs().add(new KeyValue().setKey(configs[i]).setValue(configs[i + 1]));
        }
        return topic;
    }

    static Subtopology keeps(Subtopology subtopology, TopicInfo... changelogs) {
        return subtopology.setStateChangelogTopics(List.of(changelogs));
    }

    static Subtopology through(Subtopology subtopology, TopicInfo... repartitions) {
        return subtopology.setRepartitionSourceTopics(List.of(repartitions));
    }

    static Subtopology writes(Subtopology subtopology, String... repartitions) {
        return subtopology.setRepartitionSinkTopics(List.of(repartitions));
    }

    /** So many of its sources and of its repartition topics, the first ones, are to have equally many partitions. */
    static Subtopology together(Subtopology subtopology, int sources, int repartitions) {
        subtopology.copartitionGroups().add(new CopartitionGroup().setSourceTopics(first(sources)).setRepartitionSourceTopics(
            first(repartitions)));
        return subtopology;
    }

    private static List<Short> first(int count) {
        List<Short> places = new ArrayList<>();
        for (short i = 0; i < count; i++) {
            places.add(i);
        }
        return places;
    }

    /** A topic that is read and written anew by another key, and counted: two subtopologies. */
    static Topology counting(String group, String source) {
        return topology(1, writes(reads("0", source), group + "-by-key"),
            keeps(through(reads("1"), internal(group + "-by-key", 0, "cleanup.policy", "delete", "segment.bytes", "52428800",
                "retention.ms", "-1")), internal(group + "-count", 0, "cleanup.policy", "compact")));
    }

    /** One subtopology without a state, and nothing to make. */
    static Topology plain(String source) {
        return topology(1, reads("0", source));
    }

    // --- heartbeats --------------------------------------------------------------------------------

    static StreamsGroupHeartbeatRequestData join(String group, String member, Topology topology) {
        return owns(beat(group, member, 0)).setRebalanceTimeoutMs(REBALANCE_TIMEOUT_MS).setProcessId("process-" + member).setTopology(
            topology);
    }

    static StreamsGroupHeartbeatRequestData beat(String group, String member, int epoch) {
        return new StreamsGroupHeartbeatRequestData().setGroupId(group).setMemberId(member).setMemberEpoch(epoch);
    }

    /** What the member says that it has: active tasks, as "SUBTOPOLOGY:PARTITION,PARTITION". */
    static StreamsGroupHeartbeatRequestData owns(StreamsGroupHeartbeatRequestData request, String... active) {
        return request.setActiveTasks(tasks(active)).setStandbyTasks(List.of()).setWarmupTasks(List.of());
    }

    static List<TaskIds> tasks(String... texts) {
        List<TaskIds> tasks = new ArrayList<>();
        for (String text : texts) {
            String[] parts = text.split(":", -1);
            List<Integer> partitions = parts[1].isEmpty() ? List.of() : Arrays.stream(parts[1].split(",")).map(Integer::valueOf).toList();
            tasks.add(new TaskIds().setSubtopologyId(parts[0]).setPartitions(partitions));
        }
        return tasks;
    }

    static StreamsGroupHeartbeatRequestData at(StreamsGroupHeartbeatRequestData request, String host, int port) {
        return request.setUserEndpoint(new Endpoint().setHost(host).setPort(port));
    }

    static StreamsGroupHeartbeatRequestData tagged(StreamsGroupHeartbeatRequestData request, String... namesAndValues) {
        List<KeyValue> tags = new ArrayList<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            tags.add(new KeyValue().setKey(namesAndValues[i]).setValue(namesAndValues[i + 1]));
        }
        return request.setClientTags(tags);
    }

    // --- groups ------------------------------------------------------------------------------------

    static StreamsGroupDescribeRequestData describe(String... groups) {
        return new StreamsGroupDescribeRequestData().setGroupIds(List.of(groups)).setIncludeAuthorizedOperations(true);
    }

    static DescribeGroupsRequestData describeClassic(String... groups) {
        return new DescribeGroupsRequestData().setGroups(List.of(groups));
    }

    static ConsumerGroupDescribeRequestData describeConsumer(String... groups) {
        return new ConsumerGroupDescribeRequestData().setGroupIds(List.of(groups));
    }

    static ListGroupsRequestData list(List<String> types, String... states) {
        return new ListGroupsRequestData().setTypesFilter(types).setStatesFilter(List.of(states));
    }

    static DeleteGroupsRequestData delete(String... groups) {
        return new DeleteGroupsRequestData().setGroupsNames(List.of(groups));
    }

    static JoinGroupRequestData joinClassic(String group, String type) {
        JoinGroupRequestData request = new JoinGroupRequestData().setGroupId(group).setMemberId("").setProtocolType(type)
            .setSessionTimeoutMs(30_000).setRebalanceTimeoutMs(30_000);
        request.protocols().add(new JoinGroupRequestData.JoinGroupRequestProtocol().setName("range").setMetadata(new byte[0]));
        return request;
    }

    static ConsumerGroupHeartbeatRequestData joinConsumer(String group, String member, String topic) {
        return new ConsumerGroupHeartbeatRequestData().setGroupId(group).setMemberId(member).setMemberEpoch(0).setRebalanceTimeoutMs(20_000)
            .setSubscribedTopicNames(List.of(topic)).setTopicPartitions(List.of());
    }

    static ShareGroupHeartbeatRequestData joinShare(String group, String member, String topic) {
        return new ShareGroupHeartbeatRequestData().setGroupId(group).setMemberId(member).setMemberEpoch(0)
            .setSubscribedTopicNames(List.of(topic));
    }

    // --- offsets -----------------------------------------------------------------------------------

    final Uuid id(String topic) {
        return topics.getOrDefault(topic, UNKNOWN);
    }

    final OffsetCommitRequestData commit(String group, String member, int epoch, String topic, int... partitions) {
        OffsetCommitRequestData.OffsetCommitRequestTopic asked = new OffsetCommitRequestData.OffsetCommitRequestTopic().setName(topic)
            .setTopicId(id(topic));
        for (int partition : partitions) {
            asked.partitions().add(new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(partition)
                .setCommittedOffset(42).setCommittedLeaderEpoch(0).setCommittedMetadata("m"));
        }
        return new OffsetCommitRequestData().setGroupId(group).setMemberId(member).setGenerationIdOrMemberEpoch(epoch).setTopics(
            List.of(asked));
    }

    final OffsetFetchRequestData fetch(String group, String member, int epoch, String topic, Integer... partitions) {
        OffsetFetchRequestData.OffsetFetchRequestGroup asked = new OffsetFetchRequestData.OffsetFetchRequestGroup().setGroupId(group)
            .setMemberId(member).setMemberEpoch(epoch);
        asked.setTopics(topic == null ? null : List.of(new OffsetFetchRequestData.OffsetFetchRequestTopics().setName(topic)
            .setTopicId(id(topic)).setPartitionIndexes(List.of(partitions))));
        return new OffsetFetchRequestData().setGroups(List.of(asked));
    }

    /** As clients asked before v8. */
    static OffsetFetchRequestData fetchOne(String group, String topic, Integer... partitions) {
        return new OffsetFetchRequestData().setGroupId(group).setTopics(List.of(new OffsetFetchRequestData.OffsetFetchRequestTopic().setName(topic)
            .setPartitionIndexes(List.of(partitions))));
    }

    static OffsetDeleteRequestData forget(String group, String topic, int... partitions) {
        OffsetDeleteRequestData.OffsetDeleteRequestTopic asked = new OffsetDeleteRequestData.OffsetDeleteRequestTopic().setName(topic);
        for (int partition : partitions) {
            asked.partitions().add(new OffsetDeleteRequestData.OffsetDeleteRequestPartition().setPartitionIndex(partition));
        }
        OffsetDeleteRequestData request = new OffsetDeleteRequestData().setGroupId(group);
        request.topics().add(asked);
        return request;
    }

    static TxnOffsetCommitRequestData commitTxn(String group, String member, int epoch, long producerId, int producerEpoch, String topic,
        int... partitions) {
        TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic asked = new TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic().setName(
            topic);
        for (int partition : partitions) {
            asked.partitions().add(new TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition().setPartitionIndex(partition)
                .setCommittedOffset(77).setCommittedLeaderEpoch(0).setCommittedMetadata("t"));
        }
        return new TxnOffsetCommitRequestData().setTransactionalId("streams-txn").setGroupId(group).setMemberId(member).setGenerationId(epoch)
            .setProducerId(producerId).setProducerEpoch((short) producerEpoch).setTopics(List.of(asked));
    }
}
