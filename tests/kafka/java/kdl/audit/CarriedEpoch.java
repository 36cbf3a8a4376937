package kdl.audit;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * What a consumer reads whose group's offset was carried to a new topic without, and with the leader epoch of the old one. Prints both counts. Arguments: BOOTSTRAP TOPIC EPOCH
 * RECORDS.
 */
public final class CarriedEpoch {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration NOTHING_COMES = Duration.ofSeconds(6);

    private CarriedEpoch() {
    }

    public static void main(String[] args) throws Exception {
        int records = Integer.parseInt(args[3]);
        System.out.println(read(args[0], args[1], Optional.empty(), records, PATIENCE) + " " + read(args[0], args[1], Optional.of(Integer.valueOf(args[2])), records, NOTHING_COMES));
    }

    private static int read(String bootstrap, String topic, Optional<Integer> epoch, int wanted, Duration patience) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        String group = "carried-" + epoch.isPresent();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(0, epoch, ""))).all().get();
        }
        int seen = 0;
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "group.id", group, "auto.offset.reset", "none"),
            new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(partition));
            long end = System.nanoTime() + patience.toNanos();
            while (seen < wanted && System.nanoTime() < end) {
                seen += consumer.poll(Duration.ofMillis(100)).count();
            }
        }
        return seen;
    }
}
