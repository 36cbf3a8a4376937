package kdl.topics;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The same topics and groups on two clusters, which MirrorMaker 2 copies to each other while it runs beside this program. They grow part by part; at each part
 * but the first a command is run that kills one of the clusters and starts it again. When both have all of the other, prints what they hold: "== side NAME",
 * then as {@link Contents} does. Arguments: RESTART-COMMAND KILLS NAME=BOOTSTRAP NAME=BOOTSTRAP.
 */
public final class MirrorRun {
    private static final long PATIENCE_MS = 100_000;
    private static final long FIRST_TIMESTAMP = 1_700_000_000_000L;
    private static final int RECORDS = 600; // of each topic in each part
    private static final int TRANSACTION = 20; // records; every third one is aborted
    private static final String GROUP = "readers";
    private static final Map<String, Integer> PARTITIONS = Map.of("story.orders", 3, "story.prices", 1, "story.payments", 2);

    /** A cluster and the alias that MirrorMaker knows it by. */
    private record Side(String name, String bootstrap, Admin admin) {
        static Side of(String arg) {
            String[] parts = arg.split("=", 2);
            return new Side(parts[0], parts[1], Admin.create(Map.of("bootstrap.servers", parts[1])));
        }
    }

    private MirrorRun() {
    }

    public static void main(String[] args) throws Exception {
        int kills = Integer.parseInt(args[1]);
        List<Side> sides = List.of(Side.of(args[2]), Side.of(args[3]));
        for (Side side : sides) {
            makeTopics(side);
            write(side, 0);
        }
        awaitMirrored(sides);
        for (int part = 1; part <= kills; part++) {
            Process restart = new ProcessBuilder(args[0]).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            for (Side side : sides) {
                write(side, part);
            }
            if (restart.waitFor() != 0) {
                throw new IllegalStateException("the cluster does not start again");
            }
        }
        for (Side side : sides) {
            alter(side, "story.orders", TopicConfig.RETENTION_BYTES_CONFIG, "123456789");
        }
        awaitMirrored(sides);
        show(sides.get(0), sides.get(1));
        show(sides.get(1), sides.get(0));
        sides.forEach(side -> side.admin().close());
    }

    // --- what is mirrored --------------------------------------------------------------------------

