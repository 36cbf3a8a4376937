package kdl.share;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.share.ShareCoordinatorRecordSerde;

/**
 * Reads __share_group_state with Kafka's own classes and prints every record, partition by
 * partition, without what differs from run to run. A record that Kafka cannot read ends the program.
 */
public final class StateReader {
    private static final Set<String> VOLATILE = Set.of("createTimestamp", "writeTimestamp");

    private StateReader() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 2) {
            System.err.println("usage: StateReader BOOTSTRAP GROUP");
            System.exit(2);
        }
        Map<String, String> topics = new TreeMap<>();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            admin.describeTopics(admin.listTopics().names().get()).allTopicNames().get()
                .forEach((name, topic) -> topics.put(topic.topicId().toString(), name));
        }
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", args[0]),
            new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor("__share_group_state").stream()
                .map(info -> new TopicPartition(info.topic(), info.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    print(record, args[1], topics);
                }
            }
        }
    }

    private static void print(ConsumerRecord<byte[], byte[]> record, String group, Map<String, String> topics) throws Exception {
        CoordinatorRecord read = new ShareCoordinatorRecordSerde().deserialize(ByteBuffer.wrap(record.key()),
            record.value() == null ? null : ByteBuffer.wrap(record.value()));
        String line = read.key().getClass().getSimpleName() + json(read.key(), (short) 0) + " = "
            + (read.value() == null ? "null" : json(read.value().message(), read.value().version()));
        if (!line.contains("\"groupId\":\"" + group + "\"")) {
            return;
        }
        for (Map.Entry<String, String> topic : topics.entrySet()) {
            line = line.replace(topic.getKey(), topic.getValue());
        }
        System.out.println(line);
    }

    private static String json(ApiMessage message, short version) throws Exception {
        JsonNode json = (JsonNode) Class.forName(message.getClass().getName() + "JsonConverter")
            .getMethod("write", message.getClass(), short.class).invoke(null, message, version);
        ((ObjectNode) json).remove(VOLATILE);
        return json.toString();
    }
}
