package kdl.codec;

import com.github.luben.zstd.ZstdIOException;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Timer;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.server.util.Scheduler;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.RecordValidationException;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;
import org.xerial.snappy.SnappyError;

/**
 * What a real log of Kafka does with records that a client produces. A file is a row of u8 topic
 * (bit 0 compacted, 1 LogAppendTime, 2 timestamps within a second), i16 version of Produce, u32
 * length, records. What its zstd refused of the Nth is left in FILE.N.zst. Run: JudgeOracle FILE.
 */
final class JudgeOracle {
    private static final long NOW_MS = 1_700_000_000_000L;
    private static final int LEADER_EPOCH = 7;

    private final Map<Integer, UnifiedLog> logs = new HashMap<>();
    private final Path folder;

    private JudgeOracle(Path folder) {
        this.folder = folder;
    }

    public static void main(String[] args) throws IOException {
        Path folder = Files.createTempDirectory("judge");
        JudgeOracle oracle = new JudgeOracle(folder);
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(Path.of(args[0]))));
             PrintStream out = new PrintStream(new BufferedOutputStream(System.out), false, StandardCharsets.UTF_8)) {
            for (int i = 0; in.available() > 0; i++) {
                int topic = in.readUnsignedByte();
                short version = in.readShort();
                byte[] bytes = in.readNBytes(in.readInt());
                out.print(i + " " + oracle.judge(oracle.log(topic), version, bytes, Path.of(args[0] + "." + i + ".zst")) + "\n");
            }
        } finally {
            // The logs stay open: this process ends here.
            Utils.delete(folder.toFile());
        }
    }

    private String judge(UnifiedLog log, short version, byte[] bytes, Path compressed) throws IOException {
        MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
        long end = log.logEndOffset();
        try {
            ProduceRequest.validateRecords(version, records);
            log.appendAsLeader(records, LEADER_EPOCH, AppendOrigin.CLIENT);
            // One that its producer has sent before is good, and not appended again.
            return log.logEndOffset() == end ? "taken" : taken(log, end);
        } catch (RecordValidationException e) {
            return "refused " + Errors.forException(e.invalidException()).code() + " records="
                + e.recordErrors().stream().map(error -> Integer.toString(error.batchIndex)).collect(Collectors.joining(","));
        } catch (InvalidProducerEpochException | InvalidTxnStateException | OutOfOrderSequenceException e) {
            // The batch was good, its producer's history is not what this is about.
            return "taken";
        } catch (RuntimeException | IOException | SnappyError e) {
            if (causedByZstd(e)) {
                Files.write(compressed, Arrays.copyOfRange(bytes, DefaultRecordBatch.RECORD_BATCH_OVERHEAD, bytes.length));
            }
            return "refused " + Errors.forException(e).code() + " records=";
        }
    }

    private static boolean causedByZstd(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof ZstdIOException) {
                return true;
            }
        }
        return false;
    }

    /** Describes the batch that stands in the log from `end` on. */
    private String taken(UnifiedLog log, long end) throws IOException {
        RecordBatch batch = log.read(end, 1, FetchIsolation.LOG_END, true).records.batches().iterator().next();
        return "taken count=" + batch.countOrNull() + " last=" + (batch.lastOffset() - end) + " max=" + batch.maxTimestamp()
            + " type=" + batch.timestampType() + " size=" + batch.sizeInBytes() + " crc=" + batch.checksum();
    }

    private UnifiedLog log(int topic) throws IOException {
        UnifiedLog log = logs.get(topic);
        if (log == null) {
            log = open(topic);
            logs.put(topic, log);
        }
        return log;
    }

    private UnifiedLog open(int topic) throws IOException {
        Map<String, Object> config = new HashMap<>(Map.of("max.message.bytes", "5000000"));
        if ((topic & 1) != 0) {
            config.put("cleanup.policy", "compact");
        }
        if ((topic & 2) != 0) {
            config.put("message.timestamp.type", "LogAppendTime");
        }
        if ((topic & 4) != 0) {
            config.put("message.timestamp.before.max.ms", "1000");
            config.put("message.timestamp.after.max.ms", "1000");
        }
        Path path = Files.createDirectories(folder.resolve("topic" + topic + "-0"));
        return UnifiedLog.create(path.toFile(), new LogConfig(config), 0, 0, new NoScheduler(), new BrokerTopicStats(), new StoppedClock(),
            3_600_000, new ProducerStateManagerConfig(86_400_000, false), 600_000, new LogDirFailureChannel(1), true, Optional.empty());
    }

    private static final class StoppedClock implements Time {
        @Override
        public long milliseconds() {
            return NOW_MS;
        }

        @Override
        public long hiResClockMs() {
            return NOW_MS;
        }

        @Override
        public long nanoseconds() {
            return NOW_MS * 1_000_000;
        }

        @Override
        public void sleep(long ms) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void waitObject(Object object, Supplier<Boolean> condition, long deadlineMs) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Timer timer(long timeoutMs) {
            return Time.SYSTEM.timer(timeoutMs);
        }

        @Override
        public Timer timer(Duration timeout) {
            return Time.SYSTEM.timer(timeout);
        }
    }

    private static final class NoScheduler implements Scheduler {
        @Override
        public void startup() {}

        @Override
        public void shutdown() {}

        @Override
        public void resizeThreadPool(int size) {}

        @Override
        public ScheduledFuture<?> schedule(String name, Runnable task, long delayMs, long periodMs) {
            return null;
        }
    }
}
