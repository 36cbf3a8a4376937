package kdl.compaction;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import kdl.wire.RawConnection;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** What one broker shows of a topic with one partition: its batches, and what consumers make of them, as lines. */
final class Log {
    private static final int FETCH_VERSION = 11;

    private final String bootstrap;
    private final TopicPartition partition;

    Log(String bootstrap, String topic) {
        this.bootstrap = bootstrap;
        this.partition = new TopicPartition(topic, 0);
    }

    /** Every batch with its records, without what is a broker's own: leader epochs, the time of delete horizons, sizes. */
    List<String> batches() throws IOException {
        List<String> lines = new ArrayList<>();
        for (RecordBatch batch : fetchAll()) {
            lines.add(String.format("batch %d-%d producer %d/%d/%d %s%s%s%s %s max %d count %d", batch.baseOffset(), batch.lastOffset(),
                batch.producerId(), batch.producerEpoch(), batch.baseSequence(), batch.compressionType(),
                batch.isTransactional() ? " transactional" : "", batch.isControlBatch() ? " control" : "",
                batch.deleteHorizonMs().isPresent() ? " horizon" : "", batch.timestampType(), batch.maxTimestamp(), batch.countOrNull()));
            for (Record record : batch) {
                lines.add(String.format("  %d %d %s=%s %d", record.offset(), record.timestamp(), text(record.key()), text(record.value()), record.headers().length));
            }
        }
        return lines;
    }

    /** Whether nothing below an offset is left that a cleaner would take: an older record of a key. */
    boolean isClean(long end) throws IOException {
        Set<String> keys = new HashSet<>();
        for (RecordBatch batch : fetchAll()) {
            for (Record record : batch) {
                if (!batch.isControlBatch() && record.offset() < end && !keys.add(text(record.key()))) {
                    return false;
                }
            }
        }
        return true;
    }

    /** The timestamps of all records. */
    Set<Long> times() throws IOException {
        Set<Long> times = new TreeSet<>();
        for (RecordBatch batch : fetchAll()) {
            for (Record record : batch) {
                times.add(record.timestamp());
            }
        }
        return times;
    }

    /** What a consumer finds: offset, timestamp, key, value, headers. */
    List<String> consumed(String isolation) {
        List<String> lines = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "isolation.level", isolation),
                new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(Set.of(partition));
            consumer.seekToBeginning(Set.of(partition));
            long end = consumer.endOffsets(Set.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
                    StringBuilder line = new StringBuilder(String.format("%d %d %s=%s", record.offset(), record.timestamp(),
                        text(wrap(record.key())), text(wrap(record.value()))));
                    for (Header header : record.headers()) {
                        line.append(' ').append(header.key()).append(':').append(text(wrap(header.value())));
                    }
                    lines.add(line.toString());
                }
            }
        }
        return lines;
    }

    /** Where each of these times leads to, and the time before it and behind. */
    List<String> byTime(Set<Long> times) {
        List<String> lines = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap),
                new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            for (long time : times) {
                for (long asked = time - 1; asked <= time + 1; asked++) {
                    lines.add(asked + " " + consumer.offsetsForTimes(Map.of(partition, asked)).get(partition));
                }
            }
        }
        return lines;
    }

    private List<RecordBatch> fetchAll() throws IOException {
        List<RecordBatch> batches = new ArrayList<>();
        try (RawConnection broker = RawConnection.toFirstOf(bootstrap)) {
            for (long next = 0;;) {
                FetchRequestData request = new FetchRequestData().setReplicaId(-1).setMaxBytes(1 << 25).setTopics(List.of(
                    new FetchRequestData.FetchTopic().setTopic(partition.topic()).setPartitions(List.of(
                        new FetchRequestData.FetchPartition().setPartition(0).setFetchOffset(next).setPartitionMaxBytes(1 << 25)))));
                FetchResponseData.PartitionData answer = ((FetchResponseData) broker.ask(request, FETCH_VERSION)).responses().get(0).partitions().get(0);
                int before = batches.size();
                if (answer.errorCode() != 0) {
                    throw new IOException("Fetch answers " + answer.errorCode());
                }
                for (RecordBatch batch : ((MemoryRecords) answer.records()).batches()) {
                    batch.ensureValid();
                    if (batch.lastOffset() >= next) {
                        batches.add(batch);
                        next = batch.nextOffset();
                    }
                }
                if (batches.size() == before) {
                    return batches;
                }
            }
        }
    }

    private static ByteBuffer wrap(byte[] bytes) {
        return bytes == null ? null : ByteBuffer.wrap(bytes);
    }

    private static String text(ByteBuffer bytes) {
        return bytes == null ? "null" : StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
    }
}
