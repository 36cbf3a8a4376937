package kdl.audit;

import java.util.List;
import java.util.Map;
import java.util.Random;
import kdl.topics.Topics;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Fills a topic of one partition with records of a kilobyte without transactions; beside them lies one transaction of a single record, which begins behind a part in 32 of
 * them and is aborted another before their end. Arguments: BOOTSTRAP TOPIC RECORDS ABORT (false: there is no transaction).
 */
public final class LongAbort {
    private static final int BYTES = 1024;
    private static final int PARTS = 32;

    private LongAbort() {
    }

    public static void main(String[] args) throws Exception {
        int records = Integer.parseInt(args[2]);
        boolean aborts = Boolean.parseBoolean(args[3]);
        Random random = new Random(1);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]));
            KafkaProducer<byte[], byte[]> plain = new KafkaProducer<>(Map.of("bootstrap.servers", args[0], "batch.size", 4 * BYTES), new ByteArraySerializer(), new ByteArraySerializer());
            KafkaProducer<byte[], byte[]> other = new KafkaProducer<>(Map.of("bootstrap.servers", args[0], "transactional.id", args[1] + "-writer",
                "transaction.timeout.ms", 600_000), new ByteArraySerializer(), new ByteArraySerializer())) {
            Topics.make(admin, List.of(new NewTopic(args[1], 1, (short) 1)));
            if (aborts) {
                other.initTransactions();
            }
            for (int i = 0; i < records; i++) {
                byte[] value = new byte[BYTES];
                random.nextBytes(value);
                plain.send(new ProducerRecord<>(args[1], 0, null, value));
                if (aborts && i == records / PARTS) {
                    plain.flush();
                    other.beginTransaction();
                    other.send(new ProducerRecord<>(args[1], 0, null, new byte[] {1})).get();
                } else if (aborts && i == records / PARTS * (PARTS - 1)) {
                    plain.flush();
                    other.abortTransaction();
                    awaitMarker(admin, new TopicPartition(args[1], 0));
                }
            }
        }
    }

    /** The marker is written behind the answer. */
    private static void awaitMarker(Admin admin, TopicPartition partition) throws Exception {
        while (end(admin, partition, IsolationLevel.READ_COMMITTED) < end(admin, partition, IsolationLevel.READ_UNCOMMITTED)) {
            Thread.onSpinWait();
        }
    }

    private static long end(Admin admin, TopicPartition partition, IsolationLevel isolation) throws Exception {
        return admin.listOffsets(Map.of(partition, OffsetSpec.latest()), new ListOffsetsOptions(isolation)).partitionResult(partition).get().offset();
    }
}
