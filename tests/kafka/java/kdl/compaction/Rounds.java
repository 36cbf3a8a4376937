package kdl.compaction;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Rounds KAFKA TARGET TOPIC ROUNDS PAUSE_MS: has both sides clean equal logs several times, a record that closes the
 * segment before each, and says where they differ: in a batch, or in what a consumer finds.
 */
public final class Rounds {
    private static final long PATIENCE_MS = 60_000;
    private static final long SEGMENTS_APART_MS = 60_000;

    private final String topic;
    private final List<String> sides;
    private final List<Log> logs;
    private final long startMs = System.currentTimeMillis();

    private Rounds(String kafka, String target, String topic) {
        this.topic = topic;
        this.sides = List.of(kafka, target);
        this.logs = List.of(new Log(kafka, topic), new Log(target, topic));
    }

    public static void main(String[] args) throws Exception {
        Rounds rounds = new Rounds(args[0], args[1], args[2]);
        int before = rounds.logs.get(0).consumed("read_uncommitted").size();
        rounds.same("before");
        for (int i = 1; i <= Integer.parseInt(args[3]); i++) {
            rounds.round(i);
            LockSupport.parkNanos(Long.parseLong(args[4]) * 1_000_000);
        }
        int after = rounds.logs.get(0).consumed("read_uncommitted").size();
        if (after >= before) {
            throw new IllegalStateException(after + " records after cleaning, " + before + " before");
        }
        System.out.println(before + " records before, " + after + " after " + args[3] + " rounds");
        System.exit(0);
    }

    /**
     * Each round adds a key's next value to the segment that the round before began, and closes that: so one cleaning is
     * due, and it has happened once the value before is gone.
     */
    private void round(int number) throws Exception {
        long end = -1;
        for (String side : sides) {
            try (KafkaProducer<byte[], byte[]> producer = Load.producer(side, Map.of("enable.idempotence", false, "linger.ms", 0))) {
                send(producer, "value", number, number - 1);
                end = send(producer, "end", number, number);
            }
        }
        if (number == 1) {
            begin();
        }
        long deadline = System.currentTimeMillis() + PATIENCE_MS;
        for (Log log : logs) {
            while (!log.isClean(end)) {
                if (System.currentTimeMillis() > deadline) {
                    throw new IllegalStateException("round " + number + " does not end");
                }
                LockSupport.parkNanos(20_000_000);
            }
        }
        same("round " + number);
    }

    private long send(KafkaProducer<byte[], byte[]> producer, String key, int value, int segment) throws Exception {
        return producer.send(new ProducerRecord<>(topic, 0, startMs + segment * SEGMENTS_APART_MS, key.getBytes(StandardCharsets.UTF_8),
            Integer.toString(value).getBytes(StandardCharsets.UTF_8))).get().offset();
    }

    /** Lets both cleaners at the topic. */
    private void begin() throws Exception {
        for (String side : sides) {
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", side))) {
                admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), List.of(
                    new AlterConfigOp(new ConfigEntry("min.cleanable.dirty.ratio", "0"), AlterConfigOp.OpType.SET)))).all().get();
            }
        }
    }

    private void same(String when) throws Exception {
        compare(when, "batches", logs.get(0).batches(), logs.get(1).batches());
        if (!when.equals("before")) {
            compare(when, "by time", withoutEpochs(logs.get(0)), withoutEpochs(logs.get(1)));
        }
        for (String isolation : List.of("read_uncommitted", "read_committed")) {
            compare(when, isolation, logs.get(0).consumed(isolation), logs.get(1).consumed(isolation));
        }
    }

    /** Leader epochs are a broker's own. */
    private static List<String> withoutEpochs(Log log) throws Exception {
        return log.byTime(log.times()).stream().map(line -> line.replaceAll("leaderEpoch=[^,]*, ", "")).toList();
    }

    private static void compare(String when, String what, List<String> kafka, List<String> target) {
        if (kafka.equals(target)) {
            return;
        }
        for (int i = 0; i < Math.max(kafka.size(), target.size()); i++) {
            String first = i < kafka.size() ? kafka.get(i) : "nothing";
            String second = i < target.size() ? target.get(i) : "nothing";
            if (!first.equals(second)) {
                throw new IllegalStateException(when + ", " + what + ", line " + i + "\nKafka:     " + first + "\nrefbroker: " + second);
            }
        }
    }
}
