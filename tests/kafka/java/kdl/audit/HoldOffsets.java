package kdl.audit;

import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Commits an offset of a topic's partition 0 for a group, and holds a transaction open that is about to commit another. Prints READY, and ends without a word to the broker when its
 * standard input closes. Arguments: BOOTSTRAP TOPIC GROUP.
 */
public final class HoldOffsets {
    private HoldOffsets() {
    }

    public static void main(String[] args) throws Exception {
        TopicPartition partition = new TopicPartition(args[1], 0);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            admin.alterConsumerGroupOffsets(args[2], Map.of(partition, new OffsetAndMetadata(3))).all().get();
        }
        KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", args[0], "transactional.id", args[2] + "-copies",
            "transaction.timeout.ms", 600_000), new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        producer.beginTransaction();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", args[0], "group.id", args[2]), new StringDeserializer(),
            new StringDeserializer())) {
            producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(7)), consumer.groupMetadata());
        }
        System.out.println("READY");
        while (System.in.read() >= 0) {
            continue;
        }
        Runtime.getRuntime().halt(0);
    }
}
