package kdl.published;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.AbstractMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import kafka.network.SocketServer;
import kafka.server.ControllerServer;
import kafka.server.KafkaBroker;
import kafka.server.KafkaConfig;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TopicListing;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.controller.Controller;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.metadata.LeaderAndIsr;
import org.apache.kafka.metadata.LeaderRecoveryState;
import org.apache.kafka.metadata.MetadataCache;
import org.mockito.Answers;
import org.mockito.Mockito;

/**
 * What tests take a Java broker for, mostly through Kafka's TestUtils, before they speak to it over its port: its
 * settings, its port, which topics it knows. Answered from the test's own settings and by the Admin API, for both
 * targets alike. Whatever else a test asks of it ends the test as not applicable, with the name of what it asked for.
 */
final class StandIn {
    private StandIn() {}

    static KafkaBroker broker(OneBroker cluster, Broker broker) {
        return of(KafkaBroker.class, call -> switch (call.name()) {
            case "config" -> config(cluster);
            case "boundPort" -> cluster.brokerBoundPorts().get(0);
            case "socketServer" -> mocked(SocketServer.class, "broker's sockets", "boundPort", () -> cluster.brokerBoundPorts().get(0));
            case "clusterId" -> cluster.clusterId();
            case "metadataCache" -> metadata(cluster);
            case "groupCoordinator" -> of(GroupCoordinator.class, asked ->
                asked.name().equals("groupMetadataTopicConfigs") ? offsetsTopic(config(cluster)) : null);
            case "isShutdown" -> !broker.isRunning();
            case "shutdown" -> done(() -> cluster.shutdownBroker(broker.id()));
            case "startup" -> done(() -> cluster.startBroker(broker.id()));
            case "awaitShutdown" -> done(() -> {}); // shutdown has waited
            default -> null;
        });
    }

    /** By its number a controller can be had, which knows the ids of topics; none is listed, since none is waited for. */
    static Map<Integer, ControllerServer> controllers(OneBroker cluster) {
        return new AbstractMap<>() {
            @Override
            public ControllerServer get(Object id) {
                return cluster.controllerIds().contains(id) ? controller(cluster) : null;
            }

            @Override
            public Set<Entry<Integer, ControllerServer>> entrySet() {
                return Set.of();
            }
        };
    }

    private static ControllerServer controller(OneBroker cluster) {
        Controller topics = of(Controller.class, call ->
            call.name().equals("findAllTopicIds") ? CompletableFuture.completedFuture(topicIds(cluster)) : null);
        return mocked(ControllerServer.class, "controller", "controller", () -> topics);
    }

    /** For classes, of which one method is known. */
    private static <T> T mocked(Class<T> type, String what, String method, Supplier<Object> answer) {
        return Mockito.mock(type, Mockito.withSettings().stubOnly().defaultAnswer(call -> {
            if (call.getMethod().getName().equals(method)) return answer.get();
            if (call.getMethod().getDeclaringClass() == Object.class) return Answers.RETURNS_DEFAULTS.answer(call);
            throw OneBroker.notApplicable("reaches into a Java " + what + ": " + call.getMethod().getName());
        }));
    }

    private static KafkaConfig config(OneBroker cluster) {
        Map<String, String> settings = new HashMap<>(Map.of("process.roles", "broker,controller", "controller.listener.names", "CONTROLLER",
            "listeners", "PLAINTEXT://" + cluster.bootstrapServers() + ",CONTROLLER://localhost:0", "controller.quorum.bootstrap.servers", "localhost:9"));
        settings.putAll(cluster.config().serverProperties());
        settings.putAll(cluster.config().perServerOverrideProperties().getOrDefault(0, Map.of()));
        settings.put("node.id", "0");
        Broker.ONE_COPY.forEach(name -> settings.put(name, "1"));
        return new KafkaConfig(settings, false);
    }

    private static Properties offsetsTopic(KafkaConfig config) {
        Properties configs = new Properties();
        configs.put("cleanup.policy", "compact");
        configs.put("compression.type", "producer");
        configs.put("segment.bytes", String.valueOf(config.getInt("offsets.topic.segment.bytes")));
        return configs;
    }

    private static MetadataCache metadata(OneBroker cluster) {
        return of(MetadataCache.class, call -> switch (call.name()) {
            case "numPartitions" -> topic(cluster, call).map(topic -> topic.partitions().size());
            case "contains" -> call.arguments()[0] instanceof String ? topic(cluster, call).isPresent() : null;
            case "getTopicId" -> topic(cluster, call).map(TopicDescription::topicId).orElse(Uuid.ZERO_UUID);
            case "getAliveBrokerNodes" -> nodes(cluster);
            case "hasAliveBroker" -> cluster.aliveBrokers().containsKey((Integer) call.arguments()[0]);
            case "getLeaderAndIsr" -> topic(cluster, call).flatMap(topic -> topic.partitions().stream()
                .filter(partition -> partition.partition() == (Integer) call.arguments()[1]).findFirst())
                .map(partition -> leader(partition.leader().id()));
            default -> null;
        });
    }

    private static List<Node> nodes(OneBroker cluster) {
        try (Admin admin = cluster.plainAdmin()) {
            return List.copyOf(admin.describeCluster().nodes().get());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Epochs are the broker's own affair. */
    private static LeaderAndIsr leader(int id) {
        return new LeaderAndIsr(id, 0, List.of(id), LeaderRecoveryState.RECOVERED, 0);
    }

    private static Optional<TopicDescription> topic(OneBroker cluster, Call call) {
        try (Admin admin = cluster.plainAdmin()) {
            return Optional.ofNullable(OneBroker.describe(admin, (String) call.arguments()[0]));
        }
    }

    private static Map<String, Uuid> topicIds(OneBroker cluster) {
        Map<String, Uuid> ids = new HashMap<>();
        try (Admin admin = cluster.plainAdmin()) {
            for (TopicListing topic : admin.listTopics().listings().get()) ids.put(topic.name(), topic.topicId());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return ids;
    }

    private record Call(String name, Object[] arguments) {}

    /** What a void method gives; null says that the method is none of ours. */
    private static Object done(Runnable what) {
        what.run();
        return Void.TYPE;
    }

    private static <T> T of(Class<T> type, Function<Call, Object> answers) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
            if (method.getDeclaringClass() == Object.class) return ofObject(type, proxy, method, arguments);
            Object answer = answers.apply(new Call(method.getName(), arguments));
            if (answer == null) throw OneBroker.notApplicable("reaches into a Java broker: " + type.getSimpleName() + "." + method.getName());
            return answer == Void.TYPE ? null : answer;
        }));
    }

    private static Object ofObject(Class<?> type, Object proxy, Method method, Object[] arguments) {
        return switch (method.getName()) {
            case "equals" -> proxy == arguments[0];
            case "hashCode" -> System.identityHashCode(proxy);
            default -> type.getSimpleName();
        };
    }
}
