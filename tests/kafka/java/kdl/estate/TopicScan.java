package kdl.estate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import kdl.wire.RawConnection;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.Utils;

/** What the stored batches of one topic say, read whole over the wire: a consumer would hide most of it. */
final class TopicScan {
    private static final int FETCH_VERSION = 12; // the last that names topics rather than ids
    private static final int FETCH_BYTES = 4 << 20;

    final Set<String> codecs = new TreeSet<>();
    final Set<String> timestampTypes = new TreeSet<>();
    final Set<Integer> partitionsWithData = new TreeSet<>();
    long records;
    long nullKeys;
    long nullValues;
    long withHeaders;
    long nullHeaderValues;
    boolean transactional;
    boolean idempotent;
    boolean plain;
    boolean openTransaction;
    /** How often each key came. */
    final Map<ByteBuffer, Integer> keys = new HashMap<>();

    static TopicScan of(TopicDescription topic, Map<Node, RawConnection> connections) throws IOException {
        TopicScan scan = new TopicScan();
        for (TopicPartitionInfo partition : topic.partitions()) {
            Node leader = partition.leader();
            RawConnection connection = connections.get(leader);
            if (connection == null) {
                connection = new RawConnection(leader.host(), leader.port());
                connections.put(leader, connection);
            }
            scan.partition(connection, topic.name(), partition.partition());
        }
        return scan;
    }

    private void partition(RawConnection connection, String topic, int index) throws IOException {
        long offset = 0;
        while (true) {
            FetchResponseData.PartitionData answer = fetch(connection, topic, index, offset);
            if (answer.errorCode() == 1 && answer.logStartOffset() > offset) {
                offset = answer.logStartOffset(); // Streams deletes what it has read of its repartition topics
                continue;
            }
            if (answer.errorCode() != 0) {
                throw new IOException(topic + "-" + index + " at " + offset + ": error " + answer.errorCode());
            }
            openTransaction |= answer.lastStableOffset() < answer.highWatermark();
            if (offset >= answer.highWatermark()) {
                return;
            }
            long before = offset;
            for (RecordBatch batch : ((MemoryRecords) answer.records()).batches()) {
                batch(batch, index);
                offset = batch.nextOffset();
            }
            if (offset == before) {
                throw new IOException(topic + "-" + index + ": no progress at " + offset);
            }
        }
    }

    private static FetchResponseData.PartitionData fetch(RawConnection connection, String topic, int index, long offset) throws IOException {
        FetchRequestData request = new FetchRequestData().setMaxWaitMs(0).setMinBytes(0).setMaxBytes(FETCH_BYTES).setTopics(List.of(
            new FetchRequestData.FetchTopic().setTopic(topic).setPartitions(List.of(
                new FetchRequestData.FetchPartition().setPartition(index).setFetchOffset(offset).setPartitionMaxBytes(FETCH_BYTES)))));
        FetchResponseData answer = (FetchResponseData) connection.ask(request, FETCH_VERSION);
        return answer.responses().get(0).partitions().get(0);
    }

    private void batch(RecordBatch batch, int partition) {
        transactional |= batch.isTransactional();
        if (batch.isControlBatch()) {
            return;
        }
        idempotent |= batch.hasProducerId();
        plain |= !batch.hasProducerId();
        codecs.add(batch.compressionType().name);
        timestampTypes.add(batch.timestampType().name);
        partitionsWithData.add(partition);
        for (Record record : batch) {
            records++;
            nullKeys += record.hasKey() ? 0 : 1;
            nullValues += record.hasValue() ? 0 : 1;
            withHeaders += record.headers().length > 0 ? 1 : 0;
            for (var header : record.headers()) {
                nullHeaderValues += header.value() == null ? 1 : 0;
            }
            if (record.hasKey()) {
                keys.merge(ByteBuffer.wrap(Utils.toArray(record.key())), 1, Integer::sum);
            }
        }
    }

    long rewrittenKeys() {
        return keys.values().stream().filter(count -> count > 1).count();
    }
}
