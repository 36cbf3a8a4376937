package kdl.codec;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.ByteBufferOutputStream;

/** Builds record sets with Kafka's own builder, kind by kind and codec by codec, so that a few dozen meet all. */
final class BatchMaker {
    private enum Kind {
        PLAIN, IDEMPOTENT, TRANSACTIONAL, LOG_APPEND_TIME, COMPACTED, DELETE_HORIZON, LARGE, MARKER, EMPTY, MAGIC_1, MAGIC_1_LOG_APPEND_TIME, MAGIC_0
    }

    private static final CompressionType[] CODECS = {
        CompressionType.NONE, CompressionType.GZIP, CompressionType.SNAPPY, CompressionType.LZ4, CompressionType.ZSTD};
    private static final long SOME_TIME_MS = 1_700_000_000_000L;
    private static final int WRITE_LIMIT_BYTES = 1 << 24;

    private final SplittableRandom random;
    private final Values values;

    BatchMaker(SplittableRandom random) {
        this.random = random;
        this.values = new Values(random);
    }

    /** The number-th record set: one batch, except that uncompressed sets of magic 0 and 1 are one "batch" per record. */
    MemoryRecords make(int number) {
        Kind kind = Kind.values()[number % Kind.values().length];
        CompressionType codec = CODECS[number / Kind.values().length % CODECS.length];
        return switch (kind) {
            case MARKER -> marker();
            case EMPTY -> empty();
            case MAGIC_0, MAGIC_1, MAGIC_1_LOG_APPEND_TIME -> legacy(kind, codec);
            default -> batch(kind, codec);
        };
    }

    private MemoryRecords batch(Kind kind, CompressionType codec) {
        boolean transactional = kind == Kind.TRANSACTIONAL;
        boolean idempotent = transactional || kind == Kind.IDEMPOTENT || random.nextInt(4) == 0;
        long deleteHorizonMs = kind == Kind.DELETE_HORIZON ? SOME_TIME_MS + random.nextLong(1L << 40) : RecordBatch.NO_TIMESTAMP;
        boolean appendTime = kind == Kind.LOG_APPEND_TIME;
        long baseOffset = baseOffset();
        // Near the end of the sequence's range now and then: it wraps to 0 within the batch.
        int sequence = random.nextInt(3) == 0 ? Integer.MAX_VALUE - random.nextInt(3) : random.nextInt(1 << 20);
        try (MemoryRecordsBuilder builder = new MemoryRecordsBuilder(
            new ByteBufferOutputStream(1024), RecordBatch.MAGIC_VALUE_V2, Compression.of(codec).build(),
            appendTime ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME, baseOffset,
            appendTime ? SOME_TIME_MS + random.nextLong(1L << 30) : RecordBatch.NO_TIMESTAMP,
            idempotent ? producerId() : RecordBatch.NO_PRODUCER_ID, idempotent ? epoch() : RecordBatch.NO_PRODUCER_EPOCH,
            idempotent ? sequence : RecordBatch.NO_SEQUENCE, transactional, false, leaderEpoch(),
            WRITE_LIMIT_BYTES, deleteHorizonMs)) {
            long offset = append(builder, kind, baseOffset);
            if (kind == Kind.COMPACTED) {
                // Compaction may take the last record and still keep the batch's range.
                builder.overrideLastOffset(offset + random.nextInt(3));
            }
            return builder.build();
        }
    }

    /** Returns the last offset. */
    private long append(MemoryRecordsBuilder builder, Kind kind, long baseOffset) {
        int count = 1 + random.nextInt(kind == Kind.LARGE ? 3 : 6);
        long offset = baseOffset + (kind == Kind.COMPACTED ? random.nextInt(5) : 0);
        for (int i = 0; i < count; i++) {
            if (i > 0) {
                offset += kind == Kind.COMPACTED ? 1 + random.nextInt(1000) : 1;
            }
            builder.appendWithOffset(offset, timestampMs(), maybe(values.bytes()), maybe(kind == Kind.LARGE ? largeValue() : values.bytes()), headers());
        }
        return offset;
    }

