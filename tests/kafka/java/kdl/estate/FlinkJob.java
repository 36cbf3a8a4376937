package kdl.estate;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * What Flink's connector does to a cluster, by its names: a source that assigns its partitions itself and commits without members, an admin client that looks for
 * partitions, and a sink of two subtasks with a transactional id for each checkpoint.
 */
final class FlinkJob implements Part {
    private static final String READ = "orders.placed";
    private static final String WRITTEN = "orders.enriched";
    private static final String GROUP = "orders-etl";
    private static final int PARTITIONS = 4;
    private static final int RECORDS = 400;
    private static final List<String> TRANSACTIONAL_IDS = List.of("orders-sink-0-1", "orders-sink-0-2", "orders-sink-1-1");

    @Override
    public void declare(World world, Truth truth) {
        truth.topic(READ, PARTITIONS).idempotent().fact("flink", "source");
        truth.topic(WRITTEN, 2).transactional("a Flink sink writes it").fact("flink", "sink");
        truth.group(GROUP, "classic", "EMPTY", "a Flink source: assigns its partitions itself, all read", READ);
        for (String id : TRANSACTIONAL_IDS) {
            truth.transaction(id, "CompleteCommit", "one checkpoint of one subtask", WRITTEN);
        }
    }

    @Override
    public void make(World world) {
        Content content = new Content(READ);
        world.write("orders-writer", Map.of(), RECORDS, i -> new ProducerRecord<>(READ, i % PARTITIONS, content.key(i), content.value(i)));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", world.bootstrap, "client.id", GROUP + "-enumerator-admin-client"))) {
            World.get(admin.describeTopics(List.of(READ)).allTopicNames());
        }
        read(world);
        for (String id : TRANSACTIONAL_IDS) {
            write(world, id);
        }
    }

    private static void read(World world) {
        try (KafkaConsumer<byte[], byte[]> consumer = world.consumer(GROUP, Map.of("client.id", GROUP + "-0"))) {
            consumer.assign(IntStream.range(0, PARTITIONS).mapToObj(p -> new TopicPartition(READ, p)).toList());
            int done = 0;
            while (done < RECORDS) {
                done += consumer.poll(Duration.ofMillis(200)).count();
            }
            consumer.commitSync();
        }
    }

    private static void write(World world, String id) {
        Content content = new Content(WRITTEN);
        try (Producer<byte[], byte[]> producer = TransactionalTopics.transactional(world, id)) {
            producer.beginTransaction();
            World.send(producer, 20, i -> new ProducerRecord<>(WRITTEN, i % 2, content.key(i), content.value(i)));
            producer.commitTransaction();
        }
    }
}
