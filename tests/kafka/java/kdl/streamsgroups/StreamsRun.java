package kdl.streamsgroups;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import kdl.topics.Contents;
import kdl.topics.Topics;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListStreamsGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.StreamsGroupDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Counts words with Kafka Streams in a streams group, exactly once, over a repartition topic and a
 * changelog: two instances share the tasks, one of them is closed in the middle, and a command is run
 * while the other one works, which may kill the broker. Prints each word with its last count, what is
 * wrong with the counts, the group, and the topics that were made for it. Arguments: BOOTSTRAP
 * RESTART-COMMAND LINES.
 */
public final class StreamsRun {
    private static final String APPLICATION = "counted";
    private static final String[] WORDS = {"log", "batch", "offset", "epoch", "leader", "marker", "group", "object"};
    private static final int WORDS_PER_LINE = 5;
    private static final int PARTITIONS = 2;
    private static final int TASKS = 2 * PARTITIONS; // two subtopologies
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int PAUSE_MS = 50;

    private final String bootstrap;
    private final Set<String> wrong = new TreeSet<>();
    private final Admin admin;

    private StreamsRun(String bootstrap) {
        this.bootstrap = bootstrap;
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 3) {
            System.err.println("usage: StreamsRun BOOTSTRAP RESTART-COMMAND LINES");
            System.exit(2);
        }
        new StreamsRun(args[0]).run(args[1], Integer.parseInt(args[2]));
        System.exit(0);
    }

    private void run(String restart, int lines) throws Exception {
        Topics.make(admin, Stream.of("lines", "counts").map(name -> new NewTopic(name, PARTITIONS, (short) 1)).toList());
        Path one = Files.createTempDirectory(APPLICATION);
        Path two = Files.createTempDirectory(APPLICATION);
        try (KafkaStreams stays = start(one)) {
            try (KafkaStreams goes = start(two)) {
                await("both have tasks", () -> tasks(stays) > 0 && tasks(goes) > 0 && tasks(stays) + tasks(goes) == TASKS);
                System.out.println(told("two instances"));
                write(0, lines / 3);
                awaitCounts(lines / 3);
                write(lines / 3, lines / 2);
                goes.close(PATIENCE);
            }
            await("the other one has all tasks", () -> tasks(stays) == TASKS && described().members().size() == 1);
            System.out.println(told("one instance"));
            awaitCounts(lines / 2);
            write(lines / 2, lines);
            if (new ProcessBuilder(restart).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() != 0) {
                throw new IllegalStateException("the broker does not start again");
            }
            write(lines, lines + lines / 2);
            awaitCounts(lines + lines / 2).forEach((word, count) -> System.out.println(word + " " + count));
            awaitCommitted();
            stays.close(PATIENCE);
        }
        await("nobody is left", () -> described().members().isEmpty());
        System.out.println(told("no instance"));
        wrong.forEach(System.out::println);
        Contents.print(bootstrap, List.of("--latest", "counts", "--configs", APPLICATION + "-words-repartition",
            APPLICATION + "-word-counts-changelog"));
        delete(one.toFile());
        delete(two.toFile());
    }

    // --- the application ---------------------------------------------------------------------------

    private KafkaStreams start(Path state) {
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION);
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(StreamsConfig.GROUP_PROTOCOL_CONFIG, "streams");
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        config.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 50);
        config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0); // each count is written
        config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put("auto.offset.reset", "earliest");
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream("lines").flatMapValues(line -> List.of(line.split(" ")))
            .groupBy((key, word) -> word, Grouped.as("words"))
            .count(Materialized.as("word-counts"))
            .toStream().to("counts", Produced.with(Serdes.String(), Serdes.Long()));
        KafkaStreams streams = new KafkaStreams(builder.build(), config);
        streams.setUncaughtExceptionHandler(e -> StreamThreadExceptionResponse.REPLACE_THREAD);
        streams.start();
        return streams;
    }

    private static int tasks(KafkaStreams streams) {
        return streams.metadataForLocalThreads().stream().mapToInt(thread -> thread.activeTasks().size()).sum();
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

    // --- its input and output ----------------------------------------------------------------------

    private void write(int from, int to) {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap), new StringSerializer(),
            new StringSerializer())) {
            for (int i = from; i < to; i++) {
                StringBuilder line = new StringBuilder();
                for (int k = 0; k < WORDS_PER_LINE; k++) {
                    line.append(WORDS[(i * 7 + k * k * 3) % WORDS.length]).append(' ');
                }
                producer.send(new ProducerRecord<>("lines", i % PARTITIONS, null, line.toString().trim()));
            }
            producer.flush();
        }
    }

    /** Reads what is committed until the words of so many lines are counted, each time once. */
    private Map<String, Long> awaitCounts(int lines) {
        Map<String, Long> counts = new TreeMap<>();
        long end = System.nanoTime() + PATIENCE.toNanos();
        try (KafkaConsumer<String, Long> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "isolation.level",
            "read_committed"), new StringDeserializer(), new LongDeserializer())) {
            List<TopicPartition> partitions = Stream.iterate(0, i -> i + 1).limit(PARTITIONS).map(i -> new TopicPartition("counts", i)).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (counts.values().stream().mapToLong(Long::longValue).sum() < (long) lines * WORDS_PER_LINE) {
                for (ConsumerRecord<String, Long> record : consumer.poll(Duration.ofMillis(100))) {
                    long before = counts.getOrDefault(record.key(), 0L);
                    if (record.value() != before + 1) {
                        wrong.add("wrong: " + record.key() + " goes from " + before + " to " + record.value());
                    }
                    counts.put(record.key(), record.value());
                }
                if (System.nanoTime() > end) {
                    throw new IllegalStateException("the counts are " + counts + ", not those of " + lines + " lines");
                }
            }
        }
        return counts;
    }

    /** Until the application has committed all that it was given. */
    private void awaitCommitted() throws Exception {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (int i = 0; i < PARTITIONS; i++) {
            asked.put(new TopicPartition("lines", i), OffsetSpec.latest());
        }
        Map<TopicPartition, Long> ends = new HashMap<>();
        admin.listOffsets(asked).all().get().forEach((partition, info) -> ends.put(partition, info.offset()));
        await("all is committed", () -> {
            Map<TopicPartition, Long> committed = new HashMap<>();
            admin.listStreamsGroupOffsets(Map.of(APPLICATION, new ListStreamsGroupOffsetsSpec()))
                .partitionsToOffsetAndMetadata(APPLICATION).get().forEach((partition, offset) -> {
                    if (offset != null && partition.topic().equals("lines")) {
                        committed.put(partition, offset.offset());
                    }
                });
            return committed.equals(ends);
        });
    }

    // --- the group ---------------------------------------------------------------------------------

    private StreamsGroupDescription described() throws Exception {
        return admin.describeStreamsGroups(List.of(APPLICATION)).all().get().get(APPLICATION);
    }

    /** The group as far as it does not depend on time: its members' tasks, all together. */
    private String told(String what) throws Exception {
        await("the group is at rest", () -> Set.of("Stable", "Empty").contains(described().groupState().toString()));
        StreamsGroupDescription group = described();
        Set<String> tasks = new TreeSet<>();
        Set<String> processes = new HashSet<>();
        group.members().forEach(member -> {
            processes.add(member.processId());
            member.assignment().activeTasks().forEach(run -> run.partitions().forEach(partition -> tasks.add(run.subtopologyId() + ":"
                + partition)));
        });
        Set<String> topology = new TreeSet<>();
        group.subtopologies().forEach(subtopology -> topology.add(subtopology.toString()));
        return what + ": " + group.groupState() + ", " + group.members().size() + " members of " + processes.size() + " processes, tasks " + tasks + " of "
            + topology;
    }

    private static void await(String what, Callable<Boolean> fact) throws Exception {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!fact.call()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("it never came true that " + what);
            }
            Thread.sleep(PAUSE_MS);
        }
    }
}