    private MemoryRecords legacy(Kind kind, CompressionType codec) {
        // zstd came after magic 2, so Kafka's builder refuses it here.
        CompressionType known = codec == CompressionType.ZSTD ? CompressionType.NONE : codec;
        byte magic = kind == Kind.MAGIC_0 ? RecordBatch.MAGIC_VALUE_V0 : RecordBatch.MAGIC_VALUE_V1;
        boolean appendTime = kind == Kind.MAGIC_1_LOG_APPEND_TIME;
        TimestampType type = magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE : appendTime ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME;
        long baseOffset = baseOffset();
        try (MemoryRecordsBuilder builder = MemoryRecords.builder(
            ByteBuffer.allocate(1024), magic, Compression.of(known).build(), type, baseOffset,
            appendTime ? SOME_TIME_MS + random.nextLong(1L << 30) : RecordBatch.NO_TIMESTAMP)) {
            int count = 1 + random.nextInt(5);
            for (int i = 0; i < count; i++) {
                long timestamp = magic == 0 ? RecordBatch.NO_TIMESTAMP : timestampMs();
                builder.appendWithOffset(baseOffset + i, timestamp, maybe(values.bytes()), maybe(random.nextInt(10) == 0 ? largeValue() : values.bytes()));
            }
            return builder.build();
        }
    }

    private MemoryRecords marker() {
        ControlRecordType type = random.nextBoolean() ? ControlRecordType.COMMIT : ControlRecordType.ABORT;
        return MemoryRecords.withEndTransactionMarker(baseOffset(), timestampMs(), leaderEpoch(), producerId(), epoch(),
            new EndTransactionMarker(type, random.nextInt(1000)));
    }

    /** What compaction leaves of a producer's last batch: a header that keeps its sequence, and no record. */
    private MemoryRecords empty() {
        ByteBuffer buffer = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
        long baseOffset = baseOffset();
        int count = random.nextInt(5);
        DefaultRecordBatch.writeEmptyHeader(buffer, RecordBatch.MAGIC_VALUE_V2, producerId(), epoch(), random.nextInt(1000),
            baseOffset, baseOffset + count, leaderEpoch(), TimestampType.CREATE_TIME, timestampMs(), random.nextBoolean(), false);
        buffer.flip();
        return MemoryRecords.readableRecords(buffer);
    }

    private Header[] headers() {
        Header[] headers = new Header[random.nextBoolean() ? 0 : random.nextInt(4)];
        for (int i = 0; i < headers.length; i++) {
            headers[i] = new RecordHeader(values.text(), maybe(values.bytes()));
        }
        return headers;
    }

    private byte[] maybe(byte[] bytes) {
        return random.nextInt(5) == 0 ? null : bytes;
    }

    /** Longer than one block of snappy (32 KiB) and of lz4 (64 KiB) at times, half of it hard to compress. */
    private byte[] largeValue() {
        byte[] bytes = new byte[random.nextInt(100_000)];
        random.nextBytes(bytes);
        Arrays.fill(bytes, 0, bytes.length / 2, (byte) 'x');
        return bytes;
    }

    private long baseOffset() {
        return random.nextInt(4) == 0 ? 0 : random.nextLong(1L << random.nextInt(1, 60));
    }

    private long timestampMs() {
        return switch (random.nextInt(10)) {
            case 0 -> 0;
            case 1 -> random.nextLong(1L << 50);
            default -> SOME_TIME_MS + random.nextInt(-100_000, 100_000);
        };
    }

    private long producerId() {
        return random.nextInt(4) == 0 ? Long.MAX_VALUE : random.nextLong(1L << 20);
    }

    private short epoch() {
        return (short) (random.nextInt(4) == 0 ? Short.MAX_VALUE : random.nextInt(100));
    }

    private int leaderEpoch() {
        return random.nextInt(4) == 0 ? RecordBatch.NO_PARTITION_LEADER_EPOCH : random.nextInt(1 << random.nextInt(1, 31));
    }
}
