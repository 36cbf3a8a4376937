package kdl.published;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import kafka.server.ControllerServer;
import org.apache.kafka.common.test.KafkaClusterTestKit;
import org.apache.kafka.common.test.TestKitNodes;
import org.apache.kafka.common.test.api.ClusterConfig;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.server.common.MetadataVersion;

/** Apache Kafka itself, one broker in this process, behind the same harness. */
final class KafkaBroker implements Broker {
    private final ClusterConfig config;
    private final boolean combined;
    private KafkaClusterTestKit kit;

    KafkaBroker(ClusterConfig config, boolean combined) {
        this.config = config;
        this.combined = combined;
    }

    @Override
    public void start() throws Exception {
        if (kit != null) {
            kit.brokers().get(id()).startup();
            return;
        }
        Map<String, Short> features = new TreeMap<>();
        // kraft.version is no feature of the metadata log; the others are as a formatted broker has them.
        for (Feature feature : Feature.PRODUCTION_FEATURES)
            if (feature != Feature.KRAFT_VERSION) features.put(feature.featureName(), feature.defaultLevel(config.metadataVersion()));
        config.features().forEach((feature, level) -> features.put(feature.featureName(), level));
        features.put(MetadataVersion.FEATURE_NAME, config.metadataVersion().featureLevel());
        TestKitNodes nodes = new TestKitNodes.Builder(BootstrapMetadata.fromVersions(config.metadataVersion(), features, "harness"))
            .setCombined(combined)
            .setNumBrokerNodes(1)
            .setNumControllerNodes(1)
            .setNumDisksPerBroker(config.numDisksPerBroker())
            .setPerServerProperties(ofOurNodes(config.perServerOverrideProperties()))
            .setBrokerListenerName(config.brokerListenerName())
            .setBrokerSecurityProtocol(config.brokerSecurityProtocol())
            .setControllerListenerName(config.controllerListenerName())
            .setControllerSecurityProtocol(config.controllerSecurityProtocol())
            .build();
        KafkaClusterTestKit.Builder builder = new KafkaClusterTestKit.Builder(nodes);
        config.serverProperties().forEach(builder::setConfigProp);
        // What a test wants of three brokers, one has to do with a single copy.
        for (String name : ONE_COPY) builder.setConfigProp(name, "1");
        kit = builder.build();
        kit.format();
        kit.startup();
        kit.waitForReadyBrokers();
    }

    private Map<Integer, Map<String, String>> ofOurNodes(Map<Integer, Map<String, String>> settings) {
        Map<Integer, Map<String, String>> ours = new TreeMap<>(settings);
        ours.keySet().retainAll(List.of(id(), Broker.controllerId(combined)));
        return ours;
    }

    /** The broker has applied whatever the controller has written. */
    @Override
    public void settle() throws Exception {
        for (ControllerServer controller : kit.controllers().values()) {
            long last = controller.raftManager().raftLog().endOffset().offset() - 1;
            while (kit.brokers().get(id()).sharedServer().loader().lastAppliedOffset() < last) Thread.sleep(1);
        }
    }

    @Override
    public void stop() {
        kit.brokers().get(id()).shutdown();
    }

    @Override
    public void discard() {
        try {
            if (kit != null) kit.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean isRunning() {
        return kit != null;
    }

    @Override
    public String bootstrap() {
        return kit.bootstrapServers();
    }

    @Override
    public int id() {
        return 0;
    }
}
