package kdl.published;

import org.apache.kafka.common.test.api.ClusterConfig;

/** The one broker that a test gets: fresh, and gone when the test is over. */
public interface Broker {
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

    /** By the system property kdl.target: refbroker (and kdl.refbroker, its program), or kafka. */
    static Broker of(ClusterConfig config, boolean combined) {
        return "kafka".equals(System.getProperty("kdl.target"))
            ? new KafkaBroker(config, combined)
            : new RefbrokerBroker(config);
    }
}
