package kdl.published;

import java.util.List;
import org.apache.kafka.common.test.api.ClusterConfig;

/** The one broker that a test gets: fresh, and gone when the test is over. */
public interface Broker {
    /** The number of the first controller that is no broker, in Kafka's test kit. */
    int CONTROLLER_ID = 3000;

    /** What a test wants of three brokers, one has to do with a single copy. */
    List<String> ONE_COPY = List.of("default.replication.factor", "min.insync.replicas",
        "offsets.topic.replication.factor", "transaction.state.log.replication.factor", "transaction.state.log.min.isr",
        "share.coordinator.state.topic.replication.factor", "share.coordinator.state.topic.min.isr");

    /** Starts it, or starts it again with the data that it has. */
    void start() throws Exception;

    /** Ends it as an operator would. */
    void stop() throws Exception;

    /** Ends it, if it runs, and removes its data. */
    void discard();

    boolean isRunning();

    String bootstrap();

    /** The number by which tests know it. */
    int id();

    /** Returns once what was answered holds everywhere in it. */
    default void settle() throws Exception {}

    /** A combined node is broker and controller in one. */
    static int controllerId(boolean combined) {
        return combined ? 0 : CONTROLLER_ID;
    }

    /** By the system property kdl.target: refbroker (and kdl.refbroker, its program), or kafka. */
    static Broker of(ClusterConfig config, boolean combined) {
        return "kafka".equals(System.getProperty("kdl.target"))
            ? new KafkaBroker(config, combined)
            : new RefbrokerBroker(config);
    }
}
