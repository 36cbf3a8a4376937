package kdl.topics;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/** Makes topics that can be written to at once. */
public final class Topics {
    private Topics() {
    }

    /**
     * Makes topics, and waits until their leaders answer. Kafka's CreateTopics answers before a broker knows that it leads: of several requests of an idempotent producer
     * under way then the first may be refused and the second taken, since the first batch of a producer may have any sequence; what the first held is out of order for good,
     * and fails after the delivery timeout.
     */
    public static void make(Admin admin, Collection<NewTopic> topics) throws Exception {
        CreateTopicsResult made = admin.createTopics(topics);
        made.all().get();
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (String name : made.values().keySet()) {
            for (int partition = 0; partition < made.numPartitions(name).get(); partition++) {
                asked.put(new TopicPartition(name, partition), OffsetSpec.latest());
            }
        }
        admin.listOffsets(asked).all().get();
    }
}
