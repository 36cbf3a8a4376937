package kdl.groups;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/**
 * Reads __consumer_offsets as a broker of Kafka does at its start, and prints what is left of it: one
 * line per key, in order, without what differs from run to run. A record that Kafka cannot read ends
 * the program.
 */
public final class OffsetsReader {
    private static final Pattern ID = Pattern.compile(
        "[A-Za-z0-9.]*-?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=\"memberId\":\")[A-Za-z0-9_-]{22}(?=\")");
    private static final Set<String> VOLATILE = Set.of("currentStateTimestamp", "commitTimestamp", "assignmentTimestamp", "timestamp",
        "metadataHash", "version");

    private final Map<String, String> topics = new TreeMap<>(); // by id
    private final Map<String, String> left = new TreeMap<>();

    private OffsetsReader() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            System.err.println("usage: OffsetsReader BOOTSTRAP");
            System.exit(2);
        }
        new OffsetsReader().read(args[0]);
    }

    private void read(String bootstrap) throws Exception {
        int records = 0;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.describeTopics(admin.listTopics().names().get()).allTopicNames().get()
                .forEach((name, topic) -> topics.put(topic.topicId().toString(), name));
        }
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "isolation.level",
            "read_committed"), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor("__consumer_offsets").stream()
                .map(info -> new TopicPartition(info.topic(), info.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    records++;
                    take(record);
                }
            }
        }
        System.err.println(records + " records");
        left.values().forEach(System.out::println);
    }

    private void take(ConsumerRecord<byte[], byte[]> record) throws Exception {
        CoordinatorRecord read = new GroupCoordinatorRecordSerde().deserialize(ByteBuffer.wrap(record.key()),
            record.value() == null ? null : ByteBuffer.wrap(record.value()));
        String key = read.key().getClass().getSimpleName() + json(read.key(), (short) 0);
        ApiMessageAndVersion value = read.value();
        if (value == null) {
            left.remove(key);
        } else {
            left.put(key, ID.matcher(named(key + " = " + json(value.message(), value.version()))).replaceAll("an-id"));
        }
    }

    private String named(String text) {
        String named = text;
        for (Map.Entry<String, String> topic : topics.entrySet()) {
            named = named.replace(topic.getKey(), topic.getValue());
        }
        return named;
    }

    private String json(ApiMessage message, short version) throws Exception {
        JsonNode json = (JsonNode) Class.forName(message.getClass().getName() + "JsonConverter")
            .getMethod("write", message.getClass(), short.class).invoke(null, message, version);
        clean(json);
        return json.toString();
    }

    private void clean(JsonNode node) {
        if (node instanceof ObjectNode object) {
            object.remove(VOLATILE);
        }
        node.forEach(this::clean);
        if (node instanceof ArrayNode array && array.size() > 0 && array.get(0).isObject()) {
            List<JsonNode> items = new ArrayList<>();
            array.forEach(items::add);
            items.sort(Comparator.comparing(item -> named(item.toString())));
            array.removeAll();
            array.addAll(items);
        }
    }
}
