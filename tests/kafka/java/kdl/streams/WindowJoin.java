package kdl.streams;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import kdl.topics.Contents;
import kdl.topics.Topics;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * Joins two topics in windows with Kafka Streams, exactly once, and counts their records per key and window. After each round the application is closed without ado, its
 * local state is deleted, and another one goes on, which has to restore it: half of the pairs have one side in each round. While it works on a round a command is run, which
 * may kill the broker. Prints the joined pairs in order, what is wrong with them, and the topics that Streams made. Arguments: BOOTSTRAP RESTART-COMMAND ("true" does
 * nothing) ROUNDS TIME, the first record's, which retention must leave alone; each round takes 400 s of it, and a broker takes no record an hour ahead of its own time.
 */
public final class WindowJoin {
    private static final String APPLICATION = "window-join";
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Duration DIFFERENCE = Duration.ofSeconds(10);
    private static final Duration GRACE = Duration.ofDays(1); // nothing is late, so that the result does not depend on which side is read first
    private static final int PARTITIONS = 2;
    private static final int RECORDS = 400; // of each side in each round
    private static final int KEYS = 10;

    private final String bootstrap;
    private final long firstTimestamp;
    private final AtomicLong restored = new AtomicLong();

    private WindowJoin(String bootstrap, long firstTimestamp) {
        this.bootstrap = bootstrap;
        this.firstTimestamp = firstTimestamp;
    }

    public static void main(String[] args) throws Exception {
        new WindowJoin(args[0], Long.parseLong(args[3])).run(args[1], Integer.parseInt(args[2]));
    }

