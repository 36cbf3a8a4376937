package kdl.topics;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.connect.mirror.Checkpoint;
import org.apache.kafka.connect.mirror.OffsetSync;

/**
 * Prints what topics and groups hold, so that two clusters can be compared line by line. The first argument is BOOTSTRAP; each
 * other one is a topic, or says how the topics behind it are read:
 * <ul>
 * <li>--all (from the beginning): each record with partition, offset, timestamp, key, value and headers
 * <li>--committed: the same of committed records only
 * <li>--latest: the last committed value of each key, tombstones left out, without offset and time, which differ from run to run
 * <li>--checkpoints, --syncs: the last checkpoint or offset sync of each key, in topics of MirrorMaker
 * <li>--configs: nothing but partitions and configs
 * <li>--groups: the names behind it are groups; their committed offsets
 * </ul>
 */
public final class Contents {
    private final Admin admin;
    private final String bootstrap;

    private Contents(Admin admin, String bootstrap) {
        this.admin = admin;
        this.bootstrap = bootstrap;
    }

    public static void main(String[] args) throws Exception {
        if (args.length < 2) {
            System.err.println("usage: Contents BOOTSTRAP [--all | --committed | --latest | --checkpoints | --syncs | --configs | --groups] NAME...");
            System.exit(2);
        }
        print(args[0], List.of(args).subList(1, args.length));
    }

    public static void print(String bootstrap, List<String> args) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            Contents contents = new Contents(admin, bootstrap);
            String mode = "--all";
            for (String arg : args) {
                if (arg.startsWith("--")) {
                    mode = arg;
                } else if (mode.equals("--groups")) {
                    contents.group(arg);
                } else {
                    contents.topic(arg, mode);
                }
            }
        }
    }

    private void group(String name) throws Exception {
        System.out.println("== group " + name);
        Map<String, Long> offsets = new TreeMap<>();
        admin.listConsumerGroupOffsets(name).partitionsToOffsetAndMetadata().get()
            .forEach((partition, offset) -> offsets.put(partition.toString(), offset.offset()));
        offsets.forEach((partition, offset) -> System.out.println(partition + " " + offset));
    }

    private void topic(String name, String mode) throws Exception {
        int partitions = admin.describeTopics(List.of(name)).allTopicNames().get().get(name).partitions().size();
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
        String configs = admin.describeConfigs(List.of(resource)).all().get().get(resource).entries().stream()
            .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
            .map(entry -> entry.name() + "=" + entry.value()).sorted().collect(Collectors.joining(" "));
        System.out.println("== topic " + name + ", partitions " + partitions + ", configs " + configs);
        if (mode.equals("--configs")) {
            return;
        }
        List<ConsumerRecord<byte[], byte[]>> records = read(name, partitions, !mode.equals("--all"));
        if (mode.equals("--all") || mode.equals("--committed")) {
            for (ConsumerRecord<byte[], byte[]> record : records) {
                System.out.println(record.partition() + " " + record.offset() + " " + record.timestampType() + " " + record.timestamp() + " "
                    + text(record.key()) + " = " + text(record.value()) + headers(record));
            }
            return;
        }
        Map<String, String> last = new TreeMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            String key = record.partition() + " " + text(record.key());
            if (record.value() == null) {
                last.remove(key);
            } else {
                last.put(key, switch (mode) {
                    case "--checkpoints" -> Checkpoint.deserializeRecord(record).toString();
                    case "--syncs" -> OffsetSync.deserializeRecord(record).toString();
                    default -> record.partition() + " " + text(record.key()) + " = " + text(record.value());
                });
            }
        }
        last.values().forEach(System.out::println);
    }

    /** All records, partition by partition, in their order. */
    private List<ConsumerRecord<byte[], byte[]>> read(String topic, int count, boolean committed) {
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            records.put(new TopicPartition(topic, i), new ArrayList<>());
        }
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "isolation.level",
            committed ? "read_committed" : "read_uncommitted"), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(records.keySet());
            consumer.seekToBeginning(records.keySet());
            Map<TopicPartition, Long> ends = consumer.endOffsets(records.keySet());
            while (records.keySet().stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(200))
                    .forEach(record -> records.get(new TopicPartition(topic, record.partition())).add(record));
            }
        }
        return records.values().stream().flatMap(List::stream).toList();
    }

    private static String headers(ConsumerRecord<byte[], byte[]> record) {
        return StreamSupport.stream(record.headers().spliterator(), false).map((Header header) -> " " + header.key() + ":" + text(header.value()))
            .collect(Collectors.joining());
    }

    /** Text as it is, other bytes in hex. */
    private static String text(byte[] bytes) {
        if (bytes == null) {
            return "null";
        }
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            if (text.chars().noneMatch(Character::isISOControl)) {
                return text;
            }
        } catch (CharacterCodingException e) {
            // Bytes that are no text are printed as such.
        }
        return HexFormat.of().formatHex(bytes);
    }
}
