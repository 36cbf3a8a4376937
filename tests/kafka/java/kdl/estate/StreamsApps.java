package kdl.estate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;

/** Three Kafka Streams applications with state: at-least-once, exactly-once, and one in a streams group (KIP-1071). */
final class StreamsApps implements Part {
    private static final int PARTITIONS = 2;
    private static final int LINES = 1000;
    private static final int TRANSFERS = 1000;
    private static final int QUOTES = 500;
    private final List<App> started = new ArrayList<>();
    private boolean streamsGroups;

    /** One application: how many results it must have produced when all its input is through. */
    private record App(String id, KafkaStreams streams, AtomicLong results, long expected, String... read) {}

    @Override
    public void declare(World world, Truth truth) {
        streamsGroups = world.hasFeature("streams.version");
        input(truth, "streams.lines");
        truth.topic("streams.counts", PARTITIONS).idempotent();
        repartition(truth, "wordcount", "by-word").changesNeeded("written without transactions; Streams empties it with DeleteRecords all the time");
        changelog(truth, "wordcount", "counts", "compact");
        changelog(truth, "wordcount", "per-minute", "compact,delete");
        truth.group("wordcount", "classic", "STABLE", "Streams application, at_least_once", "streams.lines", "wordcount-by-word-repartition");

        input(truth, "streams.transfers").undecided("written without transactions, but its offsets are committed inside those of balances");
        String eos = "written by the Streams application balances with exactly_once_v2";
        truth.topic("streams.balances", PARTITIONS).transactional(eos);
        repartition(truth, "balances", "by-account").transactional(eos);
        changelog(truth, "balances", "totals", "compact").transactional(eos);
        truth.group("balances", "classic", "STABLE", "Streams application, exactly_once_v2", "streams.transfers", "balances-by-account-repartition");
        truth.transactionPrefix("balances-", "CompleteCommit", "one per thread of the Streams application balances",
            "streams.balances", "balances-by-account-repartition", "balances-totals-changelog");

        if (streamsGroups) {
            input(truth, "streams.quotes");
            truth.topic("streams.averages", PARTITIONS).idempotent();
            repartition(truth, "averages", "by-symbol").changesNeeded("written without transactions; Streams empties it with DeleteRecords all the time");
            changelog(truth, "averages", "seen", "compact");
            truth.group("averages", "streams", "STABLE", "Streams application in a streams group (KIP-1071), at_least_once",
                "streams.quotes", "averages-by-symbol-repartition");
        }
    }

    private static TopicTruth input(Truth truth, String name) {
        return truth.topic(name, PARTITIONS).idempotent();
    }

    private static TopicTruth repartition(Truth truth, String app, String name) {
        return truth.topic(app + "-" + name + "-repartition", PARTITIONS).madeByApplication().idempotent()
            .yes("streams_state", "repartition topic of the Streams application " + app);
    }

    private static TopicTruth changelog(Truth truth, String app, String store, String policy) {
        return truth.topic(app + "-" + store + "-changelog", PARTITIONS).madeByApplication().idempotent()
            .compacted(policy, "changelog of store " + store)
            .yes("streams_state", "changelog of store " + store + " of the Streams application " + app);
    }

    /** Writes the inputs and starts the applications; await says when they are through. */
    @Override
    public void make(World world) throws IOException {
        fill(world, "streams.lines", LINES);
        fill(world, "streams.transfers", TRANSFERS);
        started.add(start(world, "wordcount", Map.of(), LINES * (long) world.scale, "streams.lines", "by-word", "counts", "streams.counts"));
        started.add(start(world, "balances", Map.of(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2),
            TRANSFERS * (long) world.scale, "streams.transfers", "by-account", "totals", "streams.balances"));
        if (streamsGroups) {
            fill(world, "streams.quotes", QUOTES);
            started.add(start(world, "averages", Map.of(StreamsConfig.GROUP_PROTOCOL_CONFIG, "streams"), QUOTES * (long) world.scale,
                "streams.quotes", "by-symbol", "seen", "streams.averages"));
        }
    }

    private static void fill(World world, String topic, int count) {
        Content content = new Content(topic);
        world.write(topic + "-writer", Map.of(), count * world.scale, i ->
            new ProducerRecord<>(topic, null, world.startMs - 70_000 + i * 10L % 60_000, content.key(i), Content.word(i)));
    }

    private App start(World world, String id, Map<String, Object> conf, long expected, String input, String grouping, String store, String output) throws IOException {
        Path stateDir = Files.createTempDirectory("estate-" + id);
        world.keep(() -> deleteTree(stateDir));
        Properties all = new Properties();
        all.put(StreamsConfig.APPLICATION_ID_CONFIG, id);
        all.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, world.bootstrap);
        all.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.toString());
        all.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        all.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        all.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        // Without a cache every input record gives one result, which makes the number of results known.
        all.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        // What lies in the topics between is not to depend on when somebody looks.
        all.put(StreamsConfig.REPARTITION_PURGE_INTERVAL_MS_CONFIG, 3_600_000L);
        all.put("auto.offset.reset", "earliest");
        all.putAll(conf);
        AtomicLong results = new AtomicLong();
        StreamsBuilder builder = new StreamsBuilder();
        KGroupedStream<String, String> grouped = builder.<String, String>stream(input)
            .map((key, word) -> KeyValue.pair(word, key))
            .groupByKey(Grouped.as(grouping));
        grouped.count(Materialized.<String, Long>as(Stores.inMemoryKeyValueStore(store)).withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
            .toStream().mapValues(String::valueOf).peek((key, value) -> results.incrementAndGet()).to(output);
        if (id.equals("wordcount")) {
            grouped.windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1)))
                .count(Materialized.<String, Long>as(Stores.inMemoryWindowStore("per-minute", Duration.ofMinutes(10), Duration.ofMinutes(1), false))
                    .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()));
        }
        KafkaStreams streams = new KafkaStreams(builder.build(), all);
        streams.start();
        world.keep(() -> streams.close(Duration.ofSeconds(5)));
        return new App(id, streams, results, expected, input, id + "-" + grouping + "-repartition");
    }

    /** Returns once every application has read, committed and, with transactions, completed everything. */
    void await(World world) {
        for (App app : started) {
            World.await(app.id() + " to process its input", () -> {
                if (app.streams().state() == KafkaStreams.State.ERROR) {
                    throw new IllegalStateException("the Streams application " + app.id() + " failed");
                }
                return app.results().get() >= app.expected();
            });
            World.await(app.id() + " to commit", () -> isCommitted(world, app));
        }
    }

    private static boolean isCommitted(World world, App app) {
        Map<TopicPartition, OffsetAndMetadata> committed = World.get(world.admin.listConsumerGroupOffsets(app.id()).partitionsToOffsetAndMetadata());
        for (String topic : app.read()) {
            for (int p = 0; p < PARTITIONS; p++) {
                TopicPartition partition = new TopicPartition(topic, p);
                long end = World.get(world.admin.listOffsets(Map.of(partition, OffsetSpec.latest())).partitionResult(partition)).offset();
                OffsetAndMetadata position = committed.get(partition);
                // The marker behind the last record of a transaction is nothing that an application commits.
                if (end > 0 && (position == null || position.offset() < end - 1)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static void deleteTree(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