    private void run(String restart, int rounds) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            Topics.make(admin, Stream.of("left", "right", "joined", "counts").map(name -> new NewTopic(name, PARTITIONS, (short) 1)).toList());
            for (int round = 0; round < rounds; round++) {
                write(round);
                Path state = Files.createTempDirectory(APPLICATION);
                try (KafkaStreams streams = start(state)) {
                    int before = pairs(round).size();
                    int all = pairs(round + 1).size();
                    awaitJoined(before + (all - before) / 3);
                    if (new ProcessBuilder(restart).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() != 0) {
                        throw new IllegalStateException("the broker does not start again");
                    }
                    awaitJoined(all);
                    awaitCommitted(admin);
                    streams.close(Duration.ZERO);
                }
                delete(state.toFile());
            }
        }
        show(rounds);
    }

    // --- the input, and what has to come of it -----------------------------------------------------

    private record Input(String topic, String key, String value, long timestamp) {
        int partition() {
            return Integer.parseInt(key) % PARTITIONS;
        }
    }

    /** The left side of a pair comes with its round, the right one half a round later, at about the same time of the event. */
    private List<Input> inputs(int round) {
        List<Input> inputs = new ArrayList<>();
        for (int i = round * RECORDS; i < (round + 1) * RECORDS; i++) {
            inputs.add(new Input("left", String.valueOf(i % KEYS), "l" + i, firstTimestamp + i * 1_000L));
            int late = i - RECORDS / 2;
            if (late >= 0) {
                inputs.add(new Input("right", String.valueOf(late % KEYS), "r" + late, firstTimestamp + late * 1_000L + late % 13 * 100L));
            }
        }
        return inputs;
    }

    private List<String> pairs(int rounds) {
        List<Input> left = new ArrayList<>();
        List<Input> right = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            inputs(round).forEach(input -> (input.topic().equals("left") ? left : right).add(input));
        }
        List<String> pairs = new ArrayList<>();
        for (Input one : left) {
            for (Input other : right) {
                if (one.key().equals(other.key()) && Math.abs(one.timestamp() - other.timestamp()) <= DIFFERENCE.toMillis()) {
                    pairs.add(line(Math.max(one.timestamp(), other.timestamp()), one.key(), one.value() + "+" + other.value()));
                }
            }
        }
        return pairs.stream().sorted().toList();
    }

    private static String line(long timestamp, String key, String value) {
        return timestamp + " " + key + " " + value;
    }

    private void write(int round) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer())) {
            inputs(round).forEach(input -> sent.add(producer.send(new ProducerRecord<>(input.topic(), input.partition(), input.timestamp(), input.key(), input.value()))));
        }
        for (Future<RecordMetadata> record : sent) {
            record.get();
        }
    }

    // --- the application ---------------------------------------------------------------------------

    private KafkaStreams start(Path state) {
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION);
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        config.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 50);
        config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        config.put("auto.offset.reset", "earliest");
        // Streams leaves no group when it ends: the next one waits this long for its partitions.
        config.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 2_000);
        config.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), 500);
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> left = builder.stream("left");
        KStream<String, String> right = builder.stream("right");
        left.join(right, (one, other) -> one + "+" + other, JoinWindows.ofTimeDifferenceAndGrace(DIFFERENCE, GRACE),
            StreamJoined.<String, String, String>as("pairs").withName("pairs")).to("joined");
        left.merge(right, Named.as("merged")).groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(1), GRACE)).count(Materialized.as("counted"))
            .toStream().map((window, count) -> new KeyValue<>(window.key() + "@" + window.window().start(), count.toString())).to("counts");
        KafkaStreams streams = new KafkaStreams(builder.build(), config);
        streams.setGlobalStateRestoreListener(new Restored());
        streams.setUncaughtExceptionHandler(e -> StreamThreadExceptionResponse.REPLACE_THREAD);
        streams.start();
        return streams;
    }

    private final class Restored implements StateRestoreListener {
        @Override
        public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
        }

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long end, long count) {
            restored.addAndGet(count);
        }

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long total) {
        }
    }

    private static void delete(File file) {
        File[] inside = file.listFiles();
        for (File child : inside == null ? new File[0] : inside) {
            delete(child);
        }
        if (!file.delete()) {
            throw new IllegalStateException(file + " stays");
        }
    }

    // --- what came of it ---------------------------------------------------------------------------

    private void awaitJoined(int count) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        try (KafkaConsumer<String, String> consumer = consumer()) {
            for (int seen = 0; seen < count;) {
                seen += consumer.poll(Duration.ofMillis(100)).count();
                if (System.nanoTime() > end) {
                    throw new IllegalStateException(seen + " pairs of " + count);
                }
            }
        }
    }

    /** Until the application has committed all that it was given. */
    private static void awaitCommitted(Admin admin) throws Exception {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (int i = 0; i < PARTITIONS; i++) {
            asked.put(new TopicPartition("left", i), OffsetSpec.latest());
            asked.put(new TopicPartition("right", i), OffsetSpec.latest());
        }
        Map<TopicPartition, Long> ends = new HashMap<>();
        admin.listOffsets(asked).all().get().forEach((partition, info) -> ends.put(partition, info.offset()));
        long end = System.nanoTime() + PATIENCE.toNanos();
        Map<TopicPartition, Long> committed = new HashMap<>();
        while (!committed.equals(ends)) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("committed " + committed + ", not " + ends);
            }
            Map<TopicPartition, OffsetAndMetadata> offsets = admin.listConsumerGroupOffsets(APPLICATION).partitionsToOffsetAndMetadata().get();
            committed.clear();
            offsets.forEach((partition, offset) -> committed.put(partition, offset.offset()));
        }
    }

    private KafkaConsumer<String, String> consumer() {
        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "isolation.level", "read_committed"),
            new StringDeserializer(), new StringDeserializer());
        List<TopicPartition> partitions = Stream.iterate(0, i -> i + 1).limit(PARTITIONS).map(i -> new TopicPartition("joined", i)).toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        return consumer;
    }

    private void show(int rounds) throws Exception {
        List<String> joined = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer()) {
            Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment());
            while (consumer.assignment().stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(100))
                    .forEach(record -> joined.add(line(record.timestamp(), record.key(), record.value())));
            }
        }
        joined.sort(null);
        Map<String, Integer> difference = new TreeMap<>();
        joined.forEach(pair -> difference.merge(pair, 1, Integer::sum));
        pairs(rounds).forEach(pair -> difference.merge(pair, -1, Integer::sum));
        joined.forEach(System.out::println);
        difference.forEach((pair, count) -> {
            if (count != 0) {
                System.out.println("wrong: " + pair + ", " + count + " too many");
            }
        });
        System.out.println("records were restored: " + (restored.get() > 0));
        Contents.print(bootstrap, List.of("--groups", APPLICATION, "--latest", "counts", "--configs", APPLICATION + "-pairs-this-join-store-changelog",
            APPLICATION + "-pairs-other-join-store-changelog", APPLICATION + "-counted-changelog"));
    }
}
