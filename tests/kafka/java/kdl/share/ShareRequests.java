package kdl.share;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.DeleteShareGroupStateRequestData;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.InitializeShareGroupStateRequestData;
import org.apache.kafka.common.message.ReadShareGroupStateRequestData;
import org.apache.kafka.common.message.ReadShareGroupStateSummaryRequestData;
import org.apache.kafka.common.message.ShareAcknowledgeRequestData;
import org.apache.kafka.common.message.ShareFetchRequestData;
import org.apache.kafka.common.message.ShareGroupDescribeRequestData;
import org.apache.kafka.common.message.ShareGroupHeartbeatRequestData;
import org.apache.kafka.common.message.WriteShareGroupStateRequestData;
import org.apache.kafka.common.protocol.ApiMessage;

/** Requests about share groups, as short as the script wants to say them. */
class ShareRequests {
    static final int WAIT_MS = 500;
    private static final Uuid UNKNOWN = new Uuid(7, 7);

    final Map<String, Uuid> topics = new LinkedHashMap<>();

    static ShareGroupHeartbeatRequestData beat(String group, String member, int epoch, String... topics) {
        return new ShareGroupHeartbeatRequestData().setGroupId(group).setMemberId(member).setMemberEpoch(epoch)
            .setSubscribedTopicNames(topics.length == 0 ? null : List.of(topics));
    }

    static ShareGroupDescribeRequestData describe(String... groups) {
        return new ShareGroupDescribeRequestData().setGroupIds(List.of(groups)).setIncludeAuthorizedOperations(true);
    }

    static DeleteGroupsRequestData delete(String... groups) {
        return new DeleteGroupsRequestData().setGroupsNames(List.of(groups));
    }

    final Uuid id(String topic) {
        return topics.getOrDefault(topic, UNKNOWN);
    }

    static ShareFetchRequestData session(String group, String member, int epoch) {
        return new ShareFetchRequestData().setGroupId(group).setMemberId(member).setShareSessionEpoch(epoch).setMaxWaitMs(WAIT_MS)
            .setMinBytes(1).setMaxBytes(1 << 20).setMaxRecords(100).setBatchSize(100);
    }

    final ShareFetchRequestData fetch(String group, String member, int epoch, String topic, int... partitions) {
        ShareFetchRequestData request = session(group, member, epoch);
        ShareFetchRequestData.FetchTopic asked = new ShareFetchRequestData.FetchTopic().setTopicId(id(topic));
        for (int partition : partitions) {
            asked.partitions().add(new ShareFetchRequestData.FetchPartition().setPartitionIndex(partition));
        }
        request.topics().add(asked);
        return request;
    }

    final ShareFetchRequestData forget(ShareFetchRequestData request, String topic, Integer... partitions) {
        request.forgottenTopicsData().add(new ShareFetchRequestData.ForgottenTopic().setTopicId(id(topic)).setPartitions(
            List.of(partitions)));
        return request;
    }

    /** What is said of offsets first to last, by one type or one for each. */
    static ShareFetchRequestData.AcknowledgementBatch with(long first, long last, int... types) {
        List<Byte> all = new ArrayList<>();
        for (int type : types) {
            all.add((byte) type);
        }
        return new ShareFetchRequestData.AcknowledgementBatch().setFirstOffset(first).setLastOffset(last).setAcknowledgeTypes(all);
    }

    final ShareFetchRequestData say(ShareFetchRequestData request, ShareFetchRequestData.AcknowledgementBatch... said) {
        request.topics().iterator().next().partitions().iterator().next().setAcknowledgementBatches(List.of(said));
        return request;
    }

    final ShareAcknowledgeRequestData acknowledge(String group, String member, int epoch, String topic, int partition,
        ShareFetchRequestData.AcknowledgementBatch... said) {
        List<ShareAcknowledgeRequestData.AcknowledgementBatch> batches = new ArrayList<>();
        for (ShareFetchRequestData.AcknowledgementBatch one : said) {
            batches.add(new ShareAcknowledgeRequestData.AcknowledgementBatch().setFirstOffset(one.firstOffset())
                .setLastOffset(one.lastOffset()).setAcknowledgeTypes(one.acknowledgeTypes()));
        }
        ShareAcknowledgeRequestData request = new ShareAcknowledgeRequestData().setGroupId(group).setMemberId(member)
            .setShareSessionEpoch(epoch);
        ShareAcknowledgeRequestData.AcknowledgeTopic asked = new ShareAcknowledgeRequestData.AcknowledgeTopic().setTopicId(id(topic));
        asked.partitions().add(new ShareAcknowledgeRequestData.AcknowledgePartition().setPartitionIndex(partition)
            .setAcknowledgementBatches(batches));
        request.topics().add(asked);
        return request;
    }

