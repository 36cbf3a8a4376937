package kdl.txn;

import java.util.List;
import java.util.Map;
import kdl.topics.Topics;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Holds a transaction open. Arguments: BOOTSTRAP TOPIC. Makes the topic, writes two records into its partition 0 in a
 * transaction of id "held", prints READY, and ends without a word to the broker when its standard input closes.
 */
public final class HoldOpen {
    private HoldOpen() {
    }

    public static void main(String[] args) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            Topics.make(admin, List.of(new NewTopic(args[1], 1, (short) 1)));
        }
        KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", args[0], "transactional.id", "held",
            "transaction.timeout.ms", 900_000), new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        producer.beginTransaction();
        for (String value : List.of("one", "two")) {
            producer.send(new ProducerRecord<>(args[1], 0, null, value)).get();
        }
        System.out.println("READY");
        while (System.in.read() >= 0) {
            continue;
        }
        Runtime.getRuntime().halt(0);
    }
}
