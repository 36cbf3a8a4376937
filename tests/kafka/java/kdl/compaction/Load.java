package kdl.compaction;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import kdl.topics.Topics;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Load BOOTSTRAP TOPIC SEED COUNT KEEP_MS: makes a compacted topic that is not cleaned yet and fills it with what the
 * seed says: few keys, tombstones, headers, batches of all codecs, plain, idempotent and transactional producers whose
 * transactions interleave and partly abort. KEEP_MS is delete.retention.ms.
 */
public final class Load {
    private static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
    private static final int KEYS = 12;
    private static final int TRANSACTIONAL = 2;

    private final Random random;
    private final String topic;
    private final long baseMs = System.currentTimeMillis();
    private final List<KafkaProducer<byte[], byte[]>> plain = new ArrayList<>();
    private final List<KafkaProducer<byte[], byte[]>> transactional = new ArrayList<>();
    private final boolean[] open = new boolean[TRANSACTIONAL];
    private int number;

    private Load(String bootstrap, String topic, long seed) {
        this.random = new Random(seed);
        this.topic = topic;
        for (int i = 0; i < CODECS.length; i++) {
            plain.add(producer(bootstrap, Map.of("compression.type", CODECS[i], "enable.idempotence", i % 2 == 0)));
        }
        for (int i = 0; i < TRANSACTIONAL; i++) {
            KafkaProducer<byte[], byte[]> made = producer(bootstrap, Map.of("compression.type", CODECS[i * 4], "transactional.id", topic + "-" + i));
            made.initTransactions();
            transactional.add(made);
        }
    }

    static KafkaProducer<byte[], byte[]> producer(String bootstrap, Map<String, ?> conf) {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "linger.ms", 1000, "acks", "all"));
        all.putAll(conf);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 5) {
            System.err.println("usage: Load BOOTSTRAP TOPIC SEED COUNT KEEP_MS");
            System.exit(2);
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            Topics.make(admin, Set.of(new NewTopic(args[1], 1, (short) 1).configs(Map.of(
                "cleanup.policy", "compact", "segment.ms", "1000", "min.cleanable.dirty.ratio", "1", "delete.retention.ms", args[4]))));
        }
        Load load = new Load(args[0], args[1], Long.parseLong(args[2]));
        load.write(Integer.parseInt(args[3]));
        System.out.println(load.number + " records written");
    }

    private void write(int count) {
        while (number < count) {
            if (random.nextInt(3) > 0) {
                batch(plain.get(random.nextInt(plain.size())));
            } else {
                transactionStep(random.nextInt(TRANSACTIONAL));
            }
        }
        for (int i = 0; i < TRANSACTIONAL; i++) {
            if (open[i]) {
                end(i);
            }
        }
        plain.forEach(KafkaProducer::close);
        transactional.forEach(KafkaProducer::close);
    }

    private void transactionStep(int which) {
        KafkaProducer<byte[], byte[]> producer = transactional.get(which);
        if (!open[which]) {
            producer.beginTransaction();
            open[which] = true;
        }
        batch(producer);
        if (random.nextInt(3) == 0) {
            end(which);
        }
    }

    private void end(int which) {
        if (random.nextBoolean()) {
            transactional.get(which).commitTransaction();
        } else {
            transactional.get(which).abortTransaction();
        }
        open[which] = false;
    }

    /** What is sent before the flush becomes one batch. */
    private void batch(KafkaProducer<byte[], byte[]> producer) {
        for (int left = 1 + random.nextInt(6); left > 0; left--) {
            byte[] value = random.nextInt(5) == 0 ? null : ("value " + number + "x".repeat(random.nextInt(40))).getBytes(StandardCharsets.UTF_8);
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, 0, baseMs + random.nextInt(400),
                ("key " + random.nextInt(KEYS)).getBytes(StandardCharsets.UTF_8), value);
            if (random.nextInt(4) == 0) {
                record.headers().add("number", Integer.toString(number).getBytes(StandardCharsets.UTF_8)).add("null", null);
            }
            producer.send(record);
            number++;
        }
        producer.flush();
    }
}