    static DescribeShareGroupOffsetsRequestData offsetsOf(String group, String topic, Integer... partitions) {
        return new DescribeShareGroupOffsetsRequestData().setGroups(List.of(
            new DescribeShareGroupOffsetsRequestData.DescribeShareGroupOffsetsRequestGroup().setGroupId(group).setTopics(topic == null
                ? null : List.of(new DescribeShareGroupOffsetsRequestData.DescribeShareGroupOffsetsRequestTopic().setTopicName(topic)
                    .setPartitions(List.of(partitions))))));
    }

    static AlterShareGroupOffsetsRequestData move(String group, String topic, long... offsets) {
        AlterShareGroupOffsetsRequestData request = new AlterShareGroupOffsetsRequestData().setGroupId(group);
        AlterShareGroupOffsetsRequestData.AlterShareGroupOffsetsRequestTopic asked =
            new AlterShareGroupOffsetsRequestData.AlterShareGroupOffsetsRequestTopic().setTopicName(topic);
        for (int i = 0; i < offsets.length; i++) {
            asked.partitions().add(new AlterShareGroupOffsetsRequestData.AlterShareGroupOffsetsRequestPartition().setPartitionIndex(i)
                .setStartOffset(offsets[i]));
        }
        request.topics().add(asked);
        return request;
    }

    static DeleteShareGroupOffsetsRequestData drop(String group, String... names) {
        DeleteShareGroupOffsetsRequestData request = new DeleteShareGroupOffsetsRequestData().setGroupId(group);
        for (String name : names) {
            request.topics().add(new DeleteShareGroupOffsetsRequestData.DeleteShareGroupOffsetsRequestTopic().setTopicName(name));
        }
        return request;
    }

    final ApiMessage read(String group, String topic, int partition, int leaderEpoch) {
        return new ReadShareGroupStateRequestData().setGroupId(group).setTopics(List.of(
            new ReadShareGroupStateRequestData.ReadStateData().setTopicId(id(topic)).setPartitions(List.of(
                new ReadShareGroupStateRequestData.PartitionData().setPartition(partition).setLeaderEpoch(leaderEpoch)))));
    }

    final ApiMessage summary(String group, String topic, int partition, int leaderEpoch) {
        return new ReadShareGroupStateSummaryRequestData().setGroupId(group).setTopics(List.of(
            new ReadShareGroupStateSummaryRequestData.ReadStateSummaryData().setTopicId(id(topic)).setPartitions(List.of(
                new ReadShareGroupStateSummaryRequestData.PartitionData().setPartition(partition).setLeaderEpoch(leaderEpoch)))));
    }

    final ApiMessage initialize(String group, String topic, int partition, int stateEpoch, long startOffset) {
        return new InitializeShareGroupStateRequestData().setGroupId(group).setTopics(List.of(
            new InitializeShareGroupStateRequestData.InitializeStateData().setTopicId(id(topic)).setPartitions(List.of(
                new InitializeShareGroupStateRequestData.PartitionData().setPartition(partition).setStateEpoch(stateEpoch)
                    .setStartOffset(startOffset)))));
    }

    final ApiMessage write(String group, String topic, int stateEpoch, int leaderEpoch, long startOffset, int complete, long... batches) {
        WriteShareGroupStateRequestData.PartitionData partition = new WriteShareGroupStateRequestData.PartitionData().setPartition(0)
            .setStateEpoch(stateEpoch).setLeaderEpoch(leaderEpoch).setStartOffset(startOffset).setDeliveryCompleteCount(complete);
        for (int i = 0; i < batches.length; i += 4) {
            partition.stateBatches().add(new WriteShareGroupStateRequestData.StateBatch().setFirstOffset(batches[i])
                .setLastOffset(batches[i + 1]).setDeliveryState((byte) batches[i + 2]).setDeliveryCount((short) batches[i + 3]));
        }
        return new WriteShareGroupStateRequestData().setGroupId(group).setTopics(List.of(
            new WriteShareGroupStateRequestData.WriteStateData().setTopicId(id(topic)).setPartitions(List.of(partition))));
    }

    final ApiMessage forgetState(String group, String topic, int partition) {
        return new DeleteShareGroupStateRequestData().setGroupId(group).setTopics(List.of(
            new DeleteShareGroupStateRequestData.DeleteStateData().setTopicId(id(topic)).setPartitions(List.of(
                new DeleteShareGroupStateRequestData.PartitionData().setPartition(partition)))));
    }
}
