package kdl.txn;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import kdl.topics.Topics;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
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
import org.apache.kafka.streams.kstream.Produced;

/**
 * Counts words with Kafka Streams, exactly once, and prints each word with its last count. In the middle the application is
 * closed without ado and another one goes on. Arguments: BOOTSTRAP LINES.
 */
public final class WordCount {
    private static final String[] WORDS = {"log", "batch", "offset", "epoch", "leader", "marker", "group", "object"};
    private static final int WORDS_PER_LINE = 5;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private WordCount() {
    }

    public static void main(String[] args) throws Exception {
        String bootstrap = args[0];
        int lines = Integer.parseInt(args[1]);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            Topics.make(admin, List.of(new NewTopic("lines", 2, (short) 1), new NewTopic("counts", 2, (short) 1)));
        }
        write(bootstrap, 0, lines / 2);
        Path state = Files.createTempDirectory("word-count");
        try (KafkaStreams first = start(bootstrap, state)) {
            await(bootstrap, (long) (lines / 2) * WORDS_PER_LINE);
            first.close(Duration.ofSeconds(10));
        }
        write(bootstrap, lines / 2, lines);
        try (KafkaStreams second = start(bootstrap, state)) {
            await(bootstrap, (long) lines * WORDS_PER_LINE).forEach((word, count) -> System.out.println(word + " " + count));
            second.close(Duration.ofSeconds(10));
        }
        delete(state.toFile());
    }

    private static void delete(java.io.File file) {
        java.io.File[] inside = file.listFiles();
        for (java.io.File child : inside == null ? new java.io.File[0] : inside) {
            delete(child);
        }
        if (!file.delete()) {
            file.deleteOnExit();
        }
    }

    private static void write(String bootstrap, int from, int to) {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
                new StringSerializer(), new StringSerializer())) {
            for (int i = from; i < to; i++) {
                StringBuilder line = new StringBuilder();
                for (int k = 0; k < WORDS_PER_LINE; k++) {
                    line.append(WORDS[(i * 7 + k * k * 3) % WORDS.length]).append(' ');
                }
                producer.send(new ProducerRecord<>("lines", i % 2, null, line.toString().trim()));
            }
            producer.flush();
        }
    }

    private static KafkaStreams start(String bootstrap, Path state) {
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, "word-count");
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        config.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 50);
        // Streams leaves no group when it ends: the next one waits this long for its partitions.
        config.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 6_000);
        config.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), 1_000);
        config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put("auto.offset.reset", "earliest");
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream("lines").flatMapValues(line -> List.of(line.split(" "))).groupBy((key, word) -> word).count()
            .toStream().to("counts", Produced.with(Serdes.String(), Serdes.Long()));
        KafkaStreams streams = new KafkaStreams(builder.build(), config);
        streams.start();
        return streams;
    }

    /** Reads what is committed until all words are counted; the last count of each word. */
    private static Map<String, Long> await(String bootstrap, long words) {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", bootstrap);
        config.put("isolation.level", "read_committed");
        Map<String, Long> counts = new TreeMap<>();
        long end = System.nanoTime() + PATIENCE.toNanos();
        try (KafkaConsumer<String, Long> consumer = new KafkaConsumer<>(config, new StringDeserializer(), new LongDeserializer())) {
            List<TopicPartition> places = List.of(new TopicPartition("counts", 0), new TopicPartition("counts", 1));
            consumer.assign(places);
            consumer.seekToBeginning(places);
            while (counts.values().stream().mapToLong(Long::longValue).sum() != words) {
                for (ConsumerRecord<String, Long> record : consumer.poll(Duration.ofMillis(100))) {
                    if (record.value() <= counts.getOrDefault(record.key(), 0L)) {
                        throw new IllegalStateException(record.key() + " goes from " + counts.get(record.key()) + " to " + record.value());
                    }
                    counts.put(record.key(), record.value());
                }
                if (System.nanoTime() > end) {
                    throw new IllegalStateException("the counts are " + counts + ", not " + words + " in all");
                }
            }
        }
        return counts;
    }
}
