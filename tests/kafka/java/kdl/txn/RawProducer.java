package kdl.txn;

import java.io.IOException;
import java.util.List;
import kdl.wire.RawConnection;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.AddOffsetsToTxnRequestData;
import org.apache.kafka.common.message.AddOffsetsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopicCollection;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * A transactional producer that sends exactly the requests that it is told to, in the versions that it is told to. Codes
 * that mean "not yet" (14, 15, 16, 51 where asked for) are tried again.
 */
final class RawProducer {
    private static final int TRIES = 300;
    private static final int PAUSE_MS = 20;

    final RawConnection connection;
    final String id;
    final String topic;
    long producerId = -1;
    short epoch = -1;
    int sequence;
    int timeoutMs = 60_000;

    RawProducer(RawConnection connection, String id, String topic) {
        this.connection = connection;
        this.id = id;
        this.topic = topic;
    }

    /** The same producer, as it is now. */
    RawProducer copy() {
        RawProducer copy = new RawProducer(connection, id, topic);
        copy.producerId = producerId;
        copy.epoch = epoch;
        copy.sequence = sequence;
        return copy;
    }

    interface Step {
        int code() throws IOException;
    }

    static int untilReady(Step step, boolean alsoConcurrent) throws IOException {
        int code = -2;
        for (int i = 0; i < TRIES; i++) {
            code = step.code();
            if (code != 14 && code != 15 && code != 16 && !(alsoConcurrent && code == 51)) {
                return code;
            }
            pause();
        }
        return code;
    }

    static void pause() {
        try {
            Thread.sleep(PAUSE_MS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    InitProducerIdResponseData initOnce(int version, long expectedId, short expectedEpoch) throws IOException {
        return (InitProducerIdResponseData) connection.ask(new InitProducerIdRequestData().setTransactionalId(id)
            .setTransactionTimeoutMs(timeoutMs).setProducerId(expectedId).setProducerEpoch(expectedEpoch), version);
    }

    int init(int version, long expectedId, short expectedEpoch) throws IOException {
        return untilReady(() -> {
            InitProducerIdResponseData answer = initOnce(version, expectedId, expectedEpoch);
            if (answer.errorCode() == 0) {
                producerId = answer.producerId();
                epoch = answer.producerEpoch();
                sequence = 0;
            }
            return answer.errorCode();
        }, true);
    }

    int init() throws IOException {
        return init(5, -1, (short) -1);
    }

    int add(int version, int partition) throws IOException {
        return add(version, topic, partition);
    }

    int add(int version, String name, int partition) throws IOException {
        AddPartitionsToTxnTopicCollection topics = new AddPartitionsToTxnTopicCollection();
        topics.add(new AddPartitionsToTxnTopic().setName(name).setPartitions(List.of(partition)));
        return untilReady(() -> ((AddPartitionsToTxnResponseData) connection.ask(
            new AddPartitionsToTxnRequestData().setV3AndBelowTransactionalId(id).setV3AndBelowProducerId(producerId)
                .setV3AndBelowProducerEpoch(epoch).setV3AndBelowTopics(topics), version))
            .resultsByTopicV3AndBelow().iterator().next().resultsByPartition().iterator().next().partitionErrorCode(), true);
    }

    int addOffsets(int version, String group) throws IOException {
        return untilReady(() -> ((AddOffsetsToTxnResponseData) connection.ask(new AddOffsetsToTxnRequestData()
            .setTransactionalId(id).setProducerId(producerId).setProducerEpoch(epoch).setGroupId(group), version)).errorCode(), true);
    }

    int produce(int version, int partition, boolean transactional) throws IOException {
        byte[] value = ("v" + sequence).getBytes();
        MemoryRecords records = transactional
            ? MemoryRecords.withTransactionalRecords(Compression.NONE, producerId, epoch, sequence, new SimpleRecord(value))
            : MemoryRecords.withIdempotentRecords(Compression.NONE, producerId, epoch, sequence, new SimpleRecord(value));
        TopicProduceDataCollection topics = new TopicProduceDataCollection();
        topics.add(new TopicProduceData().setName(topic)
            .setPartitionData(List.of(new PartitionProduceData().setIndex(partition).setRecords(records))));
        int code = untilReady(() -> ((ProduceResponseData) connection.ask(new ProduceRequestData().setTransactionalId(id)
            .setAcks((short) -1).setTimeoutMs(10_000).setTopicData(topics), version)).responses().iterator().next()
            .partitionResponses().get(0).errorCode(), true);
        sequence += code == 0 ? 1 : 0;
        return code;
    }

    int produce(int version, int partition) throws IOException {
        return produce(version, partition, true);
    }

    int commitOffset(int version, String group, long offset, String metadata, int generation, String member) throws IOException {
        return untilReady(() -> ((TxnOffsetCommitResponseData) connection.ask(new TxnOffsetCommitRequestData()
            .setTransactionalId(id).setGroupId(group).setProducerId(producerId).setProducerEpoch(epoch)
            .setGenerationId(generation).setMemberId(member).setTopics(List.of(new TxnOffsetCommitRequestTopic().setName(topic)
                .setPartitions(List.of(new TxnOffsetCommitRequestPartition().setPartitionIndex(0).setCommittedOffset(offset)
                    .setCommittedMetadata(metadata))))), version)).topics().get(0).partitions().get(0).errorCode(), true);
    }

    int commitOffset(int version, String group, long offset) throws IOException {
        return commitOffset(version, group, offset, "m", -1, "");
    }

    /** Ends the transaction; since version 5 the producer goes on with what the answer says. */
    int end(int version, boolean commit) throws IOException {
        return untilReady(() -> {
            EndTxnResponseData answer = (EndTxnResponseData) connection.ask(new EndTxnRequestData().setTransactionalId(id)
                .setProducerId(producerId).setProducerEpoch(epoch).setCommitted(commit), version);
            if (answer.errorCode() == 0 && version >= 5) {
                producerId = answer.producerId();
                epoch = answer.producerEpoch();
                sequence = 0;
            }
            return answer.errorCode();
        }, true);
    }
}