    private static void makeTopics(Side side) throws Exception {
        List<NewTopic> topics = new ArrayList<>();
        PARTITIONS.forEach((name, partitions) -> topics.add(new NewTopic(name, partitions, (short) 1).configs(
            name.equals("story.prices") ? Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT, TopicConfig.SEGMENT_MS_CONFIG, "3600000")
                : Map.of(TopicConfig.RETENTION_MS_CONFIG, "-1", TopicConfig.MAX_MESSAGE_BYTES_CONFIG, "2000000"))));
        Topics.make(side.admin(), topics);
    }

    private static void alter(Side side, String topic, String key, String value) throws Exception {
        side.admin().incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic),
            List.of(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET)))).all().get();
    }

    /** A part of each topic, then a group that has read it all. */
    private static void write(Side side, int part) throws Exception {
        try (KafkaProducer<String, String> producer = producer(side, "compression.type", "zstd")) {
            for (int i = part * RECORDS; i < (part + 1) * RECORDS; i++) {
                producer.send(record("story.orders", i));
                producer.send(record("story.prices", i));
            }
        }
        try (KafkaProducer<String, String> producer = producer(side, "transactional.id", "payments")) {
            producer.initTransactions();
            for (int i = part * RECORDS; i < (part + 1) * RECORDS; i += TRANSACTION) {
                producer.beginTransaction();
                for (int k = i; k < i + TRANSACTION; k++) {
                    producer.send(record("story.payments", k));
                }
                producer.flush();
                if (i / TRANSACTION % 3 == 1) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
        }
        Map<TopicPartition, Long> ends = ends(side, "", IsolationLevel.READ_UNCOMMITTED);
        // The last transaction is answered before its markers are written; while they are not, it holds back what is committed.
        for (long limit = System.currentTimeMillis() + PATIENCE_MS; !ends(side, "", IsolationLevel.READ_COMMITTED).equals(ends);) {
            if (System.currentTimeMillis() > limit) {
                throw new IllegalStateException("a transaction stays open on " + side.name());
            }
            ends = ends(side, "", IsolationLevel.READ_UNCOMMITTED);
        }
        side.admin().alterConsumerGroupOffsets(GROUP, ends.entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, end -> new OffsetAndMetadata(end.getValue())))).all().get();
    }

    private static KafkaProducer<String, String> producer(Side side, String key, String value) {
        return new KafkaProducer<>(Map.of("bootstrap.servers", side.bootstrap(), key, value), new StringSerializer(), new StringSerializer());
    }

    /** Record I of a topic: some without key or value, some with headers, all with a time of their own. */
    private static ProducerRecord<String, String> record(String topic, int i) {
        boolean compacted = topic.equals("story.prices");
        ProducerRecord<String, String> record = new ProducerRecord<>(topic, i % PARTITIONS.get(topic), FIRST_TIMESTAMP + i * 1000L - i % 7 * 300L,
            i % 5 == 0 && !compacted ? null : "key " + i, i % 11 == 0 ? null : "value " + i + " of " + topic);
        for (int h = 0; h < i % 4; h++) {
            record.headers().add("header-" + h % 2, h == 2 ? null : ("of " + i).getBytes(StandardCharsets.UTF_8));
        }
        return record;
    }

    // --- how far it is -----------------------------------------------------------------------------

    /** The ends of the topics, or of the copies whose names begin with PREFIX. */
    private static Map<TopicPartition, Long> ends(Side side, String prefix, IsolationLevel isolation) throws Exception {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        PARTITIONS.forEach((name, partitions) -> {
            for (int i = 0; i < partitions; i++) {
                asked.put(new TopicPartition(prefix + name, i), OffsetSpec.latest());
            }
        });
        return side.admin().listOffsets(asked, new ListOffsetsOptions(isolation)).all().get().entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().offset()));
    }

    private static void awaitMirrored(List<Side> sides) throws Exception {
        await(sides.get(0), sides.get(1));
        await(sides.get(1), sides.get(0));
    }

    /** Until TO has all of FROM: the group, which has read everything there, stands at the ends of all copies here, which hold as much; and the configs. */
    private static void await(Side from, Side to) throws Exception {
        long end = System.currentTimeMillis() + PATIENCE_MS;
        String seen = "";
        while (System.currentTimeMillis() < end) {
            try {
                Map<TopicPartition, Long> ends = ends(to, from.name() + ".", IsolationLevel.READ_UNCOMMITTED);
                Map<TopicPartition, Long> group = offsets(to, partition -> partition.topic().startsWith(from.name() + "."));
                long wanted = records(from);
                long copied = ends.values().stream().mapToLong(Long::longValue).sum();
                String config = config(to, from.name() + ".story.orders");
                seen = copied + " of " + wanted + " records, ends " + ends + ", group at " + group + ", config " + config;
                if (copied == wanted && group.equals(ends) && config.equals(config(from, "story.orders"))) {
                    return;
                }
            } catch (ExecutionException e) {
                seen = e.getCause().toString(); // there are no copies yet
            }
            Thread.sleep(200);
        }
        throw new IllegalStateException("from " + from.name() + " to " + to.name() + ": " + seen);
    }

    private static Map<TopicPartition, Long> offsets(Side side, Predicate<TopicPartition> chosen) throws Exception {
        return side.admin().listConsumerGroupOffsets(GROUP).partitionsToOffsetAndMetadata().get().entrySet().stream()
            .filter(entry -> chosen.test(entry.getKey())).collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().offset()));
    }

    private static String config(Side side, String topic) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return side.admin().describeConfigs(List.of(resource)).all().get().get(resource).get(TopicConfig.RETENTION_BYTES_CONFIG).value();
    }

    /** Committed records of all topics: the ends, without what is in aborted transactions and without markers. */
    private static long records(Side side) throws Exception {
        long records = 0;
        for (Map.Entry<TopicPartition, Long> end : ends(side, "", IsolationLevel.READ_UNCOMMITTED).entrySet()) {
            if (!end.getKey().topic().equals("story.payments")) {
                records += end.getValue();
            } else {
                long transactions = end.getValue() / (TRANSACTION / 2 + 1);
                records += (transactions - (transactions + 1) / 3) * (TRANSACTION / 2);
            }
        }
        return records;
    }

    private static void show(Side side, Side other) throws Exception {
        System.out.println("== side " + side.name());
        String copies = other.name() + ".story.";
        Contents.print(side.bootstrap(), List.of("--committed", "story.orders", "story.prices", "story.payments"));
        System.out.println("== side " + side.name() + "-copies");
        Contents.print(side.bootstrap(), List.of("--all", copies + "orders", copies + "prices", copies + "payments", "--checkpoints", other.name()
            + ".checkpoints.internal", "--syncs", "mm2-offset-syncs." + other.name() + ".internal", "--groups", GROUP));
    }
}
